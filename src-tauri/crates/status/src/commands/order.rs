//! What one command says, and what is refused before anything is run.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;
use serde_json::Value;

use super::CommandId;
use crate::fields::{self, Object};
use crate::text::{TEXT_CAP, sanitise};

/// How long a command may take that does not say.
pub const TIMEOUT_DEFAULT: Duration = Duration::from_secs(300);
/// The longest that one may ask for.
pub const TIMEOUT_MAX: Duration = Duration::from_secs(24 * 60 * 60);
/// Most output that is kept of one command, and what is kept of one that does not say.
pub const OUTPUT_MAX: u64 = 10 * 1024 * 1024;
/// Largest output that is read: what was kept, and what is said there of the rest.
pub const LOG_MAX: u64 = OUTPUT_MAX + 64 * 1024;

/// Longest text of a command or of one argument.
const TEXT: usize = 8192;
/// Most arguments.
const ARGS: usize = 256;
/// Most variables, and the longest value.
const ENV: (usize, usize) = (64, 4096);

/// Variables by which other programs are put into one that is run.
const ENV_REFUSED: [&str; 12] = [
    "PATH",
    "ENV",
    "BASH_ENV",
    "SHELLOPTS",
    "BASHOPTS",
    "IFS",
    "NODE_OPTIONS",
    "NODE_PATH",
    "PERL5OPT",
    "PYTHONSTARTUP",
    "PYTHONPATH",
    "RUBYOPT",
];
const ENV_REFUSED_BEGINNINGS: [&str; 4] = ["LD_", "DYLD_", "BASH_FUNC_", "GIT_"];

/// What a command says.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Order {
    /// Run a program.
    Exec(Exec),
    /// Tell the supervisor something.
    Signal(Signal),
}

/// A program to run.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Exec {
    /// The program, with arguments as a shell would split them; the whole script with `shell`.
    pub command: String,
    /// More arguments, as they are.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub args: Vec<String>,
    /// Give the text to a shell.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub shell: bool,
    /// More variables.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub env: BTreeMap<String, String>,
    /// Where to run it; the workspace without.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub working_dir: Option<String>,
    /// How long it may take.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout_seconds: Option<u64>,
    /// How much of its output is kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_output: Option<u64>,
}

/// Something that the supervisor is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "signal", rename_all = "snake_case")]
pub enum Signal {
    /// Read the settings again.
    ReloadConfig,
    /// Report at once.
    ReportNow,
    /// End a command, or take it out of the queue.
    Cancel {
        /// Which command.
        target: CommandId,
    },
    /// End everything in good order.
    Shutdown {
        /// How long that may take.
        #[serde(skip_serializing_if = "Option::is_none")]
        deadline_s: Option<u64>,
    },
}

/// A text that [`Exec::argv`] takes for one word.
#[must_use]
pub fn one_word(text: &str) -> String {
    shell_words::quote(text).into_owned()
}

impl Order {
    /// Takes the fields of an order out of an entry; why it cannot be carried out, in words.
    pub(super) fn take(from: &mut Object) -> Result<Self, String> {
        match fields::word(from, "type").as_deref() {
            Some("exec") => Exec::take(from).map(Self::Exec),
            Some("signal") => Signal::take(from).map(Self::Signal),
            Some(other) => Err(format!("unsupported: type `{other}`")),
            None => Err("it has no `type`".to_owned()),
        }
    }
}

impl Exec {
    /// The words to run.
    ///
    /// # Errors
    /// Why the command cannot be read as words.
    pub fn argv(&self) -> Result<Vec<String>, String> {
        let mut argv = match self.shell {
            true => ["sh", "-c", &self.command, "sh"].map(str::to_owned).into(),
            false => shell_words::split(&self.command)
                .map_err(|_| "`command` has a quote that does not end".to_owned())?,
        };
        if argv.is_empty() {
            return Err("`command` is empty".to_owned());
        }
        argv.extend(self.args.iter().cloned());
        Ok(argv)
    }

    /// How long it may take.
    #[must_use]
    pub fn timeout(&self) -> Duration {
        self.timeout_seconds
            .map_or(TIMEOUT_DEFAULT, Duration::from_secs)
    }

    /// How many bytes of its output are kept.
    #[must_use]
    pub fn output_max(&self) -> u64 {
        self.max_output.unwrap_or(OUTPUT_MAX)
    }

