//! What a container says it uses: `metrics.json`, read while somebody looks.

use std::path::PathBuf;
use std::time::Duration;

use mizzen_fsx::SafeDir;
use mizzen_status::{Metrics, read_metrics};
use tokio::task::spawn_blocking;
use tokio::time::Instant;

use crate::para::ParaDirs;
use crate::record::Record;

/// They come every five seconds, and are fresh for as long as a report is.
const FRESH: Duration = Duration::from_secs(15);

/// Reads one container's figures. It is the container's own word: the engine's counts.
pub struct OwnFigures {
    status: PathBuf,
    uid: Option<u32>,
    told: Told,
}

impl OwnFigures {
    pub(crate) fn of(record: &Record) -> Self {
        Self {
            status: ParaDirs::of(&record.project, &record.name).status,
            uid: record.reports_owner(),
            told: Told::default(),
        }
    }

    /// The newest figures; none while the container has told nothing new.
    pub async fn look(&mut self) -> Option<Metrics> {
        let (dir, uid) = (self.status.clone(), self.uid);
        let read = spawn_blocking(move || read_metrics(&SafeDir::open(&dir).ok()?, uid).good());
        let read = read.await.expect("BUG: reading does not panic");
        self.told.take(read, Instant::now())
    }
}

/// What was read, and when.
#[derive(Default)]
struct Told {
    /// The container's clock at the last look.
    last: Option<String>,
    fresh: Option<(Instant, Metrics)>,
}

impl Told {
    fn take(&mut self, read: Option<Metrics>, now: Instant) -> Option<Metrics> {
        let is_new = |read: &Metrics| self.last.as_ref() != Some(&read.timestamp);
        if let Some(read) = read.filter(is_new) {
            // The first may have lain there for long.
            let is_first = self.last.replace(read.timestamp.clone()).is_none();
            self.fresh = (!is_first).then_some((now, read));
        }
        let (at, fresh) = self.fresh.as_ref()?;
        (now.duration_since(*at) <= FRESH).then(|| fresh.clone())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use mizzen_status::Metrics;
    use tokio::time::Instant;

    use super::Told;

    #[test]
    fn figures_count_when_they_move_and_for_fifteen_seconds() {
        let (mut told, begun) = (Told::default(), Instant::now());
        for (second, said, expected) in [
            (0, None, None),
            (1, Some(("1", 7)), None),
            (2, Some(("1", 7)), None),
            (5, Some(("2", 8)), Some(8)),
            (6, None, Some(8)),
            (20, Some(("2", 8)), Some(8)),
            (21, Some(("2", 8)), None),
            (22, Some(("3", 9)), Some(9)),
        ] {
            let read = said.map(|(timestamp, pids)| Metrics {
                timestamp: timestamp.to_owned(),
                pids: Some(pids),
                ..Metrics::default()
            });
            let found = told.take(read, begun + Duration::from_secs(second));
            assert_eq!(found.and_then(|it| it.pids), expected, "second {second}");
        }
    }
}
