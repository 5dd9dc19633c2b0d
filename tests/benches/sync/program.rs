//! The programs that are compared, each with a folder and a memory of its own.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use mizzen_tests::rig::program;

use crate::syncthing;

/// Who is measured. All copy from the same folder.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Program {
    Mizzen,
    MizzenNoFsync,
    Cp,
    Rsync,
    Unison,
    GitStatus,
    Lsyncd,
    Syncthing,
    /// Mizzen, into a container.
    IntoContainer,
    IntoContainerNoFsync,
    DockerCp,
    TarThroughExec,
    /// What it wrote is on the disk in the end, as with Mizzen.
    TarThroughExecThenSync,
}

/// What a program is to do.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Run {
    Once,
    Watch,
}

impl Program {
    /// One that is to reach a goal.
    pub(crate) fn is_ours(self) -> bool {
        let plain = matches!(self, Self::Mizzen | Self::MizzenNoFsync);
        plain || matches!(self, Self::IntoContainer | Self::IntoContainerNoFsync)
    }

    pub(crate) fn name(self, run: Run) -> &'static str {
        match (self, run) {
            (Self::Mizzen | Self::IntoContainer, _) => "mizzen",
            (Self::MizzenNoFsync | Self::IntoContainerNoFsync, _) => "mizzen --no-fsync",
            (Self::Cp, _) => "cp -a",
            (Self::Rsync, _) => "rsync -a",
            (Self::Unison, Run::Once) => "unison",
            (Self::Unison, Run::Watch) => "unison -repeat watch",
            (Self::GitStatus, _) => "git status, one side",
            (Self::Lsyncd, _) => "lsyncd -delay 0",
            (Self::Syncthing, _) => "syncthing, watcher 1 s",
            (Self::DockerCp, _) => "docker cp",
            (Self::TarThroughExec, _) => "tar through docker exec",
            (Self::TarThroughExecThenSync, _) => "tar through docker exec, then sync",
        }
    }

    /// A program that it does not work without and that is not there.
    pub(crate) fn lacks(self, run: Run) -> Option<&'static str> {
        let needed: &[&str] = match (self, run) {
            (Self::Mizzen | Self::MizzenNoFsync, _) => &[],
            (Self::IntoContainer | Self::IntoContainerNoFsync, _) => &["docker"],
            (Self::DockerCp, _) => &["docker"],
            (Self::TarThroughExec | Self::TarThroughExecThenSync, _) => &["docker", "tar"],
            (Self::Syncthing, _) => &["syncthing"],
            (Self::Cp, _) => &["cp"],
            (Self::Rsync, _) => &["rsync"],
            (Self::Unison, Run::Once) => &["unison"],
            (Self::Unison, Run::Watch) => &["unison", "unison-fsmonitor"],
            (Self::GitStatus, _) => &["git"],
            (Self::Lsyncd, _) => &["lsyncd", "rsync"],
        };
        let path = std::env::var_os("PATH").unwrap_or_default();
        let is_there =
            |name: &&&str| std::env::split_paths(&path).any(|dir| dir.join(name).exists());
        needed.iter().find(|name| !is_there(name)).copied()
    }
}

/// The folders of one corpus: the one that is copied, and one for each program.
pub(crate) struct Folders {
    pub(crate) place: PathBuf,
    /// A container that has the same place under the same path.
    pub(crate) container: String,
}

impl Folders {
    /// The folder that is copied.
    pub(crate) fn source(&self) -> PathBuf {
        self.place.join("source")
    }

    /// A program's copy.
    pub(crate) fn copy(&self, of: Program) -> PathBuf {
        self.place.join(format!("copy-{}", of as usize))
    }

    /// What a program remembers.
    fn memory(&self, of: Program) -> PathBuf {
        self.place.join(format!("memory-{}", of as usize))
    }

