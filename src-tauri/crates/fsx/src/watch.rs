#[cfg(not(target_os = "linux"))]
#[path = "watch/own.rs"]
mod source;
#[cfg(target_os = "linux")]
#[path = "watch/shared.rs"]
mod source;

use std::path::Path;

use crate::atomic::is_temporary;
use crate::path_error::{At, PathError};
use source::Source;

/// What somebody wants to hear of.
#[derive(Clone, Copy)]
enum Wanted {
    /// Whatever changes, at once.
    Changes,
    /// Files that are replaced or closed by who wrote them; where many are, some moments later.
    WholeFiles,
}

/// Says that something in some directories may have changed; stops when dropped.
pub struct Watch(Source);

/// File events are not to be had, e.g. on a network file system. Callers fall back to polling.
#[derive(Debug, thiserror::Error)]
pub enum WatchError {
    /// One directory cannot be watched.
    #[error(transparent)]
    Path(#[from] PathError),
    /// The system gives no watcher at all.
    #[error("no file events: {0}")]
    System(String),
}

impl Watch {
    /// Watches directories (not what is below them) and calls `on_hint` at once, and not again within
    /// 10 ms. Others wait while it runs.
    ///
    /// # Errors
    /// A directory does not exist, or the system has no file events left to give.
    pub fn new<P: AsRef<Path>>(
        directories: impl IntoIterator<Item = P>,
        on_hint: impl FnMut() + Send + 'static,
    ) -> Result<Self, WatchError> {
        let mut watch = Self::joining(|_| true, on_hint)?;
        for directory in directories {
            watch.join(directory)?;
        }
        Ok(watch)
    }

    /// Watches one directory, and hints when the file of this name in it was replaced, or closed by who wrote it:
    /// at once, or some 50 ms later where there is much of that in this process.
    ///
    /// # Errors
    /// The directory does not exist, or the system has no file events left to give.
    pub fn of_file(
        directory: impl AsRef<Path>,
        name: &'static str,
        on_hint: impl FnMut() + Send + 'static,
    ) -> Result<Self, WatchError> {
        let matters = move |path: &Path| path.file_name().is_some_and(|found| found == name);
        let mut watch = Self::of(Wanted::WholeFiles, matters, on_hint)?;
        watch.join(directory)?;
        Ok(watch)
    }

    /// Watches nothing yet, and will hint at changes of paths that matter only.
    ///
    /// # Errors
    /// The system has no file events left to give.
    pub fn joining(
        matters: impl Fn(&Path) -> bool + Send + 'static,
        on_hint: impl FnMut() + Send + 'static,
    ) -> Result<Self, WatchError> {
        Self::of(Wanted::Changes, matters, on_hint)
    }

    fn of(
        wanted: Wanted,
        matters: impl Fn(&Path) -> bool + Send + 'static,
        on_hint: impl FnMut() + Send + 'static,
    ) -> Result<Self, WatchError> {
        // A file that is only about to take another's place is no change.
        let matters = move |path: &Path| !is_about_to_be(path) && matters(path);
        let source = Source::new(wanted, matters, on_hint);
        source
            .map(Self)
            .map_err(|error| WatchError::System(error.to_string()))
    }

    /// Watches one more directory, not what is below it.
    ///
    /// # Errors
    /// It does not exist, or the system has no file events left to give.
    pub fn join(&mut self, directory: impl AsRef<Path>) -> Result<(), WatchError> {
        let path = directory.as_ref();
        Ok(self.0.join(path).at(path)?)
    }

    /// Watches a directory no longer; it may be gone, or never have been watched.
    pub fn leave(&mut self, directory: impl AsRef<Path>) {
        self.0.leave(directory.as_ref());
    }
}

fn is_about_to_be(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    is_temporary(&name)
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::time::Duration;

    use super::Watch;
    use crate::write_atomic;

    const SOON: Duration = Duration::from_secs(10);

    #[test]
    fn a_replaced_file_is_hinted_and_a_dropped_watch_is_silent() {
        let dir = tempfile::tempdir().unwrap();
        let (tell, told) = mpsc::channel();
        let watch = Watch::new([dir.path()], move || tell.send(()).unwrap()).unwrap();
        write_atomic(dir.path().join("status.json"), b"1").unwrap();
        told.recv_timeout(SOON).expect("a hint must come");
        drop(watch);
        // The thread drops its callback, and with it the sender.
        while told.recv_timeout(SOON).is_ok() {}
        assert_eq!(told.try_recv(), Err(mpsc::TryRecvError::Disconnected));
    }

    #[test]
    fn a_file_that_is_about_to_take_anothers_place_is_no_change() {
        for (path, change) in [
            ("d/.status.json.x1.tmp", false),
            ("d/status.json", true),
            ("d/notes.tmp", true),
            ("d", true),
        ] {
            assert_eq!(!super::is_about_to_be(path.as_ref()), change, "{path}");
        }
    }

    #[test]
    fn one_file_is_hinted_when_it_is_whole_however_it_was_written() {
        fn in_place(path: &std::path::Path) {
            use std::io::Write as _;
            let mut file = std::fs::File::create(path).unwrap();
            file.write_all(b"1").unwrap();
        }
        fn replaced(path: &std::path::Path) {
            write_atomic(path, b"1").unwrap();
        }
        for write in [in_place, replaced] {
            let dir = tempfile::tempdir().unwrap();
            let (tell, told) = mpsc::channel();
            let watch = Watch::of_file(dir.path(), "status.json", move || tell.send(()).unwrap());
            write(&dir.path().join("status.json"));
            told.recv_timeout(SOON).expect("a hint must come");
            drop(watch);
        }
    }

    #[test]
    fn only_what_matters_is_hinted() {
        let dir = tempfile::tempdir().unwrap();
        let (tell, told) = mpsc::channel();
        let matters = |path: &std::path::Path| path.ends_with("this");
        let mut watch = Watch::joining(matters, move || tell.send(()).unwrap()).unwrap();
        watch.join(dir.path()).unwrap();
        write_atomic(dir.path().join("other"), b"1").unwrap();
        write_atomic(dir.path().join("this"), b"1").unwrap();
        told.recv_timeout(SOON).expect("a hint must come");
        watch.leave(dir.path());
        watch.leave(dir.path());
        while told
            .recv_timeout(std::time::Duration::from_millis(100))
            .is_ok()
        {}
        write_atomic(dir.path().join("this"), b"2").unwrap();
        assert!(
            told.recv_timeout(std::time::Duration::from_millis(100))
                .is_err()
        );
    }

    #[test]
    fn a_missing_directory_is_named() {
        let Err(error) = Watch::new(["/no/such/dir"], || {}) else {
            panic!("must fail")
        };
        assert!(error.to_string().contains("/no/such/dir"), "{error}");
    }
}
