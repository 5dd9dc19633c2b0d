//! One file, and what to do about it.

use jiff::Timestamp;
use mizzen_fsx::{SafeDir, UnsafeReason};
use serde_json::{Value, json};

use super::differ::differences;
use super::{Finding, Verdict};
use crate::ack::Ack;
use crate::commands::{CAP as COMMANDS_MAX, Commands};
use crate::document::{Keep, Reading, read_object};
use crate::fields::Object;
use crate::host::{self, DOCKER_CAP, REGISTRY_CAP, SESSION_CAP};
use crate::metrics::{CAP as METRICS_MAX, Metrics};
use crate::status::{STATUS_MAX, Status};
use crate::text::{TEXT_CAP, sanitise};

/// A report this old comes from nobody who is alive, or from another clock.
const OLD_S: i64 = 60;
/// Largest log that a container keeps of one command, and its ledger.
const LOG_MAX: u64 = 10 * 1024 * 1024;

const WHOLE: &str = "write another file in the same directory and rename it over this one";

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
            Self::Status => "there is none: nothing is known of the container until it reports",
            Self::Commands => "there is none: nothing is asked for",
            Self::Metrics => "there is none: the engine's own figures count anyway",
            Self::Registry | Self::Session | Self::Container => "there is none",
        }
    }

    /// As it was read, in the form that its writer would give it.
    fn read(self, object: Object) -> Result<Value, Keep> {
        Ok(match self {
            Self::Status => json!(Status::from_object(object)?),
            Self::Commands => commands(Commands::from_object(object))?,
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
            let verdict = match kind {
                Kind::Status => Verdict::Note,
                _ => Verdict::Fine,
            };
            return finding(verdict, kind.absent().to_owned(), None);
        }
        Reading::Keep(keep) => return finding(Verdict::Wrong, why(&keep), Some(&next(&keep))),
    };
    let read = match kind.read(written.clone()) {
        Ok(read) => read,
        Err(keep) => return finding(Verdict::Wrong, why(&keep), Some(&next(&keep))),
    };
    let left = differences(&Value::Object(written), &read);
    if !left.is_empty() {
        let next = "write these as the schema says; the rest is read";
        return finding(Verdict::Wrong, left.join("; "), Some(next));
    }
    match age(kind, &read, now) {
        Some(note) => finding(Verdict::Note, note, Some("see that the agent runs")),
        None => finding(Verdict::Fine, "fine".to_owned(), None),
    }
}

/// Outputs of commands and the ledger.
pub(super) fn logs(dir: &SafeDir, names: &[String], below: &str) -> Vec<Finding> {
    let looked = names.iter().filter_map(|name| {
        let (message, next) = match dir.read_regular(name, LOG_MAX, None) {
            Ok(bytes) if name == "commands.jsonl" => {
                let lines = bytes.split_inclusive(|byte| *byte == b'\n');
                let whole =
                    lines.filter(|line| line.ends_with(b"\n") && !line.trim_ascii().is_empty());
                let odd = whole.filter(|line| Ack::from_line(line).is_none()).count();
                let next = "append one JSON object with `id` and `state` a line";
                (odd > 0).then(|| (format!("{odd} lines are not used"), next))?
            }
            Ok(_) => return None,
            Err(refused) => {
                let message = sanitise(&refused.reason.to_string(), TEXT_CAP);
                (message, "keep regular files of at most 10 MiB there")
            }
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

/// One that cannot be carried out is wrong as a whole.
fn commands(queue: Commands) -> Result<Value, Keep> {
    let refused = queue.queued.iter().find_map(|it| {
        let why = it.command.as_ref().err()?;
        Some(Keep::Invalid(format!(
            "command `{}` is refused: {why}",
            it.id
        )))
    });
    match refused {
        Some(keep) => Err(keep),
        None => {
            let commands: Vec<_> = queue
                .queued
                .iter()
                .filter_map(|it| it.command.as_ref().ok())
                .collect();
            Ok(json!({ "commands": commands, "processed": queue.processed }))
        }
    }
}

fn age(kind: Kind, read: &Value, now: Timestamp) -> Option<String> {
    if kind != Kind::Status || read["final"] == true {
        return None;
    }
    let time = read["timestamp"].as_str().unwrap_or_default();
    let Ok(time) = time.parse::<Timestamp>() else {
        return Some("`timestamp` is no time: a reader sees no new report by it".to_owned());
    };
    let old = now.duration_since(time).as_secs();
    let far = old.unsigned_abs() > OLD_S.unsigned_abs();
    far.then(|| match old < 0 {
        true => format!("its time is {} s ahead of this machine's clock", -old),
        false => format!("its time is {old} s ago: no sign of life, or another clock"),
    })
}

fn why(keep: &Keep) -> String {
    match keep {
        Keep::Unsafe(unsafe_file) => sanitise(&unsafe_file.reason.to_string(), TEXT_CAP),
        other => sanitise(&other.to_string(), TEXT_CAP),
    }
}

fn next(keep: &Keep) -> String {
    match keep {
        Keep::Torn => WHOLE.to_owned(),
        Keep::Unsafe(unsafe_file) => match &unsafe_file.reason {
            UnsafeReason::TooLarge { cap } => format!("keep it at {cap} bytes or less"),
            _ => {
                "put a regular file there that has one name and that its reader may read".to_owned()
            }
        },
        Keep::Invalid(_) => "write one JSON object as docs/protocol/schema says".to_owned(),
        Keep::Newer(_) => "read it with a newer Mizzen".to_owned(),
    }
}
