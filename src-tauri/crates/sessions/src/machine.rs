//! The state machine of a session: one pure table from states and inputs to what comes next.
//!
//! Inputs are a person's wishes and what the engine says. States at rest (`running`, `paused`, `stopped`, `failed`,
//! `lost`) follow the engine; states of work under way are left by that work alone, which asks the engine at its end.

/// Where a session stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum State {
    /// Its container is being made.
    Creating,
    /// Its container starts.
    Starting,
    /// Ready for work.
    Running,
    /// Is being frozen.
    Pausing,
    /// Frozen by the engine.
    Paused,
    /// Is being thawed.
    Resuming,
    /// Is being shut down.
    Stopping,
    /// Container kept, or made again at the next start; nothing runs.
    Stopped,
    /// Is being removed.
    Removing,
    /// Needs a person; nothing runs.
    Failed,
    /// Its engine has not answered yet, or no longer does, or another one answers in its place.
    Lost,
}

/// One step of a verb, as it is reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// Name, folder, limit and engine are checked.
    Check,
    /// The image is found or built.
    Image,
    /// Network, volumes and container are made.
    Container,
    /// The supervisor answers over the wire.
    Supervisor,
    /// The workspace is there and writable.
    Workspace,
    /// A synced workspace is brought in step for the first time.
    Sync,
    /// A synced workspace gets the history of the project's repository.
    Git,
    /// code-server answers.
    CodeServer,
    /// Graceful shutdown.
    Stop,
    /// Container, network, volumes and files are taken away.
    Remove,
}

/// What a person wants of a session that exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// Have it running, whatever it takes.
    Start,
    /// Shut it down; the container stays.
    Stop,
    /// Freeze it.
    Pause,
    /// Thaw it.
    Resume,
    /// Stop and start.
    Restart,
    /// Take it away.
    Remove {
        /// Also when it runs.
        force: bool,
        /// Also what its home keeps.
        volumes: bool,
    },
}

/// Work that the actor carries out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// Start the container, made anew when it is missing, until the session is ready.
    Start,
    /// Shut the container down.
    Stop,
    /// Freeze it.
    Pause,
    /// Thaw it.
    Resume,
    /// Take everything away.
    Remove,
}

/// What the engine says about a session's container.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    /// It runs.
    Running,
    /// It is frozen.
    Paused,
    /// It was made and never ran.
    Made,
    /// It ended.
    Ended(Ending),
    /// There is none.
    Gone,
    /// Another engine answers by now under the name of the session's.
    Elsewhere,
    /// The engine does not answer.
    Unreachable,
}

/// How a container ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// By itself or when asked to.
    Clean,
    /// Killed by the kernel for lack of memory.
    OutOfMemory,
    /// With an exit code that means failure.
    Code(i64),
}

/// What the person last asked for; it tells an end that was wished from one that was not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wanted {
    /// The session should run, or be frozen.
    Up,
    /// The session should rest.
    Down,
}

/// One input of the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input {
    /// A person wants something.
    Wish(Wish),
    /// The engine says something, about a session of which this was wanted.
    Seen(Seen, Wanted),
}

/// What follows from an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Begin this work.
    Begin(Work),
    /// Drop the work under way and begin this one.
    Interrupt(Work),
    /// Begin to stop; when that is over, take the wish for a start.
    StopThenStart,
    /// The same is under way: share its outcome.
    Join,
    /// Take the wish again when the work under way is over.
    Wait,
    /// It is already so.
    Done,
    /// The state forbids it.
    Refuse(Refusal),
    /// Stand here from now on, for this cause.
    Become(State, Option<Cause>),
    /// Nothing changes.
    Stay,
}

/// Why a state forbids a wish.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Creation is under way: there is nothing to stop yet.
    BeingCreated,
    /// It runs or is about to: removal would lose work.
    InUse,
    /// Nothing runs that could be frozen or thawed.
    NotRunning,
    /// It is being removed.
    BeingRemoved,
    /// The engine does not answer.
    EngineUnreachable,
}

