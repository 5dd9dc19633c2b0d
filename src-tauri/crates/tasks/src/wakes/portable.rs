//! Where nobody says so: the wall clock goes on while the machine sleeps, and what programs wait by stands still.

use std::time::{Duration, Instant, SystemTime};

use super::{Clocks, Machine};

/// Between two looks.
const TICK: Duration = Duration::from_secs(10);

pub(super) struct This(Instant);

impl This {
    pub(super) fn new() -> Self {
        Self(Instant::now())
    }
}

impl Machine for This {
    fn clocks(&self) -> Clocks {
        Clocks {
            awake: self.0.elapsed(),
            always: SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default(),
        }
    }

    async fn turn(&mut self) {
        tokio::time::sleep(TICK).await;
    }
}
