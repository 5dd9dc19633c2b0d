//! Containers that are removed with the test, and a view of what they report.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::chown;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::LazyLock;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use mizzen_fsx::{SafeDir, Watch};
use mizzen_status::{Reading, Status, read_status};
use mizzen_tasks::Owner;
use mizzen_tests::own_core::{self, supervisor, tiny_image};
use mizzen_wire::{DirectLine, Hello, Wire, connect};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

/// Whose the containers' folders are.
pub(crate) const UID: u32 = own_core::USER;

/// Far more than anything here takes, also on a busy machine.
pub(crate) const SOON: Duration = Duration::from_secs(60);

/// An image that has nothing but the supervisor.
pub(crate) static SCRATCH: LazyLock<String> = LazyLock::new(|| {
    let context = tempfile::tempdir().unwrap();
    fs::copy(supervisor(), context.path().join("mizzen-supervisor")).unwrap();
    let recipe = "FROM scratch\nCOPY mizzen-supervisor /usr/local/bin/mizzen-supervisor\n\
                  ENTRYPOINT [\"/usr/local/bin/mizzen-supervisor\"]\n";
    mizzen_fsx::write_atomic(context.path().join("Dockerfile"), recipe.as_bytes()).unwrap();
    let tag = "mizzen-test-scratch";
    docker(&[
        "build",
        "--quiet",
        "--tag",
        tag,
        context.path().to_str().unwrap(),
    ]);
    tag.to_owned()
});

/// Debian with a user `coder`, the supervisor and a stand-in for code-server.
pub(crate) static TINY: LazyLock<String> = LazyLock::new(|| tiny_image().expect("an image"));

/// Runs the Docker CLI; any failure fails the test.
pub(crate) fn docker(arguments: &[&str]) -> String {
    own_core::docker(arguments).expect("the docker client")
}

/// A running container.
pub(crate) struct Container {
    pub(crate) id: String,
}

impl Container {
    /// `docker run` in the background, with these arguments up to and after the image.
    pub(crate) fn run(arguments: &[&str]) -> Self {
        // Without a network: everything here passes through files and `docker exec`.
        let start = [
            "run",
            "--detach",
            "--network=none",
            "--label=dev.mizzen.test=supervisor",
        ];
        Self {
            id: docker(&[&start, arguments].concat()),
        }
    }

    pub(crate) fn exec(&self, argv: &[&str]) -> String {
        docker(&[&["exec", self.id.as_str()], argv].concat())
    }

    pub(crate) fn inspect(&self, format: &str) -> String {
        docker(&["inspect", "--format", format, &self.id])
    }

    /// Waits until it has ended; says its exit code.
    pub(crate) fn wait(&self) -> String {
        docker(&["wait", &self.id])
    }

    pub(crate) fn stop(&self) -> String {
        docker(&["stop", "--time", "30", &self.id]);
        self.inspect("{{.State.ExitCode}}")
    }

    /// Its log so far.
    pub(crate) fn log(&self) -> String {
        let logs = Command::new("docker").args(["logs", &self.id]).output();
        let output = logs.expect("the docker client");
        String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
    }

    /// Reads its log until a line is as wanted; gives all lines up to that one.
    pub(crate) fn log_until(&self, mut wanted: impl FnMut(&str) -> bool) -> Vec<String> {
        // The log of a container that goes on never ends, so its reader has a deadline.
        let mut follow = Command::new("timeout")
            .arg(SOON.as_secs().to_string())
            .args(["docker", "logs", "--follow", &self.id])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(follow.stdout.take().unwrap()).lines();
        let (mut seen, mut found) = (Vec::new(), false);
        for line in lines.map_while(Result::ok) {
            found = wanted(&line);
            seen.push(line);
            if found {
                break;
            }
        }
        // It may have ended by itself. `timeout` hands the signal on.
        let _ = kill_process(Pid::from_child(&follow), Signal::TERM);
        follow.wait().unwrap();
        assert!(found, "the log does not have the wanted line: {seen:#?}");
        seen
    }

    /// A wire over `docker exec`, as the core makes one.
    pub(crate) async fn wire(&self, owner: &Owner, options: &[&str]) -> Wire {
        self.wire_offering(owner, options, None).await
    }

