//! `mizzen shell`: a terminal in a session.

use mizzen_core::{Client, Keys, Screen, ShellSpec, TerminalOutput};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::args::Shell;
use crate::output::Failure;

pub(super) async fn run(client: &Client, args: Shell) -> Result<(), Failure> {
    let (cols, rows) = terminal::size().unwrap_or((80, 24));
    let term = std::env::var("TERM").ok();
    let spec = ShellSpec {
        argv: args.command,
        cols,
        rows,
        term,
    };
    let (keys, screen) = client.shell(&args.session, spec).await?.split();
    let code = {
        let _raw = terminal::Raw::enter();
        tokio::select! {
            code = show(screen) => code,
            never = type_keys(keys) => match never {},
        }
    };
    match code? {
        0 => Ok(()),
        code => Err(Failure::ExitCode(u8::try_from(code).unwrap_or(1))),
    }
}

/// Copies the screen until the program ends; answers with its exit code.
async fn show(mut screen: Screen) -> Result<i32, Failure> {
    let mut stdout = tokio::io::stdout();
    loop {
        match screen.next().await? {
            TerminalOutput::Bytes(bytes) => {
                let written = stdout.write_all(&bytes).await;
                written.map_err(|_| Failure::OutputClosed)?;
                stdout.flush().await.map_err(|_| Failure::OutputClosed)?;
            }
            TerminalOutput::Ended { code } => return Ok(code),
        }
    }
}

/// Sends keys and sizes. It never ends by itself: the program does, when it has read the end.
async fn type_keys(mut keys: Keys) -> std::convert::Infallible {
    let mut stdin = tokio::io::stdin();
    let mut buffer = vec![0; 4096];
    let mut resized = terminal::Resizes::new();
    let mut open = true;
    loop {
        let sent = tokio::select! {
            read = stdin.read(&mut buffer), if open => match read {
                Ok(0) | Err(_) => {
                    open = false;
                    // What a terminal's driver makes of Ctrl-D at the start of a line.
                    keys.send(&[0x04]).await
                }
                Ok(count) => keys.send(&buffer[..count]).await,
            },
            () = resized.next() => match terminal::size() {
                Some((cols, rows)) => keys.resize(cols, rows).await,
                None => Ok(()),
            },
        };
        if sent.is_err() {
            // The screen tells why.
            return std::future::pending().await;
        }
    }
}

#[cfg(unix)]
mod terminal {
    use std::io::{self, IsTerminal};

    use rustix::termios::{OptionalActions, Termios, tcgetattr, tcgetwinsize, tcsetattr};
    use tokio::signal::unix::{Signal, SignalKind, signal};

    pub(super) fn size() -> Option<(u16, u16)> {
        let size = tcgetwinsize(io::stdout()).ok()?;
        (size.ws_col > 0 && size.ws_row > 0).then_some((size.ws_col, size.ws_row))
    }

    /// The terminal hands every key over as it is, Ctrl-C included, until this is dropped.
    pub(super) struct Raw {
        before: Termios,
    }

    impl Raw {
        pub(super) fn enter() -> Option<Self> {
            let stdin = io::stdin();
            if !stdin.is_terminal() {
                return None;
            }
            let before = tcgetattr(&stdin).ok()?;
            let mut raw = before.clone();
            raw.make_raw();
            tcsetattr(&stdin, OptionalActions::Now, &raw).ok()?;
            Some(Self { before })
        }
    }

    impl Drop for Raw {
        fn drop(&mut self) {
            let _hung_up = tcsetattr(io::stdin(), OptionalActions::Now, &self.before);
        }
    }

    pub(super) struct Resizes(Option<Signal>);

    impl Resizes {
        pub(super) fn new() -> Self {
            Self(signal(SignalKind::window_change()).ok())
        }

        pub(super) async fn next(&mut self) {
            match &mut self.0 {
                Some(signal) => {
                    let _changed = signal.recv().await;
                }
                None => std::future::pending().await,
            }
        }
    }
}

/// Windows' console keeps its line mode: keys arrive line by line.
#[cfg(not(unix))]
mod terminal {
    pub(super) fn size() -> Option<(u16, u16)> {
        None
    }

    pub(super) struct Raw;

    impl Raw {
        pub(super) fn enter() -> Option<Self> {
            None
        }
    }

    pub(super) struct Resizes;

    impl Resizes {
        pub(super) fn new() -> Self {
            Self
        }

        pub(super) async fn next(&mut self) {
            std::future::pending().await
        }
    }
}
