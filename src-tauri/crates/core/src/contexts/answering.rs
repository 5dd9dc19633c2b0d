//! What a person asks, in terms of the mirror.

use std::time::Duration;

use mizzen_contexts::mirror::{Change, Mirror, MirrorError, Pass, SetUp};

use super::words;
use crate::verb::{ApiError, ErrorCode};
use crate::view::{
    ContextChangeView, ContextTrashView, ContextsAnswer, ContextsQuestion, ContextsView,
};

/// Before it is known how things stand afterwards.
pub(super) struct Told {
    what: What,
    /// The context that it was about.
    pub(super) about: Option<String>,
}

enum What {
    Status,
    History(Vec<ContextChangeView>),
    Trash(Vec<ContextTrashView>),
    Done(String),
}

impl Told {
    fn of(what: What) -> Self {
        Self { what, about: None }
    }

    pub(super) fn into_answer(self, contexts: ContextsView) -> ContextsAnswer {
        let contexts = Box::new(contexts);
        match self.what {
            What::Status => ContextsAnswer::Status(contexts),
            What::History(changes) => ContextsAnswer::History(changes),
            What::Trash(versions) => ContextsAnswer::Trash(versions),
            What::Done(message) => ContextsAnswer::Done { message, contexts },
        }
    }
}

type Answered = (Told, Option<Duration>);

pub(super) fn answer(
    mirror: &mut Mirror,
    question: ContextsQuestion,
) -> Result<Answered, MirrorError> {
    let told = |what| Ok((Told::of(what), None));
    match question {
        ContextsQuestion::Status => told(What::Status),
        ContextsQuestion::Setup => {
            let done = mirror.setup()?;
            let pass = mirror.pass()?;
            let message = format!("{} {}", set_up(done), carried(&pass.changes));
            Ok(passed(&pass, message))
        }
        ContextsQuestion::Sync => {
            if !mirror.is_set_up() {
                let path = mirror.status().sides[1].path.clone();
                return Err(MirrorError::NotSetUp(path));
            }
            let pass = mirror.pass()?;
            let message = carried(&pass.changes);
            Ok(passed(&pass, message))
        }
        ContextsQuestion::History { limit } => {
            let changes = mirror.history().take(limit as usize);
            let changes = changes.map(|(change, undoable)| words::change(change, undoable));
            told(What::History(changes.collect()))
        }
        ContextsQuestion::Undo { id } => mirror.undo(id).map(done),
        ContextsQuestion::Restore { id } => mirror.restore(&id).map(done),
        ContextsQuestion::Approve { id } => {
            let pass = mirror.approve(id.as_deref())?;
            let message = carried(&pass.changes);
            Ok(passed(&pass, message))
        }
        ContextsQuestion::Drop { id } => {
            let pass = mirror.drop_held(id.as_deref())?;
            let message = carried(&pass.changes);
            Ok(passed(&pass, message))
        }
        ContextsQuestion::Trash => {
            let versions = mirror.trash()?.into_iter().map(words::trashed);
            told(What::Trash(versions.collect()))
        }
    }
}

fn passed(pass: &Pass, message: String) -> Answered {
    (Told::of(What::Done(message)), pass.again_in)
}

fn done(change: Change) -> Answered {
    let told = Told {
        what: What::Done(change.message),
        about: Some(change.name),
    };
    (told, None)
}

fn set_up(done: SetUp) -> String {
    let parts = [
        (done.folder, "~/.docker-cai"),
        (done.config, "its config.json"),
        (done.context, "the context `containai-docker`"),
    ];
    let made: Vec<&str> = parts
        .into_iter()
        .filter(|(made, _)| *made)
        .map(|(_, part)| part)
        .collect();
    match &*made {
        [] => "It was set up already.".to_owned(),
        [one] => format!("Made {one}."),
        [first @ .., last] => format!("Made {} and {last}.", first.join(", ")),
    }
}

fn carried(changes: &[Change]) -> String {
    match changes {
        [] => "Nothing was to be carried over.".to_owned(),
        [change] => change.message.clone(),
        many => format!("{} contexts were carried over.", many.len()),
    }
}

pub(super) fn refused(error: &MirrorError) -> ApiError {
    let (code, hint) = match error {
        MirrorError::Unknown {
            what: "held change",
            ..
        } => (
            ErrorCode::NotFound,
            "see what is held by now: mizzen contexts hold",
        ),
        MirrorError::Unknown { what: "change", .. } => (
            ErrorCode::NotFound,
            "see its number: mizzen contexts history",
        ),
        MirrorError::Unknown { .. } => (
            ErrorCode::NotFound,
            "see what is there: mizzen contexts trash",
        ),
        MirrorError::Refused(_) => (
            ErrorCode::State,
            "see how things stand: mizzen contexts status; what was replaced: mizzen contexts trash",
        ),
        MirrorError::NotSetUp(_) => (ErrorCode::State, "make it: mizzen contexts setup"),
        MirrorError::Held(_) => (ErrorCode::State, "end the other one: mizzen serve --stop"),
        MirrorError::Io(_) | MirrorError::Store(_) => (
            ErrorCode::Failed,
            "check the permissions of that path and the space on its disk",
        ),
    };
    ApiError::new(code, error.to_string(), hint)
}

pub(super) fn homeless() -> ApiError {
    let hint = "set HOME";
    ApiError::new(ErrorCode::State, "the user has no home directory", hint)
}
