//! One file, and what to do about it.

use jiff::Timestamp;
use mizzen_fsx::{SafeDir, UnsafeReason};
use serde_json::{Value, json};

use super::differ::differences;
use super::{Finding, Verdict};
use crate::ack::{Ack, LEDGER_FILE, LEDGER_MAX};
use crate::commands::{CAP as COMMANDS_MAX, Commands, LOG_MAX, QUEUE};
use crate::document::{Keep, Reading, read_object};
use crate::fields::Object;
use crate::host::{self, DOCKER_CAP, REGISTRY_CAP, SESSION_CAP};
use crate::metrics::{CAP as METRICS_MAX, Metrics};
use crate::status::{Health, STATUS_MAX, Status, StatusWord};
use crate::text::{TEXT_CAP, sanitise};

/// A report this old comes from nobody who is alive, or from another clock.
const OLD_S: u64 = 60;
/// Most commands of a queue that are told to be refused.
const MOST: usize = 10;

const ELSEWHERE: &str = "start its agent, or name another directory: a session's status directory, docker/shared or .para/state";
const WHOLE: &str = "write another file in the same directory and rename it over this one (rule 2)";

/// Which of the protocol's files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Status,
    Commands,
    Metrics,
    Registry,
    Session,
    Container,
}

impl Kind {
    fn cap(self) -> u64 {
        match self {
            Self::Status => STATUS_MAX,
            Self::Commands => COMMANDS_MAX,
            Self::Metrics => METRICS_MAX,
            Self::Registry => REGISTRY_CAP,
            Self::Session => SESSION_CAP,
            Self::Container => DOCKER_CAP,
        }
    }

    /// What a reader without the file goes by.
    fn absent(self) -> &'static str {
        match self {
            Self::Status => "there is none: nothing is known of a container until it reports",
            Self::Commands => "there is none: nothing is asked for",
            Self::Metrics => "there is none: the engine's own figures count anyway",
            Self::Registry | Self::Session | Self::Container => "there is none",
        }
    }

    /// As it was read, in the form that its writer would give it.
    fn read(self, object: Object) -> Result<Value, Keep> {
        Ok(match self {
            Self::Status => json!(Status::from_object(object)?),
            Self::Commands => commands(&Commands::from_object(object)),
            Self::Metrics => json!(Metrics::from_object(object)),
            Self::Registry => json!(host::known(object).and_then(host::registry)?),
            Self::Session => json!(host::typed::<host::SessionFile>(object)?),
            Self::Container => {
                json!(host::known(object).and_then(host::typed::<host::DockerFile>)?)
            }
        })
    }
}

/// Looks at one file as its reader does.
pub(super) fn look(dir: &SafeDir, name: &str, kind: Kind, below: &str, now: Timestamp) -> Finding {
    let finding = |verdict, message: String, next: Option<&str>| Finding {
        file: format!("{below}{}", sanitise(name, 128)),
        verdict,
        message,
        next: next.map(str::to_owned),
    };
    let written = match read_object(dir, name, kind.cap(), None) {
        Reading::Good(object) => object,
        Reading::Absent => {
            let (verdict, next) = match kind {
                Kind::Status => (Verdict::Note, Some(ELSEWHERE)),
                _ => (Verdict::Fine, None),
            };
            return finding(verdict, kind.absent().to_owned(), next);
        }
        Reading::Keep(keep) => return finding(Verdict::Wrong, why(&keep), Some(&next(&keep))),
    };
    let read = match kind.read(written.clone()) {
        Ok(read) => read,
        Err(keep) => return finding(Verdict::Wrong, why(&keep), Some(&next(&keep))),
    };
    let refused = match kind {
        Kind::Commands => refusals(&written),
        _ => Vec::new(),
    };
    if !refused.is_empty() {
        let next = "mend these as the schema says; the others are carried out";
        return finding(Verdict::Wrong, refused.join("; "), Some(next));
    }
    let left = differences(&Value::Object(written), &read);
    if !left.is_empty() {
        let next = "write these as the schema says; the rest is read (rule 3)";
        return finding(Verdict::Wrong, left.join("; "), Some(next));
    }
    let noted = match kind {
        Kind::Status => strange_time(&read, now).or_else(|| strange_word(&read)),
        _ => None,
    };
    match noted {
        Some((verdict, note, next)) => finding(verdict, note, Some(&next)),
        None => finding(Verdict::Fine, "fine".to_owned(), None),
    }
}