    fn take(from: &mut Object) -> Result<Self, String> {
        let exec = Self {
            command: plain(from.remove("command").unwrap_or_default(), "command", TEXT)?,
            args: args(from.remove("args"))?,
            shell: fields::flag(from, "shell"),
            env: env(from.remove("env"))?,
            working_dir: match from.remove("working_dir") {
                None | Some(Value::Null) => None,
                Some(dir) => Some(working_dir(dir)?),
            },
            timeout_seconds: match from.remove("timeout_seconds") {
                None | Some(Value::Null) => None,
                Some(seconds) => Some(timeout(&seconds)?),
            },
            max_output: fields::whole(from, "max_output").map(|bytes| bytes.min(OUTPUT_MAX)),
        };
        exec.argv().map(|_| exec)
    }
}

impl Signal {
    fn take(from: &mut Object) -> Result<Self, String> {
        match fields::word(from, "signal").as_deref() {
            Some("reload_config") => Ok(Self::ReloadConfig),
            Some("report_now") => Ok(Self::ReportNow),
            Some("cancel") => {
                let target = from.remove("target").unwrap_or_default();
                let target = CommandId::from_value(&target);
                let target = target.ok_or("`cancel` needs a `target`, the id of a command")?;
                Ok(Self::Cancel { target })
            }
            Some("shutdown") => Ok(Self::Shutdown {
                deadline_s: fields::whole(from, "deadline_s"),
            }),
            Some(other) => Err(format!("unsupported: signal `{other}`")),
            None => Err("it has no `signal`".to_owned()),
        }
    }
}

/// A text that a process can be given: no zero bytes.
fn plain(value: Value, what: &str, cap: usize) -> Result<String, String> {
    match value {
        Value::String(text) if text.len() > cap => {
            Err(format!("`{what}` is longer than {cap} bytes"))
        }
        Value::String(text) if text.contains('\0') => Err(format!("`{what}` holds a zero byte")),
        Value::String(text) => Ok(text),
        Value::Null => Err(format!("`{what}` is missing")),
        _ => Err(format!("`{what}` is not a text")),
    }
}

fn args(value: Option<Value>) -> Result<Vec<String>, String> {
    match value {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::Array(items)) if items.len() > ARGS => {
            Err(format!("`args` has more than {ARGS} entries"))
        }
        Some(Value::Array(items)) => {
            let texts = items.into_iter().map(|item| plain(item, "args", TEXT));
            texts.collect()
        }
        Some(_) => Err("`args` is not a list".to_owned()),
    }
}

fn env(value: Option<Value>) -> Result<BTreeMap<String, String>, String> {
    let entries = match value {
        None | Some(Value::Null) => return Ok(BTreeMap::new()),
        Some(Value::Object(entries)) => entries,
        Some(_) => return Err("`env` is not an object".to_owned()),
    };
    if entries.len() > ENV.0 {
        return Err(format!("`env` has more than {} entries", ENV.0));
    }
    let checked = entries.into_iter().map(|(name, value)| {
        let shown = sanitise(&name, TEXT_CAP.min(64));
        if !is_env_name(&name) {
            return Err(format!("`env` has `{shown}`, which is no variable's name"));
        }
        if is_env_refused(&name) {
            return Err(format!("`env` may not set `{shown}`"));
        }
        Ok((name, plain(value, "env", ENV.1)?))
    });
    checked.collect()
}

fn is_env_name(name: &str) -> bool {
    let fits = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    (1..=64).contains(&name.len())
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && name.bytes().all(fits)
}

fn is_env_refused(name: &str) -> bool {
    let begins = |start: &&str| name.starts_with(*start);
    ENV_REFUSED.contains(&name) || ENV_REFUSED_BEGINNINGS.iter().any(begins)
}

/// An absolute path; whether it lies in the workspace is for whoever runs the command to see.
fn working_dir(value: Value) -> Result<String, String> {
    let dir = plain(value, "working_dir", 1024)?;
    match dir.starts_with('/') {
        true => Ok(dir),
        false => Err("`working_dir` is not an absolute path".to_owned()),
    }
}

fn timeout(value: &Value) -> Result<u64, String> {
    match value.as_u64() {
        Some(seconds) if seconds > 0 => Ok(seconds.min(TIMEOUT_MAX.as_secs())),
        _ => Err("`timeout_seconds` is not a whole number of at least 1".to_owned()),
    }
}
