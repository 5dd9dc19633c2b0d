//! `mizzen sync` as people type it.

use std::path::PathBuf;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{Args, Subcommand};
use jiff::Timestamp;
use mizzen_sync::{CycleId, Keep};
use mizzen_sync_core::{Mode, Side};

use super::Session;
use crate::size::bytes;

/// Without a verb, two folders come in step. A folder that is called like a verb is written `./undo`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(crate) struct Sync {
    #[command(subcommand)]
    pub(crate) verb: Option<SyncVerb>,
    #[command(flatten)]
    pub(crate) run: Option<SyncRun>,
    #[command(flatten)]
    pub(crate) how: SyncHow,
}

#[derive(Debug, Args)]
pub(crate) struct SyncRun {
    /// One folder, or docker://[CONTEXT/]CONTAINER/PATH; in modes that prefer a side, the host.
    #[arg(value_name = "A")]
    pub(crate) host: PathBuf,
    /// The other one, here or in a container as well; in modes that prefer a side, the container.
    #[arg(value_name = "B")]
    pub(crate) container: PathBuf,
    /// Bring both in step and end.
    #[arg(long, required_unless_present_any = ["watch", "dry_run"])]
    pub(crate) once: bool,
    /// Keep both in step until Ctrl-C.
    #[arg(long, conflicts_with = "once")]
    pub(crate) watch: bool,
    /// Print what would be done, and do nothing.
    #[arg(long, conflicts_with = "watch")]
    pub(crate) dry_run: bool,
    /// How often everything is looked at while watching, in seconds; as A's mizzen.toml says, or 300.
    #[arg(long, value_name = "SECONDS", requires = "watch", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) interval: Option<u64>,
    /// Agree to what would otherwise stop it: a side that was emptied or exchanged, many deletions, or a full disk.
    #[arg(long)]
    pub(crate) force: bool,
}

/// How two folders are kept in step.
#[derive(Debug, Args)]
pub(crate) struct SyncHow {
    /// Which side's changes go where; as A's mizzen.toml says, or two-way-safe.
    #[arg(long, value_parser = mode())]
    pub(crate) mode: Option<Mode>,
    /// A profile in A's mizzen.toml.
    #[arg(long)]
    pub(crate) profile: Option<String>,
    /// Larger files are problems; as A's mizzen.toml says, or 4g.
    #[arg(long, value_name = "SIZE", value_parser = bytes)]
    pub(crate) max_file_size: Option<u64>,
    /// Do not wait until what was written is on the disk.
    #[arg(long)]
    pub(crate) no_fsync: bool,
}

/// Which link is asked.
#[derive(Debug, Args)]
pub(crate) struct SyncPair {
    /// A session; or one of two folders.
    #[arg(value_name = "SESSION | A")]
    pub(crate) host: PathBuf,
    /// The other folder, in the same order as when they came in step.
    #[arg(value_name = "B")]
    pub(crate) container: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) how: SyncHow,
}

#[derive(Debug, Subcommand)]
pub(crate) enum SyncVerb {
    #[command(flatten)]
    Session(SyncOf),
    #[command(flatten)]
    Ask(SyncAsk),
    /// List all folders that were ever joined, when they last were, and how much is kept of them.
    Links,
    /// Forget two folders: what they agreed on, their history and their trash. Nothing is deleted when they meet again.
    Forget(Forget),
}

/// Which link is forgotten.
#[derive(Debug, Args)]
pub(crate) struct Forget {
    /// The link, as `links` names it; or one of its folders.
    #[arg(value_name = "LINK | A")]
    pub(crate) link: PathBuf,
    /// The other folder.
    #[arg(value_name = "B")]
    pub(crate) other: Option<PathBuf>,
    /// Agree to lose what the trash still keeps.
    #[arg(long)]
    pub(crate) force: bool,
}

