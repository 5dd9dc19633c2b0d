//! How a command ended: an exit code for scripts, a sentence for people; pure.

use mizzen_core::view::{CommandState, CommandView};

/// As `timeout` counts.
const TOOK_TOO_LONG: u8 = 124;
/// What shells add to a signal's number.
const SIGNALLED: i32 = 128;

/// The exit code that a command's end asks for, and why where the code alone does not tell.
pub(super) fn exit_code(ended: &CommandView) -> (u8, Option<String>) {
    let byte = |code: i32| u8::try_from(code).unwrap_or(1);
    let because = |text: &str| {
        let reason = ended.error.as_ref().map(|error| format!(": {error}"));
        Some(format!("{text}{}.", reason.unwrap_or_default()))
    };
    match ended.state {
        CommandState::Succeeded => (0, None),
        CommandState::TimedOut => (
            TOOK_TOO_LONG,
            because("the command took too long and was ended"),
        ),
        CommandState::Failed => (ended.exit_code.map_or(1, byte), None),
        CommandState::Killed => match ended.signal {
            Some(signal) => (byte(SIGNALLED + signal), None),
            // It may have ended by itself when it was asked to.
            None if ended.started_at.is_some() => (
                ended.exit_code.filter(|code| *code != 0).map_or(1, byte),
                None,
            ),
            None => (1, because("the command was cancelled before it was begun")),
        },
        CommandState::Rejected => (1, because("the command was not carried out")),
        CommandState::Expired => (1, because("the command was not begun in time")),
        CommandState::Interrupted => (
            1,
            because(
                "the container ended while the command ran; how far it came is not known, and it is not run again",
            ),
        ),
        CommandState::Waiting | CommandState::Running => (1, because("the command has not ended")),
    }
}

/// How a command stands, in a few words.
pub(in crate::command) fn end_in_words(command: &CommandView) -> String {
    let word = match command.state {
        CommandState::Waiting => "waiting",
        CommandState::Running => "running",
        CommandState::Succeeded => "succeeded",
        CommandState::Failed => "failed",
        CommandState::TimedOut => "timed out",
        CommandState::Killed => "killed",
        CommandState::Rejected => "rejected",
        CommandState::Expired => "expired",
        CommandState::Interrupted => "interrupted",
    };
    let end = match (command.exit_code, command.signal) {
        (Some(code), _) if command.state != CommandState::Succeeded => {
            format!("{word} with exit code {code}")
        }
        (None, Some(signal)) => format!("{word} by signal {signal}"),
        _ => word.to_owned(),
    };
    match left_running(command) {
        Some(left) => format!("{end}, {left}"),
        None => end,
    }
}

/// `left 2 processes running`; none when it has left nothing.
pub(super) fn left_running(command: &CommandView) -> Option<String> {
    match command.left_running {
        0 => None,
        1 => Some("left 1 process running".to_owned()),
        many => Some(format!("left {many} processes running")),
    }
}

#[cfg(test)]
mod tests {
    use super::{CommandState, CommandView, end_in_words, exit_code};

    fn ended(state: CommandState) -> CommandView {
        CommandView {
            id: "a".to_owned(),
            command: "true".to_owned(),
            state,
            exit_code: None,
            signal: None,
            asked_at: None,
            started_at: Some("2026-01-01T00:00:00Z".to_owned()),
            finished_at: None,
            truncated: false,
            left_running: 0,
            error: None,
        }
    }

    #[test]
    fn row_38_what_a_command_has_left_is_told() {
        let with = |left_running| CommandView {
            left_running,
            ..ended(CommandState::Succeeded)
        };
        for (left, told) in [
            (0, "succeeded"),
            (1, "succeeded, left 1 process running"),
            (2, "succeeded, left 2 processes running"),
        ] {
            assert_eq!(end_in_words(&with(left)), told);
        }
    }

    #[test]
    fn the_code_is_the_commands_or_says_why_there_is_none() {
        let failed = |code| CommandView {
            exit_code: Some(code),
            ..ended(CommandState::Failed)
        };
        let killed = CommandView {
            signal: Some(15),
            ..ended(CommandState::Killed)
        };
        let late = CommandView {
            signal: Some(9),
            ..ended(CommandState::TimedOut)
        };
        for (command, code, tells) in [
            (ended(CommandState::Succeeded), 0, false),
            (failed(7), 7, false),
            (failed(1000), 1, false),
            (killed, 143, false),
            (late, 124, true),
            (
                CommandView {
                    started_at: None,
                    ..ended(CommandState::Killed)
                },
                1,
                true,
            ),
            (ended(CommandState::Rejected), 1, true),
            (ended(CommandState::Expired), 1, true),
            (ended(CommandState::Interrupted), 1, true),
        ] {
            let (found, why) = exit_code(&command);
            assert_eq!((found, why.is_some()), (code, tells), "{command:?}");
        }
        let rejected = CommandView {
            error: Some("`x` is not installed in this container".to_owned()),
            ..ended(CommandState::Rejected)
        };
        let (_, why) = exit_code(&rejected);
        assert_eq!(
            why.as_deref(),
            Some("the command was not carried out: `x` is not installed in this container.")
        );
    }
}
