//! An X server without a monitor, and a window manager on it.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use super::process::Group;
use super::until;

pub(super) struct Screen {
    display: String,
    _manager: Group,
    _server: Group,
}

impl Screen {
    pub(super) fn start() -> Self {
        let mut server = Group::start(
            // Without -noreset the server starts over when its last client leaves, and refuses
            // those who come meanwhile.
            Command::new("Xvfb")
                .args(["-displayfd", "1", "-screen", "0", "1280x800x24"])
                .args(["-nolisten", "tcp", "-noreset"])
                .stdout(Stdio::piped())
                .stderr(Stdio::null()),
        );
        // The server picks a free number, so that tests run side by side.
        let mut number = String::new();
        let stdout = server.child().stdout.take().expect("piped");
        BufReader::new(stdout)
            .read_line(&mut number)
            .expect("Xvfb tells its number");
        let display = format!(":{}", number.trim());
        let manager = Group::start(
            Command::new("openbox")
                .env("DISPLAY", &display)
                .stdout(Stdio::null())
                .stderr(Stdio::null()),
        );
        let screen = Self {
            display,
            _manager: manager,
            _server: server,
        };
        until("the window manager runs", || screen.run("wmctrl", &["-m"]));
        screen
    }

    pub(super) fn display(&self) -> &str {
        &self.display
    }

    pub(super) fn shows_window(&self, title: &str) -> bool {
        self.run("xwininfo", &["-name", title])
            .is_some_and(|told| told.contains("IsViewable"))
    }

    pub(super) fn focused(&self) -> Option<String> {
        let title = self.run("xdotool", &["getactivewindow", "getwindowname"])?;
        Some(title.trim().to_owned())
    }

    pub(super) fn close_window(&self, title: &str) {
        until("the window can be closed", || {
            self.run("wmctrl", &["-F", "-c", title])
        });
    }

    pub(super) fn picture(&self, file: &Path) {
        let file = file.to_str().expect("a path in UTF-8");
        self.run("import", &["-window", "root", file])
            .expect("a picture of the screen");
    }

    /// What a tool prints when it succeeds.
    fn run(&self, tool: &str, args: &[&str]) -> Option<String> {
        let output = Command::new(tool)
            .args(args)
            .env("DISPLAY", &self.display)
            .output();
        let output = output.unwrap_or_else(|error| panic!("{tool}: {error}"));
        output
            .status
            .success()
            .then(|| String::from_utf8_lossy(&output.stdout).into_owned())
    }
}