/// What is asked of two folders, or of a session's workspace.
#[derive(Debug, Subcommand)]
pub(crate) enum SyncAsk {
    /// Print what would be done now, and do nothing.
    Plan {
        #[command(flatten)]
        pair: SyncPair,
    },
    /// List what both sides changed, with the lines that differ.
    Conflicts {
        #[command(flatten)]
        pair: SyncPair,
    },
    /// Decide a conflict; the version that goes is in the trash.
    Resolve {
        /// The file or folder, from the synced folder on.
        path: PathBuf,
        /// Whose version both sides hold then; with `both`, the container's lies beside the host's.
        #[arg(long, value_parser = keep())]
        keep: Keep,
        #[command(flatten)]
        pair: SyncPair,
    },
    /// List past cycles, the last one first.
    History {
        #[command(flatten)]
        pair: SyncPair,
        /// Only cycles of which the trash keeps this file or folder.
        #[arg(long, value_name = "PATH")]
        of: Option<PathBuf>,
        /// Only cycles before this one.
        #[arg(long, value_name = "CYCLE")]
        before: Option<CycleId>,
        /// So many.
        #[arg(short = 'n', long, default_value_t = 20)]
        limit: usize,
    },
    /// Take a cycle back on both sides, wherever nothing has changed since.
    Undo {
        /// The cycle, as `history` names it.
        cycle: CycleId,
        #[command(flatten)]
        pair: SyncPair,
        /// Agree to deletions that would otherwise stop it.
        #[arg(long)]
        force: bool,
    },
    /// Bring back what stood at a place before a cycle displaced it.
    Restore {
        /// The file or folder, from the synced folder on.
        path: PathBuf,
        #[command(flatten)]
        pair: SyncPair,
        /// As it was before this cycle, or at this time, such as 2026-01-02T15:04:05Z; as it was last without it.
        #[arg(long, value_name = "CYCLE", value_parser = moment)]
        at: Option<CycleId>,
        /// What this side held; without it, whichever held it last.
        #[arg(long, value_parser = side())]
        side: Option<Side>,
        /// Agree to deletions that would otherwise stop it.
        #[arg(long)]
        force: bool,
    },
    /// Say how a file or folder stands, and which rule, conflict or problem keeps it back.
    Why {
        /// The file or folder, from the synced folder on.
        path: PathBuf,
        #[command(flatten)]
        pair: SyncPair,
    },
}

/// What is asked of a session's workspace.
#[derive(Debug, Subcommand)]
pub(crate) enum SyncOf {
    /// Show how a session's workspace stands.
    Status(Session),
    /// Look at everything of a session's workspace now, and carry what is to be carried, also in a pause.
    Flush {
        #[command(flatten)]
        of: Session,
        /// Agree to what has stopped it: a side that was emptied or exchanged, many deletions, or a full disk.
        #[arg(long)]
        consent: bool,
    },
    /// Carry nothing of a session's workspace until it is resumed.
    Pause(Session),
    /// Go on with a session's workspace after a pause.
    Resume(Session),
}

impl SyncAsk {
    /// What it is about, as it was named.
    pub(crate) fn pair(&self) -> &SyncPair {
        match self {
            Self::Plan { pair }
            | Self::Conflicts { pair }
            | Self::Resolve { pair, .. }
            | Self::History { pair, .. }
            | Self::Undo { pair, .. }
            | Self::Restore { pair, .. }
            | Self::Why { pair, .. } => pair,
        }
    }
}

fn mode() -> impl TypedValueParser<Value = Mode> {
    let names = Mode::ALL.map(Mode::name);
    PossibleValuesParser::new(names).try_map(|name| name.parse::<Mode>())
}

fn keep() -> impl TypedValueParser<Value = Keep> {
    let names = Keep::ALL.map(Keep::name);
    PossibleValuesParser::new(names).try_map(|name| name.parse::<Keep>())
}

/// For two folders, their letters are as good.
fn side() -> impl TypedValueParser<Value = Side> {
    let values = [("host", "A"), ("container", "B")];
    let values = values.map(|(name, letter)| PossibleValue::new(name).alias(letter));
    PossibleValuesParser::new(values).map(|name| match &*name {
        "host" | "A" => Side::Host,
        _ => Side::Container,
    })
}

/// A cycle's name, or any time.
fn moment(text: &str) -> Result<CycleId, String> {
    let time = || text.parse::<Timestamp>().ok();
    let nanos = || i64::try_from(time()?.as_nanosecond()).ok();
    let named = text.parse().ok();
    let refused = || format!("`{text}` is neither a cycle nor a time such as 2026-01-02T15:04:05Z");
    named.or_else(|| nanos().map(CycleId)).ok_or_else(refused)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_a_cycle_or_a_time() {
        let id = "20260102T030405.000000006Z".parse().unwrap();
        assert_eq!(moment("20260102T030405.000000006Z"), Ok(id));
        assert_eq!(moment("2026-01-02T03:04:05.000000006Z"), Ok(id));
        assert_eq!(moment("2026-01-02 04:04:05.000000006+01"), Ok(id));
        assert!(moment("yesterday").is_err());
    }
}
