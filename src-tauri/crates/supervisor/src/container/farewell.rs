//! How the time is divided that is left when everything is to end.

use std::time::Duration;

use tokio::time::Instant;

/// What an engine grants after its signal, unless told otherwise, before it kills.
const ENGINE: Duration = Duration::from_secs(10);
/// What the host grants that asks in the queue without saying.
const HOST: Duration = Duration::from_secs(30);
/// The least and the most that it may grant.
const HOST_LEAST: Duration = Duration::from_secs(3);
const HOST_MOST: Duration = Duration::from_secs(60 * 60);

/// Before the end: what is left then is killed, so that the last report is true.
const AFTER_CHILDREN: Duration = Duration::from_secs(2);
/// Before the end: the last sync is given up; the next start goes on with it.
const AFTER_SYNC: Duration = Duration::from_millis(1_500);
/// The longest that a last sync takes: an engine may want us to end meanwhile.
const SYNC_MOST: Duration = Duration::from_millis(8_500);
/// Before the end: the last report is given up. A busy disk takes seconds.
const AFTER_REPORT: Duration = Duration::from_millis(500);

/// When each part of the end is given up.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Farewell {
    begun: Instant,
    end: Instant,
    /// Whether a last sync follows the children.
    syncs: bool,
}

impl Farewell {
    /// An engine's signal came.
    pub(crate) fn of_engine(now: Instant, syncs: bool) -> Self {
        Self {
            begun: now,
            end: now + ENGINE,
            syncs,
        }
    }

    /// The host asked in the queue.
    pub(crate) fn of_host(now: Instant, seconds: Option<u64>, syncs: bool) -> Self {
        let asked = seconds.map_or(HOST, Duration::from_secs);
        Self {
            begun: now,
            end: now + asked.clamp(HOST_LEAST, HOST_MOST),
            syncs,
        }
    }

    /// An engine's signal came as well: there is no more time than it grants.
    pub(crate) fn hurry(&mut self, now: Instant) {
        self.end = self.end.min(now + ENGINE);
    }

    /// Whether a last sync follows the children.
    pub(crate) fn syncs(&self) -> bool {
        self.syncs
    }

    /// When children are killed.
    pub(crate) fn children(&self) -> Instant {
        let all = self.end.saturating_duration_since(self.begun);
        match self.syncs {
            true => self.begun + all.mul_f32(0.4),
            false => self.begun + all.saturating_sub(AFTER_CHILDREN),
        }
    }

    /// When a last sync that begins now is given up.
    pub(crate) fn sync(&self, now: Instant) -> Instant {
        (self.end - AFTER_SYNC).min(now + SYNC_MOST)
    }

    /// When the last report is given up.
    pub(crate) fn report(&self) -> Instant {
        self.end - AFTER_REPORT
    }
}

#[cfg(test)]
mod tests {
    use super::{Duration, Farewell, Instant};

    #[test]
    fn each_part_ends_before_the_engine_loses_its_patience() {
        let now = Instant::now();
        let after = |instant: Instant| (instant - now).as_millis();
        let plain = Farewell::of_engine(now, false);
        assert_eq!(
            (after(plain.children()), after(plain.report())),
            (8000, 9500)
        );
        let syncing = Farewell::of_engine(now, true);
        assert_eq!(after(syncing.children()), 4000);
        assert_eq!(after(syncing.sync(syncing.children())), 8500);
    }

    #[test]
    fn the_host_grants_what_it_says_within_reason() {
        let now = Instant::now();
        let children =
            |seconds| (Farewell::of_host(now, seconds, false).children() - now).as_secs();
        let granted = [None, Some(0), Some(20), Some(1_000_000)].map(children);
        assert_eq!(granted, [28, 1, 18, 3598]);
    }

    #[test]
    fn an_engines_signal_shortens_what_the_host_granted() {
        let now = Instant::now();
        let mut farewell = Farewell::of_host(now, Some(600), false);
        let later = now + Duration::from_secs(5);
        farewell.hurry(later);
        assert_eq!(farewell.children() - later, Duration::from_secs(8));
        farewell.hurry(later + Duration::from_secs(9));
        assert_eq!(farewell.children() - later, Duration::from_secs(8));
    }
}
