//! Reports as a session's container writes them, from outside it.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use mizzen_tests::own_core::USER;

/// Higher than any number of the supervisor's own reports, which go on meanwhile.
const FIRST: u64 = 1 << 32;

#[derive(Clone)]
pub(crate) struct Container {
    pub(crate) session: String,
    file: PathBuf,
}

impl Container {
    pub(crate) fn of(project: &Path, session: &str) -> Self {
        let status = project.join(".para/state/docker").join(session);
        Self {
            session: session.to_owned(),
            file: status.join("status.json"),
        }
    }

    pub(crate) fn phase(number: u64) -> String {
        format!("bench-{number}")
    }

    /// Replaces the whole file, as the container's user.
    pub(crate) fn report(&self, number: u64) {
        let (now, seq, phase) = (Timestamp::now(), FIRST + number, Self::phase(number));
        let text = format!(
            r#"{{"timestamp":"{now}","seq":{seq},"status":"running","health":"healthy","phase":"{phase}"}}"#
        );
        let temporary = self.file.with_file_name(".bench.tmp");
        std::fs::File::create(&temporary)
            .and_then(|mut file| std::io::Write::write_all(&mut file, text.as_bytes()))
            .unwrap();
        std::os::unix::fs::chown(&temporary, Some(USER), Some(USER)).unwrap();
        rustix::fs::rename(&temporary, &self.file).unwrap();
    }
}