/// Why a session stands where nobody asked it to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// Something else stopped it in good order.
    StoppedOutside,
    /// It was killed for lack of memory.
    OutOfMemory,
    /// It ended with this exit code.
    Died(i64),
    /// Its container was removed by something else.
    Gone,
    /// Another engine answers under the name of its own.
    Elsewhere,
    /// Its engine does not answer.
    Unreachable,
}

impl Work {
    /// State of a session while this work is under way.
    #[must_use]
    pub fn state(self) -> State {
        match self {
            Self::Start => State::Starting,
            Self::Stop => State::Stopping,
            Self::Pause => State::Pausing,
            Self::Resume => State::Resuming,
            Self::Remove => State::Removing,
        }
    }
}

impl State {
    /// Whether a session in this state holds memory, and so counts as running.
    #[must_use]
    pub fn is_up(self) -> bool {
        match self {
            Self::Creating
            | Self::Starting
            | Self::Running
            | Self::Pausing
            | Self::Paused
            | Self::Resuming
            | Self::Stopping => true,
            Self::Stopped | Self::Removing | Self::Failed | Self::Lost => false,
        }
    }

    /// Whether work is under way.
    #[must_use]
    pub fn is_busy(self) -> bool {
        match self {
            Self::Creating
            | Self::Starting
            | Self::Pausing
            | Self::Resuming
            | Self::Stopping
            | Self::Removing => true,
            Self::Running | Self::Paused | Self::Stopped | Self::Failed | Self::Lost => false,
        }
    }
}

/// The table.
#[must_use]
pub fn next_state(state: State, input: Input) -> Next {
    match input {
        Input::Wish(wish) => on_wish(state, wish),
        Input::Seen(seen, wanted) => on_seen(state, seen, wanted),
    }
}

fn on_wish(state: State, wish: Wish) -> Next {
    match wish {
        Wish::Start => on_start(state),
        Wish::Stop => on_stop(state),
        Wish::Pause => on_pause(state),
        Wish::Resume => on_resume(state),
        Wish::Restart => on_restart(state),
        Wish::Remove { force, .. } => on_remove(state, force),
    }
}

fn on_start(state: State) -> Next {
    match state {
        State::Creating | State::Starting | State::Resuming => Next::Join,
        State::Running => Next::Done,
        State::Paused => Next::Begin(Work::Resume),
        // One that is gone then is made anew by `up`.
        State::Pausing | State::Stopping | State::Removing => Next::Wait,
        State::Stopped | State::Failed => Next::Begin(Work::Start),
        State::Lost => Next::Refuse(Refusal::EngineUnreachable),
    }
}

fn on_stop(state: State) -> Next {
    match state {
        State::Creating => Next::Refuse(Refusal::BeingCreated),
        State::Starting => Next::Interrupt(Work::Stop),
        State::Running | State::Paused => Next::Begin(Work::Stop),
        State::Pausing | State::Resuming => Next::Wait,
        State::Stopping => Next::Join,
        State::Stopped | State::Failed => Next::Done,
        State::Removing => Next::Refuse(Refusal::BeingRemoved),
        State::Lost => Next::Refuse(Refusal::EngineUnreachable),
    }
}

fn on_pause(state: State) -> Next {
    match state {
        State::Creating | State::Starting | State::Resuming => Next::Wait,
        State::Running => Next::Begin(Work::Pause),
        State::Pausing => Next::Join,
        State::Paused => Next::Done,
        State::Stopping | State::Stopped | State::Failed => Next::Refuse(Refusal::NotRunning),
        State::Removing => Next::Refuse(Refusal::BeingRemoved),
        State::Lost => Next::Refuse(Refusal::EngineUnreachable),
    }
}

fn on_resume(state: State) -> Next {
    match state {
        State::Creating | State::Starting | State::Pausing => Next::Wait,
        State::Running => Next::Done,
        State::Paused => Next::Begin(Work::Resume),
        State::Resuming => Next::Join,
        State::Stopping | State::Stopped | State::Failed => Next::Refuse(Refusal::NotRunning),
        State::Removing => Next::Refuse(Refusal::BeingRemoved),
        State::Lost => Next::Refuse(Refusal::EngineUnreachable),
    }
}

