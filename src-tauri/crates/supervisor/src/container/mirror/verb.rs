//! `mizzen-supervisor mirror`: asks the link that runs in this container.

use std::ffi::OsString;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::process::ExitCode;

use mizzen_status::sanitise;
use mizzen_sync::mirror::{REPLY_MAX, Reply, Request, SOCKET};
use mizzen_sync::told::{Answer, Done, Plan, Side, State};
use mizzen_sync::{Because, Question, Refusal};
use serde_json::{Map, Value, json};

use super::super::{complain, places, say};
use super::words;

const USAGE_TEXT: &str = "usage: mizzen-supervisor mirror VERB [--json]
  status | flush [--consent] | pause | resume | plan | conflicts
  resolve PATH --keep host|container|both
  history [--of PATH] [--before CYCLE] [-n NUMBER]
  undo CYCLE | restore PATH [--at CYCLE] [--side host|container] | why PATH";

/// Exit codes, those of `mizzen sync`.
const LEFT: u8 = 1;
const USAGE: u8 = 2;
const HALTED: u8 = 3;
const FAILED: u8 = 4;
const NOT_FOUND: u8 = 5;
const REFUSED: u8 = 6;

/// Longest line that is shown.
const LINE_CAP: usize = 4096;
/// Cycles that are listed unless somebody says otherwise.
const CYCLES: u64 = 20;

/// Asks, prints, and says by the exit code what came of it.
pub(crate) fn ask(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let words = arguments.into_iter();
    let words: Vec<String> = words
        .map(|word| word.to_string_lossy().into_owned())
        .collect();
    let is_json = words.iter().any(|word| word == "--json");
    let Some(request) = parse(
        words
            .iter()
            .map(String::as_str)
            .filter(|word| *word != "--json"),
    ) else {
        complain(USAGE_TEXT);
        return ExitCode::from(USAGE);
    };
    let reply = match converse(&request) {
        Ok(reply) => reply,
        Err(why) => {
            complain(why);
            return ExitCode::from(FAILED);
        }
    };
    if is_json {
        say(io::stdout(), json!(reply));
    } else if let Reply::Refused(refusal) = &reply {
        let command = |verb: &str| format!("mizzen-supervisor mirror {verb}");
        let hint = refusal.hint(&command("flush --consent"), command);
        complain(line(&format!("{refusal}; {hint}")));
    } else {
        for text in lines(&reply) {
            say(io::stdout(), line(&text));
        }
    }
    ExitCode::from(code(&reply))
}

/// What is asked for; none when it makes no sense.
fn parse<'a>(words: impl Iterator<Item = &'a str>) -> Option<Request> {
    let mut words = words.peekable();
    let verb = words.next()?;
    let mut question = Map::new();
    let takes_path = matches!(verb, "resolve" | "restore" | "why");
    let named = if takes_path { "path" } else { "cycle" };
    let mut consent = false;
    while let Some(word) = words.next() {
        let key = match (verb, word) {
            ("flush", "--consent") => {
                consent = true;
                continue;
            }
            ("resolve", "--keep") => "keep",
            ("history", "--of") => "of",
            ("history", "--before") | ("restore", "--at") => "before",
            ("restore", "--side") => "side",
            ("history", "-n") => {
                let limit: u32 = words.next()?.parse().ok()?;
                question.insert("limit".to_owned(), limit.into());
                continue;
            }
            ("resolve" | "restore" | "why" | "undo", word) if !word.starts_with('-') => {
                let word = word.strip_prefix("./").unwrap_or(word);
                let before = question.insert(named.to_owned(), word.into());
                before.is_none().then_some(())?;
                continue;
            }
            _ => return None,
        };
        question.insert(key.to_owned(), words.next()?.into());
    }
    let simple = match verb {
        "status" => Some(Request::Status),
        "flush" => Some(Request::Flush { consent }),
        "pause" => Some(Request::Pause),
        "resume" => Some(Request::Resume),
        _ => None,
    };
    if let Some(request) = simple {
        return question.is_empty().then_some(request);
    }
    question.insert("ask".to_owned(), verb.into());
    let absent: &[(&str, Value)] = match verb {
        "history" => &[
            ("of", Value::Null),
            ("before", Value::Null),
            ("limit", Value::from(CYCLES)),
        ],
        "restore" => &[("before", Value::Null), ("side", Value::Null)],
        _ => &[],
    };
    for (key, value) in absent {
        question.entry(*key).or_insert_with(|| value.clone());
    }
    let question: Question = serde_json::from_value(question.into()).ok()?;
    Some(Request::Ask(question))
}

fn converse(request: &Request) -> Result<Reply, String> {
    let called = places::RUNTIME
        .iter()
        .find_map(|dir| UnixStream::connect(format!("{dir}/{SOCKET}")).ok());
    let Some(mut stream) = called else {
        return Err(
            "no mirror runs here, or not as you: the container's command is `run --mirror`"
                .to_owned(),
        );
    };
    let asked = serde_json::to_string(request).expect("BUG: plain values are JSON");
    let talked = writeln!(stream, "{asked}").and_then(|()| {
        let mut line = String::new();
        BufReader::new(stream.take(REPLY_MAX)).read_line(&mut line)?;
        Ok(line)
    });
    let line = talked.map_err(|error| format!("the mirror does not answer: {error}"))?;
    serde_json::from_str(&line)
        .map_err(|error| format!("the mirror's answer makes no sense: {error}"))
}

