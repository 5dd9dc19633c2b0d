//! The kernel says when the wall clock has made a jump, and it does so at every wake: nothing is polled.

use std::io;
use std::os::fd::OwnedFd;
use std::time::Duration;

use rustix::io::Errno;
use rustix::time::{
    ClockId, Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, clock_gettime,
    timerfd_create, timerfd_settime,
};
use tokio::io::unix::AsyncFd;

use super::{Clocks, Machine};

/// Between two looks where the kernel does not say.
const TICK: Duration = Duration::from_secs(10);

pub(super) struct This(Option<AsyncFd<OwnedFd>>);

impl This {
    pub(super) fn new() -> Self {
        let told = |error: &io::Error| {
            tracing::warn!(%error, "a wake from sleep is looked for, since it is not told");
        };
        Self(jumps().inspect_err(told).ok())
    }

    #[cfg(test)]
    pub(super) fn is_told(&self) -> bool {
        self.0.is_some()
    }
}

impl Machine for This {
    fn clocks(&self) -> Clocks {
        Clocks {
            awake: read(ClockId::Monotonic),
            always: read(ClockId::Boottime),
        }
    }

    async fn turn(&mut self) {
        let turned = match &self.0 {
            Some(jumps) => next(jumps).await,
            None => return tokio::time::sleep(TICK).await,
        };
        if let Err(error) = turned {
            tracing::warn!(%error, "a wake from sleep is looked for from now on");
            self.0 = None;
        }
    }
}

fn read(clock: ClockId) -> Duration {
    // Both count from the start of the machine.
    clock_gettime(clock).try_into().unwrap_or_default()
}

/// A timer that never runs out, and is called off when the wall clock jumps.
fn jumps() -> io::Result<AsyncFd<OwnedFd>> {
    let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
    let timer = timerfd_create(TimerfdClockId::Realtime, flags)?;
    set(&timer)?;
    #[expect(
        deprecated,
        reason = "a handle of our own is the file that it says, and the other way is unsafe code"
    )]
    AsyncFd::new(timer)
}

fn set(timer: &OwnedFd) -> io::Result<()> {
    let never = Itimerspec {
        it_interval: Timespec::default(),
        it_value: Timespec {
            tv_sec: i64::MAX,
            tv_nsec: 0,
        },
    };
    let flags = TimerfdTimerFlags::ABSTIME | TimerfdTimerFlags::CANCEL_ON_SET;
    match timerfd_settime(timer, flags, &never) {
        // Another jump since: it is set all the same.
        Ok(_) | Err(Errno::CANCELED) => Ok(()),
        Err(errno) => Err(errno.into()),
    }
}

async fn next(jumps: &AsyncFd<OwnedFd>) -> io::Result<()> {
    loop {
        let mut ready = jumps.readable().await?;
        let read = ready.try_io(|timer| {
            let mut count = [0; 8];
            Ok(rustix::io::read(timer, &mut count)?)
        });
        // A timer that was called off cannot be read. Nothing to read yet is the one answer that says nothing.
        if read.is_ok() {
            return set(jumps.get_ref());
        }
    }
}
