//! The things a doctor looks at, one function each.

use std::io::{self, Read};
use std::path::Path;

use mizzen_contexts::SelectError;
use mizzen_docker::{Engine, EngineInfo, Link};
use mizzen_sessions::image::{Recipe, Supervisor, host_authorities};

use super::report::{DoctorCheck, Subject};
use crate::dirs::Dirs;
use crate::settings;
use crate::translate::EngineIdentity;
use crate::view::Settings;
use crate::world::CoreConfig;

/// Docker 20.10: the first whose events and filters Mizzen was tried with.
const API_MIN: (u32, u32) = (1, 41);

pub(super) fn engine(
    selected: &Result<EngineIdentity, SelectError>,
    link: Option<&Link>,
) -> DoctorCheck {
    let subject = Subject {
        id: "engine",
        title: "Docker Engine",
    };
    let identity = match selected {
        Ok(identity) => identity,
        Err(error) => return subject.problem(error.to_string(), error.hint()),
    };
    let place = format!(
        "{} ({}, by {})",
        identity.name, identity.endpoint, identity.selected_by
    );
    answers(subject, &place, link)
}

/// An engine beside the selected one.
pub(super) fn other_engine(engine: &Engine, link: &Link) -> DoctorCheck {
    let subject = Subject {
        id: "engine",
        title: "Docker Engine",
    };
    let place = format!("{} ({})", engine.name(), engine.endpoint());
    DoctorCheck {
        id: format!("engine:{}", engine.name()),
        ..answers(subject, &place, Some(link))
    }
}

fn answers(subject: Subject, place: &str, link: Option<&Link>) -> DoctorCheck {
    match link {
        Some(Link::Online(info)) => online(subject, info, place),
        Some(Link::Offline(offline)) => subject.problem(
            format!("{place}: {}", offline.message),
            offline.hint.clone(),
        ),
        Some(Link::Connecting) | None => subject.problem(
            format!("{place}: accepts a connection and does not answer"),
            "restart the engine, e.g. with `systemctl restart docker`",
        ),
    }
}

fn online(subject: Subject, info: &EngineInfo, place: &str) -> DoctorCheck {
    let message = format!("{place}: version {}", info.version);
    if info.os != "linux" {
        return subject.problem(
            format!("{place}: runs {} containers", info.os),
            "switch it to Linux containers, or choose another engine with `docker context use`",
        );
    }
    if api(&info.api_version).is_some_and(|version| version < API_MIN) {
        return subject.problem(
            format!("{message} is too old (API {})", info.api_version),
            "update Docker to 20.10 or later",
        );
    }
    subject.ok(message)
}

