//! Which phase a job is in, told to the session's actor.

use tokio::sync::mpsc;

use crate::actor::Told;
use crate::error::SessionError;
use crate::fact::{PhaseReport, PhaseState};
use crate::machine::Phase;

/// Tells phases as they begin, speak and end.
pub(crate) struct Phases {
    tell: mpsc::Sender<Told>,
    now: Option<Phase>,
}

/// Lines of one phase, from a place that cannot wait.
#[derive(Clone)]
pub(crate) struct Lines {
    tell: mpsc::Sender<Told>,
    phase: Phase,
}

impl Phases {
    pub(super) fn new(tell: mpsc::Sender<Told>) -> Self {
        Self { tell, now: None }
    }

    pub(super) async fn enter(&mut self, phase: Phase) {
        self.now = Some(phase);
        self.report(PhaseState::Active, "").await;
    }

    pub(super) async fn leave(&mut self, message: &str) {
        self.report(PhaseState::Done, message).await;
        self.now = None;
    }

    /// The phase under way did not come about.
    pub(super) async fn fail(&mut self, message: &str) {
        self.report(PhaseState::Failed, message).await;
    }

    /// A phase that failed without stopping the session.
    pub(super) async fn give_up(&mut self, message: &str) {
        self.fail(message).await;
        self.now = None;
    }

    pub(super) fn lines(&self, phase: Phase) -> Lines {
        Lines {
            tell: self.tell.clone(),
            phase,
        }
    }

    /// Names the phase under way in an error that names none.
    pub(super) fn locate(&self, error: SessionError) -> SessionError {
        match self.now {
            Some(phase) => error.in_phase(phase),
            None => error,
        }
    }

    async fn report(&self, state: PhaseState, message: &str) {
        if let Some(phase) = self.now {
            let report = PhaseReport {
                phase,
                state,
                message: message.to_owned(),
            };
            // The actor outlives its job, except while everything shuts down.
            let _ = self.tell.send(Told::Phase(report)).await;
        }
    }
}

impl Lines {
    /// Tells a line, or drops it while the actor is behind.
    pub(super) fn say(&self, line: String) {
        let report = PhaseReport {
            phase: self.phase,
            state: PhaseState::Active,
            message: line,
        };
        let _ = self.tell.try_send(Told::Phase(report));
    }
}
