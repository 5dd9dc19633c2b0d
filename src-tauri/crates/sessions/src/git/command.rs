//! Git on the host, hardened: it runs in a folder whose repository may have been another's to write.

use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::timeout;

use super::{Place, Trouble};

/// How long a question may take.
const DEADLINE: Duration = Duration::from_secs(60);
/// Most bytes of an answer.
const ANSWER_CAP: u64 = 64 * 1024 * 1024;
/// Most bytes of what it says on failing.
const COMPLAINT_CAP: u64 = 16 * 1024;

/// What a repository's own settings cannot change. No command here looks at the worktree, so no filter or diff driver is
/// asked for either.
pub(super) const SETTINGS: [&str; 15] = [
    "core.fsmonitor=false",
    "core.hooksPath=/dev/null",
    "core.untrackedCache=false",
    "core.sshCommand=false",
    "core.gitProxy=false",
    "core.askPass=false",
    "core.pager=cat",
    "core.alternateRefsCommand=false",
    "credential.helper=",
    "protocol.allow=never",
    "gc.auto=0",
    "maintenance.auto=false",
    "submodule.recurse=false",
    "fetch.fsckObjects=true",
    "transfer.fsckObjects=true",
];

/// What its environment says; nothing else of ours is in it but `PATH`.
pub(super) const ENVIRONMENT: [(&str, &str); 11] = [
    ("GIT_CONFIG_NOSYSTEM", "1"),
    ("GIT_CONFIG_GLOBAL", "/dev/null"),
    ("GIT_ATTR_NOSYSTEM", "1"),
    ("GIT_TERMINAL_PROMPT", "0"),
    ("GIT_OPTIONAL_LOCKS", "0"),
    ("GIT_NO_LAZY_FETCH", "1"),
    ("GIT_NO_REPLACE_OBJECTS", "1"),
    ("GIT_ALLOW_PROTOCOL", ""),
    ("GIT_SSH_COMMAND", "false"),
    ("GIT_ASKPASS", "false"),
    ("LC_ALL", "C"),
];

/// Git in one folder, which is the top of its repository.
pub(super) struct Git {
    folder: PathBuf,
    /// Whom it runs as, when that is not us.
    #[cfg_attr(not(unix), expect(dead_code, reason = "there is one user"))]
    user: Option<(u32, u32)>,
    home: Option<PathBuf>,
}

impl Git {
    pub(super) fn new(place: &Place) -> Self {
        let user = other_user(place);
        Self {
            folder: place.folder.clone(),
            // Root's own settings are not the folder owner's to read.
            home: place.home.clone().filter(|_| user.is_none()),
            user,
        }
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new("git");
        command.env_clear().envs(ENVIRONMENT);
        if let Some(path) = std::env::var_os("PATH") {
            command.env("PATH", path);
        }
        let above = self.folder.parent().map_or(OsStr::new(""), Path::as_os_str);
        command
            .env("GIT_CEILING_DIRECTORIES", above)
            .current_dir(&self.folder);
        command.arg("--no-optional-locks");
        for setting in SETTINGS {
            command.args(["-c", setting]);
        }
        #[cfg(unix)]
        if let Some((uid, gid)) = self.user {
            command.uid(uid).gid(gid);
        }
        command.args(args);
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        command
    }

    /// What it prints.
    pub(super) async fn run(&self, args: &[&str]) -> Result<Vec<u8>, Trouble> {
        self.feed(args, b"").await
    }

    /// What it prints, as one line.
    pub(super) async fn text(&self, args: &[&str]) -> Result<String, Trouble> {
        let said = self.run(args).await?;
        Ok(String::from_utf8_lossy(&said)
            .trim_end_matches('\n')
            .to_owned())
    }

    /// What it prints when it reads this.
    pub(super) async fn feed(&self, args: &[&str], input: &[u8]) -> Result<Vec<u8>, Trouble> {
        let child = spawn(self.command(args).stdin(Stdio::piped()))?;
        let mut input = input;
        let fed = timeout(DEADLINE, converse(child, &mut input, args)).await;
        fed.unwrap_or_else(|_| Err(too_slow(args)))
    }

    /// The same with what comes, which may take as long as the caller waits, and with more in its environment.
    pub(super) async fn drink_with(
        &self,
        environment: [(&str, &OsStr); 2],
        args: &[&str],
        from: &mut (impl AsyncRead + Unpin),
    ) -> Result<Vec<u8>, Trouble> {
        let mut command = self.command(args);
        let child = spawn(command.envs(environment).stdin(Stdio::piped()))?;
        converse(child, from, args).await
    }

    /// Makes something that we made that of whom git runs as.
    #[cfg_attr(not(unix), expect(clippy::unused_self, reason = "there is one user"))]
    pub(super) fn give(&self, path: &Path) -> io::Result<()> {
        #[cfg(unix)]
        if let Some((uid, gid)) = self.user {
            return std::os::unix::fs::lchown(path, Some(uid), Some(gid));
        }
        #[cfg(not(unix))]
        let _ours = path;
        Ok(())
    }

