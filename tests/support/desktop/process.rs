//! Child processes that end with the test.

use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus};
use std::time::{Duration, Instant};

/// How long a process may take to end by itself.
const GRACE: Duration = Duration::from_secs(2);

/// A process, with all that it starts in one group.
pub(super) struct Group {
    child: Child,
}

impl Group {
    /// # Panics
    /// When the program is not there: a missing tool is a failure, not a skipped test.
    pub(super) fn start(command: &mut Command) -> Self {
        let program = command.get_program().to_owned();
        let child = command.process_group(0).spawn();
        let child = child.unwrap_or_else(|error| panic!("{}: {error}", program.display()));
        Self { child }
    }

    pub(super) fn child(&mut self) -> &mut Child {
        &mut self.child
    }

    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(super) fn signal(&self, name: &str) {
        let group = format!("-{}", self.child.id());
        let kill = Command::new("kill")
            .args(["-s", name, "--", &group])
            .output();
        kill.expect("kill is part of every system");
    }

    pub(super) fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("a child of ours")
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.signal("TERM");
        let start = Instant::now();
        while self.ended().is_none() && start.elapsed() < GRACE {
            std::thread::sleep(super::INTERVAL);
        }
        // Also what the leader left behind.
        self.signal("KILL");
        let _ = self.child.wait();
    }
}