fn on_restart(state: State) -> Next {
    match state {
        State::Creating | State::Starting | State::Pausing | State::Resuming | State::Stopping => {
            Next::Wait
        }
        State::Running | State::Paused => Next::StopThenStart,
        State::Stopped | State::Failed => Next::Begin(Work::Start),
        State::Removing => Next::Refuse(Refusal::BeingRemoved),
        State::Lost => Next::Refuse(Refusal::EngineUnreachable),
    }
}

fn on_remove(state: State, force: bool) -> Next {
    match state {
        State::Stopping => Next::Wait,
        State::Stopped | State::Failed => Next::Begin(Work::Remove),
        State::Removing => Next::Join,
        State::Lost => Next::Refuse(Refusal::EngineUnreachable),
        State::Creating
        | State::Starting
        | State::Running
        | State::Pausing
        | State::Paused
        | State::Resuming
            if !force =>
        {
            Next::Refuse(Refusal::InUse)
        }
        State::Creating | State::Starting => Next::Interrupt(Work::Remove),
        State::Running | State::Paused => Next::Begin(Work::Remove),
        State::Pausing | State::Resuming => Next::Wait,
    }
}

fn on_seen(state: State, seen: Seen, wanted: Wanted) -> Next {
    if state.is_busy() {
        return Next::Stay;
    }
    // A session that was lost is judged by what was wanted of it, any other by where it stands.
    let was_up = match state {
        State::Lost => wanted == Wanted::Up,
        _ => state.is_up(),
    };
    let (to, cause) = match seen {
        Seen::Running => (State::Running, None),
        Seen::Paused => (State::Paused, None),
        Seen::Made => (State::Stopped, None),
        Seen::Ended(ending) if was_up => ended(ending),
        Seen::Gone if was_up => (State::Failed, Some(Cause::Gone)),
        Seen::Gone => (State::Stopped, Some(Cause::Gone)),
        Seen::Ended(_) => (State::Stopped, None),
        Seen::Elsewhere => (State::Lost, Some(Cause::Elsewhere)),
        Seen::Unreachable => (State::Lost, Some(Cause::Unreachable)),
    };
    // Known here: nothing was up. A failure that a person has not seen to yet keeps its reason.
    let keeps_failure = state == State::Failed && to == State::Stopped;
    if to == state && cause.is_none() || keeps_failure {
        Next::Stay
    } else {
        Next::Become(to, cause)
    }
}

/// Where a session stands after work, by what the engine says then. A failure without a cause has the work's own.
#[must_use]
pub fn after_work(work: Work, done: bool, seen: Seen) -> (State, Option<Cause>) {
    match (seen, work) {
        (Seen::Running, _) => (State::Running, None),
        (Seen::Paused, _) => (State::Paused, None),
        (Seen::Elsewhere, _) => (State::Lost, Some(Cause::Elsewhere)),
        (Seen::Unreachable, _) => (State::Lost, Some(Cause::Unreachable)),
        (_, Work::Start | Work::Remove) if !done => (State::Failed, None),
        // Known here: what was half-made is taken back, and the session stays.
        (Seen::Gone | Seen::Ended(_), Work::Remove) => (State::Stopped, None),
        (Seen::Gone, Work::Stop) => (State::Stopped, Some(Cause::Gone)),
        (Seen::Gone, _) => (State::Failed, Some(Cause::Gone)),
        (_, Work::Stop) | (Seen::Made, _) => (State::Stopped, None),
        // Known here: it should be up after this work, and has ended meanwhile.
        (Seen::Ended(ending), _) => ended(ending),
    }
}

fn ended(ending: Ending) -> (State, Option<Cause>) {
    match ending {
        Ending::Clean => (State::Stopped, Some(Cause::StoppedOutside)),
        Ending::OutOfMemory => (State::Failed, Some(Cause::OutOfMemory)),
        Ending::Code(code) => (State::Failed, Some(Cause::Died(code))),
    }
}

#[cfg(test)]
mod tests;
