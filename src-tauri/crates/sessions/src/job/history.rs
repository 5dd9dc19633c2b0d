//! Git in a synced workspace: at a start the host's history is brought, before an end what was committed is taken.

use std::time::Duration;

use mizzen_wire::Wire;
use tokio::time::timeout;

use super::Job;
use crate::error::SessionError;
use crate::fact::Reason;
use crate::git::{self, Place, Way};
use crate::machine::Phase;

/// How long a container that is to end may be waited for, so that its commits are here.
const LAST_FETCH: Duration = Duration::from_secs(60);

impl Job {
    /// Gives the workspace its repository. A session works without: a failure is shown. Known here: all files are there.
    pub(super) async fn bring_history(
        &mut self,
        wire: &Wire,
        id: &str,
    ) -> Result<(), SessionError> {
        let place = Place::of(&self.world, &self.record);
        self.phases.enter(Phase::Git).await;
        let way = Way {
            place: &place,
            wire,
        };
        let brought = tokio::select! {
            brought = git::bring(way) => brought,
            error = self.broken_off(id) => return Err(error),
        };
        self.world.step("up: history");
        match brought {
            Ok(brought) => {
                self.record.branch = brought.branch;
                self.phases.leave(&brought.said).await;
                // What a last fetch left there is taken while the session runs.
                if !self.record.history_is_due {
                    self.history_trouble = None;
                }
            }
            Err(trouble) => {
                let said = format!("{} {}", trouble.why, trouble.hint);
                self.phases.give_up(&said).await;
                self.record.history_is_due = true;
                self.history_trouble = Some(trouble.into());
            }
        }
        Ok(())
    }

    /// The workspace is not in step, and a clone is made once the files are there.
    pub(super) fn put_history_off(&mut self) {
        let has_one = Place::of(&self.world, &self.record).has_repository();
        self.record.history_is_due |= has_one && self.record.workspace.has_volume();
    }

    /// What is not fetched by now stays in the volume, which outlives the container. Answers whether all is here, and
    /// what is not, in a sentence.
    pub(super) async fn last_fetch(&mut self) -> Result<(), String> {
        let place = Place::of(&self.world, &self.record);
        let wire = self.ports.line.now().or_else(|| self.wire.clone());
        // Without a wire, what a sync says that failed is said already.
        let Some(wire) = &wire.filter(|_| self.record.workspace.has_volume()) else {
            return Ok(());
        };
        let lines = self.phases.lines(Phase::Stop);
        let way = Way {
            place: &place,
            wire,
        };
        let fetched = timeout(LAST_FETCH, git::take(way));
        let (why, hint) = match fetched.await {
            Ok(Ok(taken)) => {
                let said = taken.said();
                said.iter().for_each(|said| lines.say(said.clone()));
                return match taken.refused.is_empty() {
                    true => Ok(()),
                    false => Err(said.unwrap_or_default()),
                };
            }
            Ok(Err(trouble)) => (trouble.why, trouble.hint),
            Err(_) => {
                let hint = format!("The next start tries again: mizzen start {}", place.session);
                ("It took too long.".to_owned(), hint)
            }
        };
        tracing::warn!(session = %self.record.name, why, "no last fetch");
        lines.say(format!("What was committed was not fetched: {why}"));
        let message = format!("What was committed there was not fetched: {why}");
        self.record.history_is_due = true;
        self.history_trouble = Some(Reason {
            message: message.clone(),
            hint,
        });
        Err(message)
    }
}
