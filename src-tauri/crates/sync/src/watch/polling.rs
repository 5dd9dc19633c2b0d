//! Why changes are not all told, and what helps.

use std::fmt;

/// Why everything is looked at from time to time. Displayed with what helps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Polling {
    /// No more directories can be watched than so many.
    Watches {
        /// So many are.
        watched: usize,
    },
    /// The user has no watchers left.
    Watchers,
    /// The root lies where others can change it without a word: on a disk of this kind.
    FileSystem(&'static str),
    /// Something else, as the system says it.
    Failed(String),
}

impl fmt::Display for Polling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Watches { watched } => write!(
                f,
                "no more than {watched} directories can be watched; `sudo sysctl fs.inotify.max_user_watches=524288` \
                 allows more, and so does it to ignore folders in mizzen.toml"
            ),
            Self::Watchers => f.write_str(
                "too many programs watch files; `sudo sysctl fs.inotify.max_user_instances=1024` allows more",
            ),
            Self::FileSystem(kind) => write!(
                f,
                "the folder is on a {kind} disk, where not every change is told; a folder on a local disk is faster"
            ),
            Self::Failed(why) => write!(f, "changes cannot be watched: {why}"),
        }
    }
}
