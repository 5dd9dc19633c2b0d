//! A link whose other side is at the end of a wire.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::Duration;

use mizzen_sync::{
    Both, Durability, End, Endpoint, EndpointError, Far, Folders, Joining, LinkId, LinkOptions,
    Links, LocalOptions, OpenSide, Retention, RuleSource, ServeOptions, SyncSettings, Why,
};

/// Keeps all for ever.
pub(crate) const SERVED: ServeOptions = ServeOptions {
    umask: 0o022,
    retention: Retention {
        age: Duration::MAX,
        bytes: u64::MAX,
    },
    now: mizzen_sync::now,
};

/// The same with the other end served by a process of its own; how that ended, too.
pub(crate) fn with_far(
    world: &Path,
    mut far: Command,
    consent: bool,
) -> (Result<usize, String>, ExitStatus) {
    far.arg("sync").stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut far = far.spawn().expect("it runs");
    let from = far.stdout.take().expect("a pipe");
    let to = far.stdin.take().expect("a pipe");
    let done = cycle(world, Far::new(from, to), consent);
    (done, far.wait().expect("it ends"))
}

/// One cycle of a link whose other side is far, with a person's consent or without; how many conflicts are left.
pub(crate) fn cycle(
    world: &Path,
    far: Result<Far, EndpointError>,
    consent: bool,
) -> Result<usize, String> {
    let [a, b, state] = ["a", "b", "home/sync"].map(|name| world.join(name));
    let local = LocalOptions {
        size_max: 1 << 30,
        links: Links::Portable,
        look_for_secrets: true,
        umask: 0o022,
        durability: Durability::Data,
        memory: PathBuf::new(),
        now: mizzen_sync::now,
    };
    let id = LinkId::new([&b"test"[..]]);
    let side = OpenSide::like(&local, b);
    let container =
        || -> Result<Box<dyn Endpoint>, EndpointError> { Ok(Box::new(far?.open_for(id, side)?)) };
    let rules = RuleSource::new(&a, None, None).map_err(|error| error.to_string())?;
    let joining = Joining {
        ends: Both {
            host: End::Here(a),
            container: End::There(Box::new(container)),
        },
        names: Both {
            host: "a".to_owned(),
            container: "b".to_owned(),
        },
        id,
        reversed: None,
        state: &state,
        options: LinkOptions::of(&SyncSettings::default(), true),
        local: &local,
        ruler: rules.into(),
    };
    let mut folders = Folders::join(joining).map_err(|error| error.to_string())?;
    let cycle = folders.link.cycle(&Both::everything(), consent);
    let cycle = cycle.map_err(|error| error.to_string())?;
    folders.link.rest();
    let failures = cycle
        .failures()
        .filter(|(_, failure)| !matches!(failure.why, Why::NotEmpty));
    let failures: Vec<String> = failures.map(|failure| format!("{failure:?}")).collect();
    match failures.is_empty() && cycle.problems.is_empty() {
        true => Ok(cycle.conflicts.len()),
        false => Err(format!("{failures:?} {:?}", cycle.problems)),
    }
}