/// Outputs of commands and the ledger.
pub(super) fn logs(dir: &SafeDir, names: &[String], below: &str) -> Vec<Finding> {
    let looked = names.iter().filter_map(|name| {
        let is_ledger = name == LEDGER_FILE;
        let (max, next) = match is_ledger {
            true => (
                LEDGER_MAX,
                "leave out what nobody asks for any more when it is larger than 1 MiB",
            ),
            false => (LOG_MAX, "keep regular files of at most 10 MiB there"),
        };
        let (message, next) = match dir.read_regular(name, max, None) {
            Ok(bytes) if is_ledger => (
                odd_lines(&bytes)?,
                "append one JSON object with `id` and `state` a line",
            ),
            Ok(_) => return None,
            Err(refused) => (sanitise(&refused.reason.to_string(), TEXT_CAP), next),
        };
        Some(Finding {
            file: format!("{below}{}", sanitise(name, 128)),
            verdict: Verdict::Wrong,
            message,
            next: Some(next.to_owned()),
        })
    });
    looked.collect()
}

/// Lines of a ledger that its reader passes over. The last one may not be written to its end.
fn odd_lines(ledger: &[u8]) -> Option<String> {
    let lines = ledger.split_inclusive(|byte| *byte == b'\n').zip(1..);
    let whole = lines.filter(|(line, _)| line.ends_with(b"\n") && !line.trim_ascii().is_empty());
    let odd: Vec<u64> = whole
        .filter(|(line, _)| Ack::from_line(line).is_none())
        .map(|(_, number)| number)
        .collect();
    match odd[..] {
        [] => None,
        [line] => Some(format!("line {line} is not used")),
        [first, ..] => Some(format!(
            "{} lines are not used, the first is line {first}",
            odd.len()
        )),
    }
}

fn commands(queue: &Commands) -> Value {
    let good = queue.queued.iter().map(|it| it.command.as_ref());
    let good: Vec<_> = good.filter_map(Result::ok).collect();
    json!({ "commands": good, "processed": queue.processed })
}

/// Why commands are not carried out, of the first ones.
fn refusals(written: &Object) -> Vec<String> {
    let queue = Commands::from_object(written.clone()).queued;
    let all = written.get("commands").and_then(Value::as_array);
    let nobodys = all.map_or(0, |all| all.len().saturating_sub(queue.len()));
    let nobodys = (nobodys > 0).then(|| {
        format!(
            "{nobodys} entries of `commands` have no good `id`, or come after the first {QUEUE}"
        )
    });
    let refused = queue.into_iter().filter_map(|it| {
        let why = it.command.err()?;
        Some(format!("command `{}` is refused: {why}", it.id))
    });
    refused.take(MOST).chain(nobodys).collect()
}

/// A word that is none of the protocol's, and those that are.
fn strange_word(status: &Value) -> Option<(Verdict, String, String)> {
    let word = |key: &str| status[key].as_str().map(str::to_owned);
    let strange = |key: &str, word: String, known: &[&str]| {
        let note = format!("`{key}`: `{word}` is no word of the protocol, and shown as unknown");
        let next = format!("use one of {}", known.join(", "));
        (Verdict::Note, note, next)
    };
    match (
        word("status").map(StatusWord::from),
        word("health").map(Health::from),
    ) {
        (Some(StatusWord::Unknown(word)), _) => Some(strange("status", word, StatusWord::ALL)),
        (_, Some(Health::Unknown(word))) => Some(strange("health", word, Health::ALL)),
        _ => None,
    }
}

/// What a person should know of a report's time.
fn strange_time(status: &Value, now: Timestamp) -> Option<(Verdict, String, String)> {
    if status["final"] == true {
        return None;
    }
    let time = status["timestamp"].as_str().unwrap_or_default();
    let Ok(time) = time.parse::<Timestamp>() else {
        let note = "`timestamp` is missing or no time: a reader sees no new report by it";
        let next = "write the time of each report in UTC, as 2024-01-20T10:30:00Z";
        return Some((Verdict::Wrong, note.to_owned(), next.to_owned()));
    };
    let old = now.duration_since(time).as_secs();
    let (note, next) = match old {
        _ if old.unsigned_abs() <= OLD_S => return None,
        ..0 => (
            format!("its time is {} s ahead of this machine's clock", -old),
            "write times in UTC, and see that both clocks are right",
        ),
        _ => (
            format!("its time is {old} s ago: no sign of life, or another clock"),
            "see that the agent runs",
        ),
    };
    Some((Verdict::Note, note, next.to_owned()))
}

fn why(keep: &Keep) -> String {
    match keep {
        Keep::Unsafe(unsafe_file) => sanitise(&unsafe_file.reason.to_string(), TEXT_CAP),
        Keep::Invalid(why) => why.clone(),
        other => sanitise(&other.to_string(), TEXT_CAP),
    }
}

fn next(keep: &Keep) -> String {
    match keep {
        Keep::Torn => WHOLE.to_owned(),
        Keep::Unsafe(unsafe_file) => match &unsafe_file.reason {
            UnsafeReason::TooLarge { cap } => format!("keep it at {cap} bytes or less"),
            _ => "put a regular file there that has one name and that its reader may read (rule 5)"
                .to_owned(),
        },
        Keep::Invalid(_) => {
            "write one JSON object (rule 1) as docs/protocol/schema says".to_owned()
        }
        Keep::Newer(_) => "read it with a newer Mizzen".to_owned(),
    }
}
