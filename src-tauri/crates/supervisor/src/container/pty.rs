//! A terminal, and the processes in it.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};

use rustix::io::{Errno, ioctl_fionbio};
use rustix::process::{Pid, Signal, ioctl_tiocsctty, kill_process, setsid};
use rustix::pty::{OpenptFlags, grantpt, ioctl_tiocgptpeer, openpt, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};
use tokio::net::unix::pipe;

use super::complain;

/// With this verb, we become the command in a terminal: see [`become_command`].
pub(crate) const VERB: &str = "pty-exec";

/// Exit codes of shells for a command that cannot be run.
const CANNOT_RUN: u8 = 126;

/// Our end of a terminal. Closing it hangs up: what runs in it gets a SIGHUP.
///
/// tokio waits for any descriptor that can be polled through its pipes, without `unsafe`; the two
/// are one terminal.
pub(crate) struct Terminal {
    screen: pipe::Receiver,
    keys: pipe::Sender,
}

impl Terminal {
    /// A new terminal, and a command that will run in it.
    pub(crate) fn open(argv: &[OsString], cols: u16, rows: u16) -> io::Result<(Self, Command)> {
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
        let ours = openpt(flags)?;
        grantpt(&ours)?;
        unlockpt(&ours)?;
        let theirs = ioctl_tiocgptpeer(&ours, flags)?;
        ioctl_fionbio(&ours, true)?;
        let screen = pipe::Receiver::from_owned_fd_unchecked(ours.try_clone()?)?;
        let terminal = Self {
            screen,
            keys: pipe::Sender::from_owned_fd_unchecked(ours)?,
        };
        terminal.resize(cols, rows)?;
        Ok((terminal, command_on(theirs, argv)?))
    }

    pub(crate) fn resize(&self, cols: u16, rows: u16) -> io::Result<()> {
        let size = Winsize {
            ws_col: cols,
            ws_row: rows,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        Ok(tcsetwinsize(&self.keys, size)?)
    }

    /// What the terminal shows next; nothing when all that ran in it have ended.
    pub(crate) async fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            self.screen.readable().await?;
            match self.screen.try_read(buffer) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                // Linux says so when the last process has closed its end.
                Err(error) if error.raw_os_error() == Some(Errno::IO.raw_os_error()) => {
                    return Ok(0);
                }
                read => return read,
            }
        }
    }

    /// Types into the terminal.
    pub(crate) async fn write_all(&self, mut keys: &[u8]) -> io::Result<()> {
        while !keys.is_empty() {
            self.keys.writable().await?;
            match self.keys.try_write(keys) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                written => keys = &keys[written?..],
            }
        }
        Ok(())
    }
}

/// Starting a session and taking a terminal must happen in the child, between fork and exec. So
/// the child is this program again, which does both and then becomes the command.
fn command_on(terminal: OwnedFd, argv: &[OsString]) -> io::Result<Command> {
    let mut command = Command::new("/proc/self/exe");
    command.arg0("mizzen-supervisor").arg(VERB).args(argv);
    command
        .stdin(terminal.try_clone()?)
        .stdout(terminal.try_clone()?)
        .stderr(terminal);
    Ok(command)
}

/// The child's side: a session of its own, with the terminal on stdin, and then the command.
pub(crate) fn become_command(argv: Vec<OsString>) -> ExitCode {
    let error = match take_terminal() {
        Ok(()) => match argv.split_first() {
            Some((program, arguments)) => Command::new(program).args(arguments).exec(),
            None => io::Error::new(io::ErrorKind::InvalidInput, "no command"),
        },
        Err(error) => error,
    };
    complain(format_args!(
        "{}: {error}",
        argv.first().cloned().unwrap_or_default().display()
    ));
    ExitCode::from(CANNOT_RUN)
}

fn take_terminal() -> io::Result<()> {
    setsid()?;
    Ok(ioctl_tiocsctty(rustix::stdio::stdin())?)
}

/// Ends every process of a session, also those that moved to another group or ignore a hang-up.
pub(crate) fn kill_session(leader: Pid) {
    let Ok(processes) = fs::read_dir("/proc") else {
        return;
    };
    let leader = leader.as_raw_nonzero().get();
    for process in processes.flatten() {
        let pid = process
            .file_name()
            .to_str()
            .and_then(|name| name.parse().ok());
        let Some(pid) = pid.and_then(Pid::from_raw) else {
            continue;
        };
        let stat = fs::read_to_string(process.path().join("stat")).unwrap_or_default();
        if session_of(&stat) == Some(leader) {
            let _ = kill_process(pid, Signal::KILL);
        }
    }
}

/// The session in a line of `/proc/PID/stat`: `pid (name) state ppid pgrp session …`, where the
/// name may hold anything.
fn session_of(stat: &str) -> Option<i32> {
    let (_, rest) = stat.rsplit_once(") ")?;
    rest.split(' ').nth(3)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::session_of;

    #[test]
    fn the_session_is_found_behind_any_name() {
        assert_eq!(session_of("12 (sh) S 1 12 34 0 -1"), Some(34));
        assert_eq!(session_of("12 (a) b (c) d) R 1 12 56 0"), Some(56));
        assert_eq!(session_of("12 (sh"), None);
        assert_eq!(session_of(""), None);
    }
}
