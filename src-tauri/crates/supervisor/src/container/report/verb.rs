//! `mizzen-supervisor report`: for scripts in the container.

use std::ffi::OsString;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::process::ExitCode;
use std::time::Duration;

use mizzen_status::{Report, sanitise};
use serde_json::Value;

use super::super::{complain, places};
use super::sockets;
use super::words::{USAGE_TEXT, parse};

/// Exit codes, those of `mizzen`.
const NOT_DONE: u8 = 1;
const USAGE: u8 = 2;

/// How long the supervisor may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// Longest answer.
const ANSWER_MAX: u64 = 4096;

/// Tells the running supervisor; says by the exit code whether it has taken it.
pub(crate) fn tell(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let words = arguments.into_iter();
    let words = words.map(|word| word.to_string_lossy().into_owned());
    let report = match parse(words) {
        Ok(report) => report,
        Err(why) => {
            complain(format_args!("report: {why}\n{USAGE_TEXT}"));
            return ExitCode::from(USAGE);
        }
    };
    match converse(&report) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            complain(format_args!("report: {}", sanitise(&why, 1000)));
            ExitCode::from(NOT_DONE)
        }
    }
}

fn call() -> Result<UnixStream, &'static str> {
    let mut is_refused = false;
    for path in sockets(&places::RUNTIME) {
        match UnixStream::connect(path) {
            Ok(stream) => return Ok(stream),
            Err(error) => is_refused |= error.kind() == io::ErrorKind::PermissionDenied,
        }
    }
    Err(match is_refused {
        true => "the supervisor runs as another user; report as the session's user",
        false => {
            "no supervisor runs in this container; it must be the container's first process: \
             `mizzen-supervisor run`"
        }
    })
}

fn converse(report: &Report) -> Result<(), String> {
    let mut stream = call()?;
    let said = serde_json::to_string(report).expect("BUG: plain values are JSON");
    let talk = || -> io::Result<String> {
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        writeln!(stream, "{said}")?;
        let mut line = String::new();
        BufReader::new(stream.take(ANSWER_MAX)).read_line(&mut line)?;
        Ok(line)
    };
    let line = talk().map_err(|error| format!("the supervisor does not answer: {error}"))?;
    let answer: Value = serde_json::from_str(&line).unwrap_or_default();
    match (&answer["ok"], answer["error"].as_str()) {
        (Value::Bool(true), _) => Ok(()),
        (_, Some(why)) => Err(format!("the supervisor did not take it: {why}")),
        _ => Err("the supervisor's answer makes no sense; is it of another version?".to_owned()),
    }
}
