//! The machine's sleep. What waits stands still meanwhile, what others do is told to nobody, and connections die in
//! silence: who keeps something in step looks again when the machine wakes.

#[cfg(target_os = "linux")]
#[path = "wakes/linux.rs"]
mod machine;
#[cfg(not(target_os = "linux"))]
#[path = "wakes/portable.rs"]
mod machine;

use std::time::Duration;

use tokio::sync::watch;

use crate::Owner;

/// How often the machine has woken since this was asked for; changes when it does.
pub type Wakes = watch::Receiver<u64>;

/// More than what keeps clocks right moves them at once, and shorter than anything that a sleep could harm.
const NAP: Duration = Duration::from_secs(2);

/// Two clocks, read together.
#[derive(Clone, Copy, Debug)]
struct Clocks {
    /// Stands still while the machine sleeps.
    awake: Duration,
    /// Goes on.
    always: Duration,
}

impl Clocks {
    fn slept_since(self, before: Self) -> bool {
        let awake = self.awake.saturating_sub(before.awake);
        let always = self.always.saturating_sub(before.always);
        always > awake + NAP
    }
}

/// What tells of a machine's clocks.
trait Machine {
    fn clocks(&self) -> Clocks;
    /// Waits until it may have slept.
    fn turn(&mut self) -> impl Future<Output = ()> + Send;
}

/// Follows the machine until the owner stops.
#[must_use]
pub fn wakes(owner: &Owner) -> Wakes {
    let (woken, wakes) = watch::channel(0);
    owner.spawn("wakes", follow(machine::This::new(), woken));
    wakes
}

async fn follow(mut machine: impl Machine, woken: watch::Sender<u64>) {
    let mut before = machine.clocks();
    loop {
        machine.turn().await;
        let now = machine.clocks();
        if now.slept_since(before) {
            woken.send_modify(|times| *times += 1);
        }
        before = now;
    }
}

#[cfg(test)]
mod tests;
