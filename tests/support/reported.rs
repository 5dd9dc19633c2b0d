//! Reports as a session's container writes them, from outside it.

use std::path::{Path, PathBuf};

use crate::own_core::USER;
use jiff::Timestamp;

/// Higher than any number of the supervisor's own reports, which go on meanwhile.
const FIRST: u64 = 1 << 32;

/// Who reports, as the supervisor of this session does.
#[derive(Clone)]
pub struct Container {
    /// Its session.
    pub session: String,
    file: PathBuf,
}

impl Container {
    /// The container of a session whose folder this is.
    #[must_use]
    pub fn of(project: &Path, session: &str) -> Self {
        let status = project.join(".para/state/docker").join(session);
        Self {
            session: session.to_owned(),
            file: status.join("status.json"),
        }
    }

    /// What its report of this number says.
    #[must_use]
    pub fn phase(number: u64) -> String {
        format!("report-{number}")
    }

    /// Replaces the whole file, as the container's user.
    ///
    /// # Panics
    /// There is no such session.
    pub fn report(&self, number: u64) {
        self.say(number, &Self::phase(number), "");
    }

    /// The same with another step, and what is said of it.
    ///
    /// # Panics
    /// There is no such session.
    pub fn say(&self, number: u64, phase: &str, message: &str) {
        let (now, seq) = (Timestamp::now(), FIRST + number);
        let text = format!(
            r#"{{"timestamp":"{now}","seq":{seq},"status":"running","health":"healthy","phase":"{phase}","progress":{{"message":"{message}"}}}}"#
        );
        let temporary = self.file.with_file_name(".status.json.outside.tmp");
        std::fs::File::create(&temporary)
            .and_then(|mut file| std::io::Write::write_all(&mut file, text.as_bytes()))
            .expect("a status directory");
        std::os::unix::fs::chown(&temporary, Some(USER), Some(USER)).expect("tests run as root");
        rustix::fs::rename(&temporary, &self.file).expect("a status directory");
    }
}
