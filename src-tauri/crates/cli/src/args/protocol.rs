//! `mizzen protocol` as people type it.

use std::path::PathBuf;

use clap::Subcommand;

/// Whether others keep to the status protocol.
#[derive(Debug, Subcommand)]
pub(crate) enum Protocol {
    /// Read a directory of the protocol as Mizzen does, and say of each file what is wrong and how to mend it.
    ///
    /// Exit codes: 0 nothing is wrong, 1 something is, 5 there is no such directory.
    Check {
        /// A session's status directory, or a project's .para/state.
        dir: PathBuf,
    },
    /// Start an image as a session's container and try its agent: heartbeat, files, a command, a shutdown.
    ///
    /// The container has no network and is removed in the end. Exit codes: 0 all is well, 1 something is wrong,
    /// 4 the engine does not answer, 5 there is no such image.
    AgentTest {
        /// The image, by its tag.
        image: String,
    },
}
