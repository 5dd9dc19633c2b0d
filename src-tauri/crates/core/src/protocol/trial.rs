//! What an agent is asked to show, one thing after the other.

mod findings;
mod seen;

use std::time::Duration;

use jiff::Timestamp;
use mizzen_fsx::PathError;
use mizzen_status::{AckState, Command, CommandId, Exec, Order, Signal, Verdict, write_commands};
use tokio::time::{Instant, sleep};

use super::Found;
use super::ground::Ground;
use crate::verb::{ApiError, ErrorCode};
use findings::Findings;
use seen::Seen;

/// Between two looks.
const PAUSE: Duration = Duration::from_millis(50);
/// What a reader grants a sign of life.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// What a command of a moment may take, and a shutdown.
const LONG: Duration = Duration::from_secs(30);
/// Where the command leaves a line each time that it is run.
const TRACE: &str = "agent-test-ran";

/// Tries it all; what comes after something that is needed for it is left out.
pub(super) async fn run(ground: &Ground) -> Result<Vec<Found>, ApiError> {
    let mut trial = Trial {
        ground,
        seen: Seen::default(),
        found: Findings::default(),
    };
    if trial.heartbeat().await? {
        trial.files()?;
        trial.whole();
        if trial.command().await? {
            trial.acknowledged().await?;
            trial.once().await?;
        }
        trial.found.untried_up_to("shutdown");
        trial.shutdown().await?;
    }
    Ok(trial.found.whole())
}

struct Trial<'a> {
    ground: &'a Ground,
    seen: Seen,
    found: Findings,
}

