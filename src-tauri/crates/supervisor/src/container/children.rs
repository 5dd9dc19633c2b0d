//! Our child processes, and those that others left to us: PID 1 inherits every orphan.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

use mizzen_wire::pty::Exit;
use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitOptions, WaitStatus, getpid, kill_process_group, wait};
use tokio::sync::oneshot;

/// Starts children and collects them. tokio's own collector waits for single processes only, so
/// it is not used in PID 1: two that wait would take each other's.
#[derive(Clone, Default)]
pub(crate) struct Children {
    /// Those that somebody waits for. Locked for a map operation, never across an await.
    awaited: Arc<Mutex<HashMap<Pid, oneshot::Sender<Exit>>>>,
}

/// A child that was started.
pub(crate) struct Child {
    pub(crate) pid: Pid,
    pub(crate) stdout: OwnedFd,
    pub(crate) stderr: OwnedFd,
    /// How it ended.
    pub(crate) exit: oneshot::Receiver<Exit>,
}

impl Children {
    /// Starts a child in its own process group, with its output in pipes and no input.
    pub(crate) fn start(&self, mut command: Command) -> io::Result<Child> {
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        // Known here: one thread runs this and `reap`, so the child cannot be collected before
        // it is entered below.
        let mut child = command.process_group(0).spawn()?;
        let pid = Pid::from_child(&child);
        let (tell, exit) = oneshot::channel();
        self.awaited
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(pid, tell);
        let stdout = child.stdout.take().expect("BUG: stdout is piped").into();
        let stderr = child.stderr.take().expect("BUG: stderr is piped").into();
        Ok(Child {
            pid,
            stdout,
            stderr,
            exit,
        })
    }

    /// Collects all that have ended; says whether any child is left.
    pub(crate) fn reap(&self) -> bool {
        loop {
            match wait(WaitOptions::NOHANG) {
                Ok(Some((pid, status))) => self.tell(pid, status),
                Ok(None) => return true,
                Err(Errno::INTR) => {}
                Err(_) => return false,
            }
        }
    }

    fn tell(&self, pid: Pid, status: WaitStatus) {
        let Some(exit) = exit_of(status) else { return };
        let awaited = self
            .awaited
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&pid);
        // None: an orphan. An error: nobody wants to know any more.
        let _ = awaited.map(|tell| tell.send(exit));
    }

    /// Whether anything runs here besides us, also what an engine's exec has started, which is nobody's child in here. Where
    /// we are not PID 1, only what we started is ours.
    pub(crate) fn are_others(&self) -> bool {
        if getpid() != Pid::INIT {
            return false;
        }
        let listed = fs::read_dir("/proc").into_iter().flatten().flatten();
        let pids = listed.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        let mut pids = pids.filter_map(Pid::from_raw);
        pids.any(|pid| pid != Pid::INIT && is_alive(pid))
    }

    /// Sends a signal to everything that runs here besides us.
    pub(crate) fn signal_all(&self, signal: Signal) {
        if getpid() == Pid::INIT {
            // "Group 1" is kill(-1): in a container of our own, all processes but PID 1.
            let _ = kill_process_group(Pid::INIT, signal);
            return;
        }
        // Known here: not PID 1, e.g. under another init. Only what we started is ours.
        let awaited = self.awaited.lock().unwrap_or_else(PoisonError::into_inner);
        for pid in awaited.keys() {
            let _ = kill_process_group(*pid, signal);
        }
    }
}

/// Whether it has not ended: one that waits to be collected writes no more.
fn is_alive(pid: Pid) -> bool {
    let stat = fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero()));
    // Its name comes before its state, in brackets, and may hold any.
    let state = stat.ok().and_then(|stat| {
        let (_, rest) = stat.rsplit_once(')')?;
        rest.trim_start().chars().next()
    });
    state.is_some_and(|state| !matches!(state, 'Z' | 'X'))
}

fn exit_of(status: WaitStatus) -> Option<Exit> {
    status
        .exit_status()
        .map(Exit::Code)
        .or(status.terminating_signal().map(Exit::Signal))
}