    /// Puts a program's copy and what it remembers out of its way. Nothing is removed before the end: ext4 gives the
    /// inode of a file that was just deleted to no other, and searches so long for each new one that nothing else counts.
    pub(crate) fn forget(&self, of: Program) {
        for folder in [self.copy(of), self.memory(of)] {
            let aside = (0..).map(|number| folder.with_extension(format!("{number}")));
            let aside = aside.into_iter().find(|aside| !aside.exists()).unwrap();
            match fs::rename(&folder, aside) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    panic!("{folder:?}: {error}")
                }
                _ => {}
            }
        }
    }

    /// The programs that have to run together.
    pub(crate) fn commands(&self, of: Program, run: Run) -> Vec<Command> {
        match of {
            Program::Syncthing => {
                let memory = self.memory(of);
                let homes = ["one", "two"].map(|home| memory.join(home));
                fs::create_dir_all(self.copy(of)).unwrap();
                syncthing::join([&self.source(), &self.copy(of)], &homes)
            }
            _ => vec![self.command(of, run)],
        }
    }

    pub(crate) fn command(&self, of: Program, run: Run) -> Command {
        let (source, copy, memory) = (self.source(), self.copy(of), self.memory(of));
        fs::create_dir_all(&memory).unwrap();
        if of != Program::Cp {
            fs::create_dir_all(&copy).unwrap();
        }
        let mut command;
        match of {
            Program::Mizzen
            | Program::MizzenNoFsync
            | Program::IntoContainer
            | Program::IntoContainerNoFsync => {
                command = Command::new(program("mizzen"));
                command.arg("sync").arg(source);
                match of {
                    Program::Mizzen | Program::MizzenNoFsync => command.arg(copy),
                    _ => command.arg(format!("docker://{}{}", self.container, copy.display())),
                };
                command.args(["--json", "--force"]);
                command.arg(if run == Run::Once {
                    "--once"
                } else {
                    "--watch"
                });
                if matches!(of, Program::MizzenNoFsync | Program::IntoContainerNoFsync) {
                    command.arg("--no-fsync");
                }
                command.env("MIZZEN_HOME", memory);
            }
            Program::Cp => {
                command = Command::new("cp");
                command.arg("-a").arg(source).arg(copy);
            }
            Program::Rsync => {
                command = Command::new("rsync");
                command
                    .args(["-a", "--delete"])
                    .arg(source.join(""))
                    .arg(copy);
            }
            Program::Unison => {
                command = Command::new("unison");
                command.arg(source).arg(copy);
                command.args(["-batch", "-silent", "-times", "-confirmbigdel=false"]);
                if run == Run::Watch {
                    command.args(["-repeat", "watch"]);
                }
                command.env("UNISON", memory);
            }
            Program::GitStatus => command = git(&source, &memory, &["status", "--porcelain"]),
            Program::Lsyncd => {
                command = Command::new("lsyncd");
                command.args(["-nodaemon", "-delay", "0", "-pidfile"]);
                command.arg(memory.join("pid")).arg("-rsync");
                command.arg(source).arg(copy);
            }
            Program::DockerCp => {
                command = Command::new("docker");
                command.arg("cp").arg(source.join("."));
                command.arg(format!("{}:{}", self.container, copy.display()));
            }
            Program::TarThroughExec | Program::TarThroughExecThenSync => {
                command = Command::new("sh");
                let tar = r#"tar -C "$1" -c . | docker exec -i "$2" tar -C "$3" -x"#;
                let script = match of {
                    Program::TarThroughExec => tar,
                    _ => &format!(r#"{tar} && sync --file-system "$3""#),
                };
                command.args(["-c", script, "sh"]).arg(source);
                command.arg(&self.container).arg(copy);
            }
            Program::Syncthing => panic!("two programs, and they do not end"),
        }
        command.stdin(Stdio::null()).stderr(Stdio::null());
        command
    }

    /// Lets git know the folder that is copied, whose own the repository's files are not.
    pub(crate) fn prepare_git(&self) {
        let (source, memory) = (self.source(), self.memory(Program::GitStatus));
        fs::create_dir_all(&memory).unwrap();
        for args in [&["init", "--quiet"][..], &["add", "--all"]] {
            assert!(git(&source, &memory, args).status().unwrap().success());
        }
    }
}

fn git(tree: &Path, dir: &Path, args: &[&str]) -> Command {
    let mut command = Command::new("git");
    command
        .args(args)
        .env("GIT_WORK_TREE", tree)
        .env("GIT_DIR", dir);
    command
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .stdout(Stdio::null());
    command
}

/// A process and those that it started.
pub(crate) fn processes(child: &Child) -> Vec<u32> {
    let mut all = vec![child.id()];
    let mut next = 0;
    while let Some(id) = all.get(next) {
        let children = fs::read_to_string(format!("/proc/{id}/task/{id}/children"));
        let children = children.unwrap_or_default();
        all.extend(children.split_whitespace().flat_map(str::parse::<u32>));
        next += 1;
    }
    all
}

/// The most memory that any of the processes had so far, in MiB; none when it has ended.
pub(crate) fn peak(child: &Child) -> Option<f64> {
    let of_one = |id| {
        let status = fs::read_to_string(format!("/proc/{id}/status")).ok()?;
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("VmHWM:"))?;
        line.split_whitespace().next()?.parse::<f64>().ok()
    };
    let all = processes(child).into_iter().filter_map(of_one);
    all.reduce(f64::max).map(|kib| kib / 1024.0)
}
