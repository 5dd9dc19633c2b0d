//! Wishes: taken, joined, kept for later or refused, as the machine's table says.

use mizzen_docker::Link;
use tokio::sync::oneshot;

use super::{Actor, Waiting};
use crate::error::{ErrorKind, SessionError};
use crate::fact::{Done, OnProgress};
use crate::job::Task;
use crate::limits::Limits;
use crate::machine::{Cause, Input, Next, State, Wish, Work, next_state};
use crate::words;

/// A wish and who waits for it.
pub(crate) struct Asked {
    pub(crate) wish: Wish,
    /// What the wish changes about the session, with `up`.
    pub(crate) changes: Option<Changes>,
    pub(crate) on_progress: OnProgress,
    pub(crate) reply: oneshot::Sender<Result<Done, SessionError>>,
}

/// What `up` asks of a session; only what was said differs.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Changes {
    pub(crate) image: Option<String>,
    pub(crate) memory_bytes: Option<u64>,
    pub(crate) cpus: Option<f64>,
}

impl Actor {
    pub(super) fn on_wish(&mut self, asked: Box<Asked>) {
        if self.has_yet_to_hear() {
            self.waiting.push(Waiting {
                asked,
                needs_success: false,
            });
            return;
        }
        match next_state(self.fact.state, Input::Wish(asked.wish)) {
            Next::Begin(work) => match self.would_lose(asked.wish) {
                Some(error) => drop(asked.reply.send(Err(error))),
                None => self.begin_for(work, *asked),
            },
            Next::Interrupt(_) => {
                if let Some(job) = &self.job {
                    job.cancel.cancel();
                }
                // Taken again when the job has taken back what it made.
                self.waiting.push(Waiting {
                    asked,
                    needs_success: false,
                });
            }
            Next::StopThenStart => {
                self.begin(Task::Stop, State::Stopping, Vec::new());
                self.waiting.push(Waiting {
                    asked,
                    needs_success: true,
                });
            }
            Next::Join => match &mut self.job {
                Some(job) => job.askers.push(*asked),
                None => self.waiting.push(Waiting {
                    asked,
                    needs_success: false,
                }),
            },
            Next::Wait => self.waiting.push(Waiting {
                asked,
                needs_success: false,
            }),
            Next::Done => self.already(*asked),
            Next::Refuse(refusal) => {
                let why_lost = self
                    .fact
                    .reason
                    .as_ref()
                    .filter(|_| self.fact.state == State::Lost);
                let error = words::refused(
                    refusal,
                    asked.wish,
                    self.fact.state,
                    &self.record.name,
                    why_lost,
                );
                let _ = asked.reply.send(Err(error));
            }
            Next::Become(..) | Next::Stay => {
                unreachable!("BUG: a wish is never answered by a fact")
            }
        }
    }

    /// Whether the engine is about to say where the session stands: a wish waits for its word, unless it is offline.
    fn has_yet_to_hear(&self) -> bool {
        self.fact.state == State::Lost
            && self.cause != Some(Cause::Elsewhere)
            && !matches!(&*self.engine.link().borrow(), Link::Offline(_))
    }

    /// Why a removal needs a person's word: the volume may hold what is nowhere else.
    fn would_lose(&self, wish: Wish) -> Option<SessionError> {
        let unasked = Wish::Remove {
            force: false,
            volumes: true,
        };
        let only_there = self.record.only_there.as_ref()?;
        (wish == unasked).then(|| words::would_lose(&self.record.name, only_there))
    }

    fn begin_for(&mut self, work: Work, asked: Asked) {
        let task = match (work, asked.wish) {
            (Work::Start, _) => Task::Start {
                remake: self.apply(asked.changes.as_ref()),
            },
            (Work::Remove, Wish::Remove { volumes, .. }) => Task::Remove { volumes },
            (Work::Remove, _) => Task::Remove { volumes: false },
            (Work::Stop, _) => Task::Stop,
            (Work::Pause, _) => Task::Pause,
            (Work::Resume, _) => Task::Resume,
        };
        self.begin(task, work.state(), vec![asked]);
    }

    /// Takes changes over; answers whether the container must be made anew for them.
    fn apply(&mut self, changes: Option<&Changes>) -> bool {
        let Some(changes) = changes else { return false };
        let (limits, image) = self.changed(changes);
        let differs = limits != self.record.limits || image != self.record.requested_image;
        self.record.limits = limits;
        self.record.requested_image = image;
        self.fact.limits = limits;
        differs
    }

    fn changed(&self, changes: &Changes) -> (Limits, Option<String>) {
        let old = self.record.limits;
        let limits = Limits {
            memory_bytes: changes.memory_bytes.unwrap_or(old.memory_bytes),
            cpus: changes.cpus.unwrap_or(old.cpus),
            pids: old.pids,
        };
        (
            limits,
            changes
                .image
                .clone()
                .or_else(|| self.record.requested_image.clone()),
        )
    }

    /// Answers a wish that is fulfilled already, unless it also asks for what cannot be changed while it runs.
    fn already(&self, asked: Asked) {
        let differs = asked.changes.as_ref().is_some_and(|changes| {
            self.changed(changes) != (self.record.limits, self.record.requested_image.clone())
        });
        let answer = if differs {
            let name = &self.record.name;
            let message = format!("Session `{name}` runs with another image or other limits.");
            Err(SessionError::new(
                ErrorKind::State,
                message,
                format!("Stop it first: mizzen stop {name}"),
            ))
        } else {
            Ok(self.done(asked.wish, self.fact.state))
        };
        let _ = asked.reply.send(answer);
    }

    pub(super) fn done(&self, wish: Wish, before: State) -> Done {
        Done {
            message: words::done(wish, &self.record.name, before),
            name: self.record.name.clone(),
            session: Some(std::sync::Arc::new(self.fact.clone())),
        }
    }

    /// Takes the wishes that waited, in their order.
    pub(super) fn take_waiting(&mut self, failure: Option<&SessionError>) {
        for Waiting {
            asked,
            needs_success,
        } in std::mem::take(&mut self.waiting)
        {
            match failure.filter(|_| needs_success) {
                Some(error) => {
                    let _ = asked.reply.send(Err(error.clone()));
                }
                None => self.on_wish(asked),
            }
        }
    }
}