fn code(reply: &Reply) -> u8 {
    match reply {
        Reply::Stand(stand) => match stand.state {
            State::Halted => HALTED,
            State::Failed | State::Offline => FAILED,
            State::Conflicts | State::Problems => LEFT,
            State::Starting | State::InStep | State::Syncing | State::Paused => 0,
        },
        Reply::Answer(Answer::Conflicts(all)) if !all.is_empty() => LEFT,
        Reply::Answer(Answer::Done(done)) if !done.left.is_empty() => LEFT,
        Reply::Said(_) | Reply::Answer(_) => 0,
        Reply::Refused(Refusal { because, .. }) => match because {
            Because::Halted | Because::Exchanged | Because::DiskFull => HALTED,
            Because::Failed | Because::Storage | Because::NoLink => FAILED,
            Because::NoConflict | Because::NotKept => NOT_FOUND,
            Because::Unsyncable | Because::Mode => REFUSED,
            Because::Usage => USAGE,
        },
    }
}

/// Fit for a terminal, whatever a file is called.
fn line(text: &str) -> String {
    sanitise(text, LINE_CAP)
}

fn lines(reply: &Reply) -> Vec<String> {
    match reply {
        Reply::Stand(stand) => vec![format!(
            "{}: {}",
            words::state(stand.state),
            words::line(stand)
        )],
        Reply::Said(said) => vec![said.clone()],
        Reply::Refused(refusal) => vec![refusal.to_string()],
        Reply::Answer(Answer::Plan(plan)) => planned(plan),
        Reply::Answer(Answer::Done(done)) => came_of(done),
        Reply::Answer(Answer::Standing(standing)) => {
            let side = standing.side.map(|side| format!(" on the {}", name(side)));
            let at = standing.at.as_ref().map(|at| format!(" by {at}"));
            let why = standing.why.as_ref().map(|why| format!(": {why}"));
            let more: String = [side, at, why].into_iter().flatten().collect();
            vec![format!("{}: {}{more}.", standing.path, standing.standing)]
        }
        Reply::Answer(Answer::Conflicts(all)) if all.is_empty() => vec!["No conflicts.".to_owned()],
        Reply::Answer(Answer::Conflicts(all)) => {
            let conflict = |it: &mizzen_sync::told::Conflict| {
                let diff = it.diff.iter().flat_map(|diff| diff.lines());
                let diff = diff.map(|line| format!("  {line}"));
                std::iter::once(format!("conflict  {}", it.path))
                    .chain(diff)
                    .collect::<Vec<_>>()
            };
            all.iter().flat_map(conflict).collect()
        }
        Reply::Answer(Answer::History(all)) if all.is_empty() => {
            vec!["Nothing has been changed yet, or the trash does not keep it any more.".to_owned()]
        }
        Reply::Answer(Answer::History(all)) => {
            let places = |side: &Option<mizzen_sync::told::PastSide>| {
                side.as_ref().map_or(0, |side| side.places)
            };
            let cycle = |it: &mizzen_sync::told::PastCycle| {
                let [host, container] = [places(&it.host), places(&it.container)];
                format!(
                    "{}  {host} on the host, {container} in the container",
                    it.cycle
                )
            };
            all.iter().map(cycle).collect()
        }
    }
}

fn planned(plan: &Plan) -> Vec<String> {
    if plan.is_empty() {
        return vec!["In step: nothing to do.".to_owned()];
    }
    let halt = plan
        .halt
        .iter()
        .map(|why| format!("halt  it would ask first: {why}"));
    let steps = plan.steps.iter().map(|step| {
        let side = step.side.map(name);
        let words = [
            Some(&*step.what),
            side,
            Some(&step.path),
            step.why.as_deref(),
        ];
        words.into_iter().flatten().collect::<Vec<_>>().join("  ")
    });
    let more = (plan.more > 0).then(|| format!("and {} more", plan.more));
    halt.chain(steps).chain(more).collect()
}

fn came_of(done: &Done) -> Vec<String> {
    let beside = done.beside.iter();
    let beside = beside.map(|path| format!("The container's version is kept as {path}."));
    let left = done.left.iter();
    let left = left.map(|left| format!("left  {}  {}  {}", name(left.side), left.path, left.why));
    let places = match done.changed {
        0 => "Nothing to do.".to_owned(),
        1 => format!("Done at 1 place; `undo {}` takes that back.", done.cycle),
        places => format!(
            "Done at {places} places; `undo {}` takes that back.",
            done.cycle
        ),
    };
    beside.chain(left).chain([places]).collect()
}

fn name(side: Side) -> &'static str {
    match side {
        Side::Host => "host",
        Side::Container => "container",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(words: &str) -> String {
        let request = parse(words.split(' '));
        request.map_or("-".to_owned(), |request| json!(request).to_string())
    }

    #[test]
    fn verbs_are_requests_and_what_makes_no_sense_is_none() {
        for (words, expected) in [
            ("status", r#""status""#),
            ("flush --consent", r#"{"flush":{"consent":true}}"#),
            ("plan", r#"{"ask":{"ask":"plan"}}"#),
            (
                "resolve ./a --keep both",
                r#"{"ask":{"ask":"resolve","keep":"both","path":"a"}}"#,
            ),
            (
                "history -n 3",
                r#"{"ask":{"ask":"history","before":null,"limit":3,"of":null}}"#,
            ),
            (
                "restore a --side host",
                r#"{"ask":{"ask":"restore","before":null,"path":"a","side":"host"}}"#,
            ),
            ("", "-"),
            ("sing", "-"),
            ("resolve a", "-"),
            ("resolve a --keep nothing", "-"),
            ("why ../a", "-"),
            ("why a b", "-"),
            ("undo yesterday", "-"),
            ("status --consent", "-"),
            ("history -n many", "-"),
        ] {
            assert_eq!(asked(words), expected, "{words}");
        }
    }
}