    /// A setting, also of the person's own for all repositories.
    pub(super) async fn setting(&self, name: &str) -> Option<String> {
        let args = ["config", "--get", name];
        let mut command = self.command(&args);
        if let Some(home) = &self.home {
            command.env_remove("GIT_CONFIG_GLOBAL").env("HOME", home);
        }
        let asked = timeout(DEADLINE, command.output()).await.ok()?.ok()?;
        let said = String::from_utf8(asked.stdout).ok()?;
        let value = said.trim_end_matches('\n').to_owned();
        let is_plain = value.len() <= 256 && !value.contains(char::is_control);
        (asked.status.success() && is_plain && !value.is_empty()).then_some(value)
    }

    /// Starts one that reads this and whose output is read as it comes.
    pub(super) async fn source(&self, args: &[&str], input: &[u8]) -> Result<Source, Trouble> {
        let mut child = spawn(self.command(args).stdin(Stdio::piped()))?;
        let mut stdin = child.stdin.take().expect("BUG: it was piped");
        // Known here: it reads all of its input before it writes.
        let written = timeout(DEADLINE, stdin.write_all(input)).await;
        written.map_err(|_| too_slow(args))?.ok();
        drop(stdin);
        Ok(Source::of(child, args))
    }

    /// The same for one that reads what another one prints.
    pub(super) fn source_of(&self, args: &[&str], from: &mut Source) -> Result<Source, Trouble> {
        let input: Stdio = from
            .out
            .take()
            .expect("BUG: nobody reads it")
            .try_into()
            .map_err(no_git)?;
        let child = spawn(self.command(args).stdin(input))?;
        Ok(Source::of(child, args))
    }
}

/// A git that prints more than is held in memory.
pub(super) struct Source {
    pub(super) out: Option<ChildStdout>,
    child: Child,
    args: Vec<String>,
}

impl Source {
    fn of(mut child: Child, args: &[&str]) -> Self {
        Self {
            out: child.stdout.take(),
            child,
            args: args.iter().map(|arg| (*arg).to_owned()).collect(),
        }
    }

    /// Whether all of it was printed.
    pub(super) async fn end(self) -> Result<(), Trouble> {
        let args: Vec<&str> = self.args.iter().map(String::as_str).collect();
        let output = timeout(DEADLINE, self.child.wait_with_output()).await;
        let output = output.map_err(|_| too_slow(&args))?.map_err(no_git)?;
        judge(&args, output).map(drop)
    }
}

fn spawn(command: &mut Command) -> Result<Child, Trouble> {
    command.spawn().map_err(no_git)
}

async fn converse(
    mut child: Child,
    from: &mut (impl AsyncRead + Unpin),
    args: &[&str],
) -> Result<Vec<u8>, Trouble> {
    let mut stdin = child.stdin.take().expect("BUG: it was piped");
    let stdout = child.stdout.take().expect("BUG: it was piped");
    let stderr = child.stderr.take().expect("BUG: it was piped");
    let write = async {
        // Whoever stops reading says why at its end.
        let _ = tokio::io::copy(from, &mut stdin).await;
        drop(stdin);
    };
    let (mut out, mut said) = (Vec::new(), Vec::new());
    let (mut stdout, mut stderr) = (stdout.take(ANSWER_CAP), stderr.take(COMPLAINT_CAP));
    let (read, heard) = {
        let read =
            async { tokio::join!(stdout.read_to_end(&mut out), stderr.read_to_end(&mut said)) };
        tokio::pin!(read);
        tokio::select! {
            // It has ended, whatever else there was for it to read.
            done = &mut read => done,
            () = write => read.await,
        }
    };
    read.and(heard).map_err(no_git)?;
    let status = child.wait().await.map_err(no_git)?;
    judge(
        args,
        Output {
            status,
            stdout: out,
            stderr: said,
        },
    )
}

fn judge(args: &[&str], output: Output) -> Result<Vec<u8>, Trouble> {
    if output.status.success() {
        return Ok(output.stdout);
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let fatal = said.lines().find_map(|line| line.strip_prefix("fatal: "));
    let last = || said.lines().rfind(|line| !line.trim().is_empty());
    let said = fatal.or_else(last).unwrap_or("it does not say why");
    let said = mizzen_status::sanitise(said, 200);
    let why = format!("git {} failed: {}.", what(args), said.trim_end_matches('.'));
    Err(Trouble::new(
        why,
        "See what `git fsck` says in the project folder.",
    ))
}

fn too_slow(args: &[&str]) -> Trouble {
    let why = format!(
        "git {} took longer than {} s.",
        what(args),
        DEADLINE.as_secs()
    );
    Trouble::new(
        why,
        "See whether git is slow in the project folder, too: git status",
    )
}

fn no_git(error: io::Error) -> Trouble {
    match error.kind() {
        io::ErrorKind::NotFound => Trouble::new(
            "There is no git on this machine.",
            "Install it; the next start brings the history.",
        ),
        _ => Trouble::new(
            format!("git cannot be run in the project folder: {error}."),
            "Check the folder's permissions.",
        ),
    }
}

fn what<'a>(args: &[&'a str]) -> &'a str {
    args.first().copied().unwrap_or_default()
}

/// Root does nothing with its rights in a person's repository.
#[cfg(unix)]
fn other_user(place: &Place) -> Option<(u32, u32)> {
    let user = (place.user.uid, place.user.gid);
    rustix::process::geteuid().is_root().then_some(user)
}

#[cfg(not(unix))]
fn other_user(_place: &Place) -> Option<(u32, u32)> {
    None
}
