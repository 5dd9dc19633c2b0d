//! The command line, and the refusals that come before there is anything to show.

use std::ffi::OsString;
use std::io::Write;
use std::process::ExitCode;

use mizzen_core::{DirsError, LogError};

const USAGE: &str = "\
Usage: mizzen-desktop [--hidden]

Mizzen's tray application. A second launch shows the window of the first.

  --hidden   start in the tray without a window
  --help     show this
  --version  show the version
";

/// How the program was asked to start.
#[derive(Debug, Default)]
pub(crate) struct Launch {
    /// In the tray only.
    pub(crate) hidden: bool,
}

impl Launch {
    pub(crate) fn parse(args: impl Iterator<Item = OsString>) -> Result<Self, Refusal> {
        let mut launch = Self::default();
        for arg in args {
            match arg.to_str() {
                Some("--hidden") => launch.hidden = true,
                Some("--help" | "-h") => return Err(Refusal::answer(USAGE)),
                Some("--version" | "-V") => {
                    return Err(Refusal::answer(concat!(
                        "mizzen-desktop ",
                        env!("CARGO_PKG_VERSION"),
                        "\n"
                    )));
                }
                _ => return Err(Refusal::usage(&arg)),
            }
        }
        Ok(launch)
    }

    /// What another process was asked, its own name first.
    pub(crate) fn of_other(args: Vec<String>) -> Self {
        let hidden = args.iter().skip(1).any(|arg| arg == "--hidden");
        Self { hidden }
    }
}

/// Why the program ends before it has begun: a line for a person and an exit code.
#[derive(Debug)]
pub(crate) struct Refusal {
    text: String,
    code: u8,
}

impl Refusal {
    fn answer(text: &str) -> Self {
        Self {
            text: text.to_owned(),
            code: 0,
        }
    }

    fn usage(arg: &OsString) -> Self {
        Self {
            text: format!("unknown argument {}\n\n{USAGE}", arg.display()),
            code: 2,
        }
    }

    #[cfg(target_os = "linux")]
    pub(crate) fn no_display(problem: &str) -> Self {
        let hint = "use `mizzen serve` to run sessions without a desktop";
        Self {
            text: format!("mizzen-desktop: {problem}; {hint}\n"),
            code: 2,
        }
    }

    pub(crate) fn failed(problem: String) -> Self {
        Self {
            text: format!("mizzen-desktop: {problem}\n"),
            code: 1,
        }
    }

    pub(crate) fn tell(&self) -> ExitCode {
        // Nobody may be listening: that is no reason to fail differently.
        let _ = if self.code == 0 {
            std::io::stdout().write_all(self.text.as_bytes())
        } else {
            std::io::stderr().write_all(self.text.as_bytes())
        };
        ExitCode::from(self.code)
    }
}

impl From<DirsError> for Refusal {
    fn from(error: DirsError) -> Self {
        Self::failed(error.to_string())
    }
}

impl From<LogError> for Refusal {
    fn from(error: LogError) -> Self {
        Self::failed(error.to_string())
    }
}
