//! History that did not come through when it should have: tried again while the session runs.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::error::SendError;
use tokio::time::sleep;

use super::{Place, Trouble, Way, bring, take};
use crate::actor::Told;
use crate::fact::Reason;
use crate::record::Record;
use crate::wiring::LinePort;
use crate::workspace::{Flushed, InStep};
use crate::world::World;

/// The first wait before another attempt, and the longest: a person may have to mend something first.
const BACKOFF: (Duration, Duration) = (Duration::from_secs(2), Duration::from_secs(120));

/// What is due.
pub(crate) struct Due {
    pub(crate) world: Arc<World>,
    pub(crate) record: Record,
    pub(crate) in_step: Arc<dyn InStep>,
    pub(crate) line: LinePort,
}

/// Tries until it has come through, and tells each time what came of it.
pub(crate) async fn catch_up<F>(due: &Due, tell: impl Fn(Result<Option<String>, Reason>) -> F)
where
    F: Future<Output = Result<(), SendError<Told>>>,
{
    let mut wait = BACKOFF.0;
    loop {
        sleep(wait).await;
        wait = (wait * 2).min(BACKOFF.1);
        let Some(ended) = due.attempt().await else {
            continue;
        };
        let is_over = ended.is_ok();
        let told = tell(ended.map_err(Reason::from)).await;
        if is_over || told.is_err() {
            return;
        }
    }
}

impl Due {
    /// Brings what is due there and back; none while that makes no sense yet, which others tell of.
    async fn attempt(&self) -> Option<Result<Option<String>, Trouble>> {
        // A clone is made once the files are there.
        let Flushed::Carried { .. } = self.in_step.flush(Box::new(|_| {})).await else {
            return None;
        };
        let wire = self.line.now()?;
        let place = Place::of(&self.world, &self.record);
        let way = || Way {
            place: &place,
            wire: &wire,
        };
        let both = async {
            let brought = bring(way()).await?;
            take(way()).await?;
            Ok(brought.branch)
        };
        Some(both.await)
    }
}