    /// The same with a direct line on offer.
    pub(crate) async fn wire_offering(
        &self,
        owner: &Owner,
        options: &[&str],
        line: Option<DirectLine>,
    ) -> Wire {
        let attach = [
            self.id.as_str(),
            "/usr/local/bin/mizzen-supervisor",
            "attach",
        ];
        let mut exec = tokio::process::Command::new("docker")
            .args([&["exec", "--interactive"], options, &attach].concat())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let io = tokio::io::join(exec.stdout.take().unwrap(), exec.stdin.take().unwrap());
        // Collected when the wire has closed its input.
        owner.spawn("exec", async move { drop(exec.wait().await) });
        connect(owner, io, Hello::new("test", "0"), line)
            .await
            .unwrap()
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        // It may be gone by itself.
        let _ = own_core::docker(&["rm", "--force", "--volumes", &self.id]);
    }
}

/// A folder that belongs to the containers' user.
pub(crate) fn folder() -> TempDir {
    folder_in(&std::env::temp_dir())
}

/// The same in another place.
pub(crate) fn folder_in(place: &Path) -> TempDir {
    let folder = tempfile::tempdir_in(place).unwrap();
    chown(folder.path(), Some(UID), Some(UID)).expect("tests of containers run as root");
    folder
}

/// A status directory on the host, and what arrives in it.
pub(crate) struct Reports {
    pub(crate) folder: TempDir,
    dir: SafeDir,
    hints: Receiver<()>,
    _watch: Watch,
}

impl Reports {
    pub(crate) fn new() -> Self {
        Self::in_folder(folder())
    }

    pub(crate) fn in_folder(folder: TempDir) -> Self {
        let (tell, hints) = channel();
        let watch = Watch::new([folder.path()], move || {
            let _ = tell.send(());
        })
        .unwrap();
        let dir = SafeDir::open(folder.path()).unwrap();
        Self {
            folder,
            dir,
            hints,
            _watch: watch,
        }
    }

    /// The option that mounts it where the supervisor looks for it.
    pub(crate) fn mount(&self) -> String {
        format!(
            "type=bind,source={},target=/para/status",
            self.folder.path().display()
        )
    }

    pub(crate) fn now(&self) -> Option<Status> {
        match read_status(&self.dir, Some(UID)) {
            Reading::Good(status) => Some(status),
            Reading::Absent => None,
            Reading::Keep(keep) => panic!("our own report must be good: {keep}"),
        }
    }

    /// Waits for a report that is as wanted.
    pub(crate) fn until(&self, what: &str, mut wanted: impl FnMut(&Status) -> bool) -> Status {
        let deadline = Instant::now() + SOON;
        let mut last = None;
        loop {
            last = self.now().or(last);
            if let Some(status) = last.as_ref().filter(|status| wanted(status)) {
                return status.clone();
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if self.hints.recv_timeout(left).is_err() {
                panic!("{what}: not reported, but {last:#?}");
            }
        }
    }

    /// Waits until anything is written here that nobody has waited for yet.
    pub(crate) fn heard(&self) {
        let heard = self.hints.recv_timeout(SOON);
        assert!(heard.is_ok(), "nothing is written any more");
        while self.hints.try_recv().is_ok() {}
    }

    pub(crate) fn until_ready(&self) -> Status {
        self.until("ready", |status| status.phase.as_deref() == Some("ready"))
    }
}

/// A container of the tiny image with these reports and this workspace.
pub(crate) fn tiny(reports: &Reports, workspace: &Path, more: &[&str]) -> Container {
    tiny_with(reports, workspace, more, &[])
}

/// The same with arguments for what is started in it.
pub(crate) fn tiny_with(
    reports: &Reports,
    workspace: &Path,
    more: &[&str],
    arguments: &[&str],
) -> Container {
    let user = format!("{UID}:{UID}");
    let workspace = format!("type=bind,source={},target=/workspace", workspace.display());
    let mount = reports.mount();
    let start = ["--user", &user, "--mount", &mount, "--mount", &workspace];
    Container::run(&[&start, more, &[TINY.as_str()], arguments].concat())
}

/// A container of the tiny image that is ready, with its reports and its workspace.
pub(crate) fn ready() -> (Reports, TempDir, Container) {
    let (reports, workspace) = (Reports::new(), folder());
    let container = tiny(&reports, workspace.path(), &[]);
    reports.until_ready();
    (reports, workspace, container)
}