impl Trial<'_> {
    async fn heartbeat(&mut self) -> Result<bool, ApiError> {
        let begun = Instant::now();
        let first = self.until(HEARTBEAT, |seen| seen.beats > 0).await?;
        let took = begun.elapsed().as_secs_f64();
        if !first {
            return self.no_report().await;
        }
        let again = self.until(HEARTBEAT, |seen| seen.beats > 1).await?;
        let why = match again {
            true => format!("the first report came after {took:.1} s, and others follow"),
            false => "no other report followed within 15 s".to_owned(),
        };
        Ok(self.found.tell(again, why))
    }

    /// Tells why nothing is known of the agent.
    async fn no_report(&mut self) -> Result<bool, ApiError> {
        let words = match self.ground.last_words().await {
            words if words.is_empty() => words,
            words => format!(": {words}"),
        };
        if let Some(fact) = self.ground.fact().await?.filter(|fact| !fact.is_up()) {
            let code = fact.exit_code.unwrap_or_default();
            let why = format!("the container ended with exit code {code}{words}");
            return Ok(self.found.tell(false, why));
        }
        let Some(unused) = self.seen.unused.take() else {
            let why = format!("no status.json came into /para/status within 15 s{words}");
            return Ok(self.found.tell(false, why));
        };
        let why = format!("no report that can be used came within 15 s; status.json: {unused}");
        let next = "write one JSON object as docs/protocol/schema/status.json says";
        Ok(self.found.tell_with(false, why, next))
    }

    fn files(&mut self) -> Result<(), ApiError> {
        let checked = mizzen_status::check(&self.ground.status, Timestamp::now());
        let checked = checked.map_err(|error| lost(&error))?;
        let said = |verdict| -> Vec<String> {
            let those = checked.iter().filter(|it| it.verdict == verdict);
            those
                .map(|it| format!("{}: {}", it.file, it.message))
                .collect()
        };
        let (wrong, noted) = (said(Verdict::Wrong), said(Verdict::Note));
        if !wrong.is_empty() {
            self.found.tell(false, wrong.join("; "));
        } else if !noted.is_empty() {
            self.found.note(noted.join("; "));
        } else {
            let why = "all are read as they are meant".to_owned();
            self.found.tell(true, why);
        }
        Ok(())
    }

    fn whole(&mut self) {
        let (torn, replaced) = (self.seen.torn, self.seen.is_replaced());
        let why = match (torn, replaced) {
            (0, true) => "each report replaces the last one whole".to_owned(),
            (0, false) => {
                "reports are written into the same file: a reader may see half of one".to_owned()
            }
            _ => format!("{torn} reads found half a report"),
        };
        self.found.tell(torn == 0 && replaced, why);
    }

    async fn command(&mut self) -> Result<bool, ApiError> {
        self.ask(&[], &[])?;
        let (once, begun) = (id("run-once"), Instant::now());
        let ran = loop {
            self.look();
            if self.runs()? > 0 {
                break true;
            }
            if begun.elapsed() > LONG || self.seen.end(&once).is_some() {
                // RACE: it may have been run between the two looks.
                break self.runs()? > 0;
            }
            sleep(PAUSE).await;
        };
        let why = match (ran, self.seen.end(&once)) {
            (true, _) => format!("it was run after {:.1} s", begun.elapsed().as_secs_f64()),
            (false, Some(ack)) => {
                let why = ack.error.as_deref().unwrap_or("it does not say why");
                format!("it was not run, and is told as `{}`: {why}", ack.state)
            }
            (false, None) => "it was not run within 30 s".to_owned(),
        };
        Ok(self.found.tell(ran, why))
    }

    async fn acknowledged(&mut self) -> Result<(), ApiError> {
        let once = id("run-once");
        self.until(LONG, |seen| seen.end(&once).is_some()).await?;
        let state = self.seen.ack(&once).map(|ack| ack.state.clone());
        let why = match &state {
            Some(state) => format!("it is told as `{state}`"),
            None => "status.json does not tell how it ended".to_owned(),
        };
        self.found.tell(state == Some(AckState::Succeeded), why);
        Ok(())
    }

    /// The same queue again, a container that crashes, and a queue without what it knows.
    async fn once(&mut self) -> Result<(), ApiError> {
        self.ask(&[], &[])?;
        self.beats(2).await?;
        let before = self.runs()?;
        self.ground.crash().await?;
        let lives = self.beats(3).await?;
        let after = self.runs()?;
        let why = match (before, after, lives) {
            (1, 1, true) => {
                "it was run once, also by a container that crashed and started again".to_owned()
            }
            (1, 1, false) => "no report followed a crash and a new start".to_owned(),
            (1, n, _) => format!("after a crash it was run again: {n} times"),
            (n, ..) => format!("it was run {n} times"),
        };
        match (before, after) {
            (1, 1) => {
                let next = "begin anew on whatever files an earlier life has left there";
                self.found.tell_with(lives, why, next)
            }
            _ => self.found.tell(false, why),
        };
        Ok(())
    }

    async fn shutdown(&mut self) -> Result<(), ApiError> {
        let order = Order::Signal(Signal::Shutdown {
            deadline_s: Some(30),
        });
        self.ask(&[Command::new(id("end"), order)], &[id("run-once")])?;
        let begun = Instant::now();
        let is_last = |seen: &Seen| seen.last.as_ref().is_some_and(|status| status.last);
        let told = self.until(LONG, is_last).await?;
        let mut is_up = true;
        while is_up && begun.elapsed() < LONG {
            is_up = self.ground.is_up().await?;
            sleep(PAUSE).await;
        }
        let took = begun.elapsed().as_secs_f64();
        let why = match (told, is_up) {
            (true, false) => {
                format!("the last report came and the container ended within {took:.1} s")
            }
            (true, true) => "the last report came, and the container runs on".to_owned(),
            (false, false) => "the container ended without a last report".to_owned(),
            (false, true) => "it was not heeded within 30 s".to_owned(),
        };
        self.found.tell(told && !is_up, why);
        Ok(())
    }

    /// Writes the queue anew: the command that is to be run once, and these.
    fn ask(&self, more: &[Command], processed: &[CommandId]) -> Result<(), ApiError> {
        let exec = Exec {
            command: "sh -c".to_owned(),
            args: vec![format!("echo ran >> /workspace/{TRACE}")],
            ..Exec::default()
        };
        let mut once = Command::new(id("run-once"), Order::Exec(exec));
        once.timestamp = Some(Timestamp::now().to_string());
        let commands: Vec<Command> = std::iter::once(once).chain(more.iter().cloned()).collect();
        let user = self.ground.user;
        let owner = cfg!(unix).then_some((user.uid(), user.gid()));
        write_commands(&self.ground.status, &commands, processed, owner)
            .map_err(|error| lost(&error))
    }

    /// How often the command has left its line.
    fn runs(&self) -> Result<usize, ApiError> {
        let trace = self.ground.workspace()?.read_regular(TRACE, 4096, None);
        Ok(trace.map_or(0, |bytes| bytes.split(|byte| *byte == b'\n').count() - 1))
    }

    /// Waits for so many reports more.
    async fn beats(&mut self, more: usize) -> Result<bool, ApiError> {
        let wanted = self.seen.beats + more;
        self.until(LONG, |seen| seen.beats >= wanted).await
    }

    async fn until(
        &mut self,
        limit: Duration,
        wanted: impl Fn(&Seen) -> bool,
    ) -> Result<bool, ApiError> {
        let deadline = Instant::now() + limit;
        loop {
            self.look();
            if wanted(&self.seen) {
                return Ok(true);
            }
            let is_over = Instant::now() > deadline;
            // One that has ended says nothing more; it may have said something just before that.
            if is_over || (!self.ground.is_up().await? && self.is_silent()) {
                return Ok(wanted(&self.seen));
            }
            sleep(PAUSE).await;
        }
    }

    /// Whether another look finds nothing new.
    fn is_silent(&mut self) -> bool {
        let before = self.seen.beats;
        self.look();
        self.seen.beats == before
    }

    fn look(&mut self) {
        self.seen.look(&self.ground.dir, &self.ground.status);
    }
}

fn id(text: &str) -> CommandId {
    CommandId::new(text).expect("BUG: our own ids are good")
}

fn lost(error: &PathError) -> ApiError {
    let message = mizzen_status::sanitise(&error.to_string(), 500);
    ApiError::new(
        ErrorCode::Failed,
        message,
        "Leave the directory of the test alone, and run it again.",
    )
}