fn api(version: &str) -> Option<(u32, u32)> {
    let (major, minor) = version.split_once('.')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

pub(super) fn supervisor(path: &Path) -> DoctorCheck {
    let subject = Subject {
        id: "supervisor",
        title: "Supervisor",
    };
    let fix = "install Mizzen anew, or in a source tree run `cargo xtask supervisor`";
    let mut magic = [0; 4];
    match std::fs::File::open(path).and_then(|mut file| file.read_exact(&mut magic)) {
        Ok(()) if &magic == b"\x7fELF" => subject.ok(path.display().to_string()),
        Ok(()) => subject.problem(format!("{} is no Linux program", path.display()), fix),
        Err(error) => subject.problem(format!("{}: {error}", path.display()), fix),
    }
}

/// Looks for what a new session would be made from.
pub(super) async fn image(config: &CoreConfig, engine: &Engine, supervisor: &Path) -> DoctorCheck {
    let subject = Subject {
        id: "image",
        title: "Session image",
    };
    let settings = settings::load(&config.dirs.settings_file()).unwrap_or_default();
    let fix = "it is built by the first `mizzen up`; build it now with `mizzen image build`";
    let (reference, fix) = match settings.image {
        Some(image) => (
            image,
            "pull or build it, or leave `image` out of the settings",
        ),
        None => {
            let recipe = Supervisor::read(supervisor)
                .and_then(|supervisor| Recipe::gather(supervisor, &host_authorities()));
            match recipe {
                Ok(recipe) => (recipe.tag(), fix),
                Err(error) => return subject.problem(error.to_string(), "see Supervisor"),
            }
        }
    };
    match engine.image(&reference).await {
        Ok(Some(_)) => subject.ok(reference),
        Ok(None) => subject.warning(format!("{reference} is not there yet"), fix),
        Err(error) => subject.problem(error.to_string(), error.hint()),
    }
}

pub(super) fn directories(dirs: &Dirs) -> DoctorCheck {
    let subject = Subject {
        id: "directories",
        title: "Directories",
    };
    let fix = "make it yours and writable, or set MIZZEN_HOME to a folder of yours";
    if let Err(error) = dirs.prepare() {
        return subject.problem(error.to_string(), fix);
    }
    let all = [&dirs.config, &dirs.state, &dirs.cache, &dirs.runtime];
    match all
        .into_iter()
        .find_map(|dir| Some((dir, try_write(dir).err()?)))
    {
        Some((dir, error)) => subject.problem(format!("{}: {error}", dir.display()), fix),
        None => subject.ok(format!("state in {}", dirs.state.display())),
    }
}

fn try_write(dir: &Path) -> io::Result<()> {
    let probe = dir.join(format!(".doctor-{}", std::process::id()));
    mizzen_fsx::write_atomic(&probe, b"probe").map_err(io::Error::other)?;
    std::fs::remove_file(&probe)
}

pub(super) fn settings(dirs: &Dirs) -> DoctorCheck {
    let subject = Subject {
        id: "settings",
        title: "Settings",
    };
    match settings::load(&dirs.settings_file()) {
        Ok(_) => subject.ok(dirs.settings_file().display().to_string()),
        Err(error) => subject.problem(error.to_string(), "correct the file, or move it away"),
    }
}

/// The core's own gateway; without a core, whether its port is free.
pub(super) async fn gateway(
    config: &CoreConfig,
    gateway: Option<&Result<u16, String>>,
) -> DoctorCheck {
    let subject = Subject {
        id: "gateway",
        title: "Gateway",
    };
    let preferred = settings::load(&config.dirs.settings_file())
        .unwrap_or_else(|_| Settings::default())
        .gateway_port;
    let taken = |port: u16| {
        subject.warning(
            format!("port {preferred} is taken by another program; {port} is used instead"),
            format!("free port {preferred}, or set `gateway_port` to make {port} the first choice"),
        )
    };
    match gateway {
        Some(Ok(port)) if *port == preferred => subject.ok(format!("listens on port {port}")),
        Some(Ok(port)) => taken(*port),
        Some(Err(problem)) => subject.problem(
            problem.clone(),
            "set another `gateway_port` and restart Mizzen",
        ),
        None => match tokio::net::TcpListener::bind(("127.0.0.1", preferred)).await {
            Ok(_) => subject.ok(format!("port {preferred} is free")),
            Err(error) => subject.warning(
                format!("port {preferred}: {error}; the next free one will be used"),
                format!("free port {preferred}, or set another `gateway_port`"),
            ),
        },
    }
}

pub(super) async fn localhost_names() -> DoctorCheck {
    let subject = Subject {
        id: "localhost_names",
        title: "*.localhost",
    };
    let found = tokio::net::lookup_host(("mizzen-doctor.localhost", 80)).await;
    let fix = "most browsers resolve these names themselves; for one that does not set \
               `gateway_names = false`, for other programs enable systemd-resolved or nss-myhostname";
    match found.map(|mut all| all.find(|address| !address.ip().is_loopback())) {
        Ok(None) => subject.ok("names under localhost lead to this machine"),
        Ok(Some(address)) => subject.problem(
            format!("names under localhost lead to {}", address.ip()),
            "repair the resolver: RFC 6761 reserves these names for this machine",
        ),
        Err(_) => subject.warning("this system does not resolve names under localhost", fix),
    }
}

#[cfg(unix)]
const DISK_BYTES_LOW: u64 = 5 << 30;
#[cfg(unix)]
const DISK_BYTES_MIN: u64 = 200 << 20;

#[cfg(unix)]
pub(super) fn disk(state: &Path) -> DoctorCheck {
    let subject = Subject {
        id: "disk",
        title: "Disk space",
    };
    let fix = "free some, e.g. with `mizzen image prune` and `docker system prune`";
    match rustix::fs::statvfs(state) {
        Ok(stat) => {
            let free = stat.f_bavail.saturating_mul(stat.f_frsize);
            let message = format!("{:.1} GiB free for {}", gib(free), state.display());
            match free {
                0..DISK_BYTES_MIN => subject.problem(message, fix),
                DISK_BYTES_MIN..DISK_BYTES_LOW => subject.warning(message, fix),
                DISK_BYTES_LOW.. => subject.ok(message),
            }
        }
        Err(error) => subject.warning(format!("{}: {error}", state.display()), "create the folder"),
    }
}

#[cfg(unix)]
#[expect(clippy::cast_precision_loss, reason = "for people")]
fn gib(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1_u32 << 30)
}

#[cfg(not(unix))]
pub(super) fn disk(state: &Path) -> DoctorCheck {
    let subject = Subject {
        id: "disk",
        title: "Disk space",
    };
    subject.ok(format!(
        "not looked at on this system ({})",
        state.display()
    ))
}

/// Only Linux has sessions without a display.
pub(super) fn display(config: &CoreConfig) -> DoctorCheck {
    let subject = Subject {
        id: "display",
        title: "Display",
    };
    if !cfg!(target_os = "linux") {
        return subject.ok("the desktop's own");
    }
    match ["WAYLAND_DISPLAY", "DISPLAY"]
        .into_iter()
        .find(|name| config.var(name).is_some())
    {
        Some(name) => subject.ok(format!("{name} is set")),
        None => subject.warning(
            "there is no display: the tray and the window cannot be shown",
            "log in to a desktop, or use the command line with `mizzen serve`",
        ),
    }
}

pub(super) fn log(dirs: &Dirs, core_runs: bool) -> DoctorCheck {
    let subject = Subject {
        id: "core",
        title: "Core",
    };
    let log = dirs.log_file();
    if core_runs {
        let pid = std::process::id();
        return subject.ok(format!("runs (process {pid}); log in {}", log.display()));
    }
    let state = format!("does not run; log in {}", log.display());
    subject.warning(
        state,
        "start it with `mizzen serve`; other commands start it when needed",
    )
}
