//! Joins both folders and keeps them in step, again and again. It blocks.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use mizzen_status::Progress;
use mizzen_sync::told::{Plan, State, Trouble};
use mizzen_sync::{
    Both, End, Folders, FoldersError, INTERVAL, Joining, LinkOptions, LocalOptions, RuleSource,
    RulesError,
};

use super::super::board::Board;
use super::settings::Settings;
use super::shared::Shared;
use super::{AGREE, pair};

/// New entries are everybody's to read, as an editor would make them.
const UMASK: u32 = 0o022;

/// The first wait before another attempt, and the longest.
const BACKOFF: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30));

/// Goes on until it is to end.
pub(super) fn keep(
    settings: &Settings,
    shared: &Arc<Shared>,
    board: &Board,
    retries: &Receiver<()>,
) {
    let mut wait = BACKOFF.0;
    while !shared.is_ending() {
        match open(settings) {
            Ok((mut folders, interval)) => {
                if shared.stand().state == State::Starting {
                    tell_ahead(&mut folders, board);
                }
                let told = shared.clone();
                let tell = move |progress| told.comes_along(progress);
                folders.link.tell_progress(tell);
                let (ordered, orders) = mpsc::channel();
                shared.is_kept(&ordered);
                let kept = folders.link.keep(interval, &ordered, &orders, |cycle| {
                    shared.hears(cycle);
                    if cycle.is_ok() {
                        wait = BACKOFF.0;
                    }
                    ControlFlow::Continue(())
                });
                match kept {
                    Ok(()) => shared.lets_go(),
                    Err(error) => shared.fails(Trouble::new(
                        &format!("changes cannot be watched: {error}"),
                        "Raise fs.inotify.max_user_watches on the host; it is tried again.",
                    )),
                }
            }
            Err(trouble) => shared.fails(trouble),
        }
        if shared.is_ending() {
            return;
        }
        // Nobody wakes us by a sender that is gone: `shared` holds one.
        let _woken = retries.recv_timeout(wait);
        wait = (wait * 2).min(BACKOFF.1);
    }
}

/// Says how much the first sync has to do. The cycle looks again, and reads nothing twice.
fn tell_ahead(folders: &mut Folders, board: &Board) {
    let Ok(outcome) = folders.link.plan(&Both::everything()) else {
        // The first cycle says why.
        return;
    };
    let plan = Plan::new(&outcome, None, 0);
    #[expect(clippy::cast_precision_loss, reason = "nobody counts to 2^52 files")]
    let progress = Progress {
        current: Some(0.0),
        total: Some(plan.more as f64),
        message: Some("carrying what differs".to_owned()),
    };
    board.set_first_sync(Some(progress));
}

fn open(settings: &Settings) -> Result<(Folders, Duration), Trouble> {
    let id = pair::identify(settings)?;
    let rules = RuleSource::new(&settings.host, None, None).map_err(|error| no_rules(&error))?;
    let said = rules.settings();
    let said = said.map_err(|error| no_rules(&RulesError::from(error)))?;
    let folders = Folders::join(Joining {
        ends: Both {
            host: End::Here(settings.host.clone()),
            container: End::Here(settings.workspace.clone()),
        },
        names: Both {
            host: settings.host.display().to_string(),
            container: settings.workspace.display().to_string(),
        },
        id,
        reversed: None,
        state: &settings.state(),
        options: LinkOptions::of(&said, true),
        local: &LocalOptions::of(&said, UMASK),
        ruler: rules.into(),
    });
    let folders = folders.map_err(|error| not_joined(&error))?;
    Ok((folders, said.interval.unwrap_or(INTERVAL)))
}

fn no_rules(error: &RulesError) -> Trouble {
    let hint = match error {
        RulesError::Root(_) => "Let the container's user read the folder; it is tried again.",
        RulesError::Settings(_) | RulesError::Files(_) => {
            "Mend the file that is named; it is tried again."
        }
    };
    Trouble::new(&error.to_string(), hint)
}

fn not_joined(error: &FoldersError) -> Trouble {
    let hint = match error {
        FoldersError::Rules(error) => return Trouble::of(error, AGREE),
        FoldersError::Root(_) => "Let the container's user use the folder; it is tried again.",
        FoldersError::Links => "Say `symlinks = \"portable\"` in mizzen.toml; it is tried again.",
        FoldersError::Nested(..) => "Mount a volume, or another folder, for the workspace.",
        FoldersError::Lock(_) => "Stop the other container that has the same volume.",
        FoldersError::State(_) | FoldersError::Trash(_) | FoldersError::Elsewhere(_) => {
            "Let the container's user write in the workspace: with an empty volume, start with --user 0, which \
             becomes the owner of the host's folder; and look at the space on the disk."
        }
    };
    Trouble::new(&error.to_string(), hint)
}
