//! `mizzen contexts` as people type it.

use clap::{Args, Subcommand};

/// Docker contexts, on the host (`~/.docker`) and where devcontainers see them (`~/.docker-cai`).
#[derive(Debug, Subcommand)]
pub(crate) enum Contexts {
    /// Make ~/.docker-cai with its own context, and begin to keep both sides in step.
    ///
    /// What is there already stays as it is.
    Setup,
    /// Show how both sides stand, context by context.
    Status,
    /// Look at both sides now, and carry over what is to be carried over.
    Sync,
    /// List what was carried over, the last change first.
    History {
        /// Only so many.
        #[arg(short = 'n', long, value_name = "CHANGES", default_value_t = 20)]
        limit: u32,
    },
    /// Take a change back on both sides.
    Undo {
        /// Its number in the history.
        id: u64,
    },
    /// List what waits for you, and decide it.
    Hold {
        #[command(subcommand)]
        decide: Option<Decide>,
    },
    /// List what was overwritten or deleted in the last 30 days, and bring it back.
    Trash {
        #[command(subcommand)]
        restore: Option<Restore>,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Decide {
    /// Carry it over.
    Approve(Held),
    /// Take it back on the side that it came from.
    Drop(Held),
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct Held {
    /// Its id in the list.
    #[arg(value_name = "ID")]
    pub(crate) id: Option<String>,
    /// All that waits.
    #[arg(long)]
    pub(crate) all: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Restore {
    /// Put a version on both sides; what is there goes to the trash.
    Restore {
        /// Its id in the list.
        id: String,
    },
}
