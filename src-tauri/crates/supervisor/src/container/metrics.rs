//! Writes `metrics.json`: what this container uses, every five seconds. It is a few small files of the kernel to read
//! and one to write, which nobody waits for.

mod cgroup;

use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use mizzen_fsx::remove_leftovers;
use mizzen_status::{METRICS_FILE, Metrics, SCHEMA, write_metrics};
use tokio::time::{Instant, sleep};

use super::journal::Journal;
use super::places;
use super::retry::{Retry, chance};
use cgroup::{Cgroup, Usage};

const EVERY: Duration = Duration::from_secs(5);

/// Writes until the task is stopped. What cannot be written is tried again, later and later.
pub(crate) async fn keep(status_dir: PathBuf, journal: Journal) {
    // Of an earlier life of this container. A failure shows when we write.
    let _ = remove_leftovers(status_dir.join(METRICS_FILE));
    let mut retry = Retry::new(EVERY, Duration::from_secs(30));
    let (mut before, mut failed) = (None, false);
    loop {
        let dir = status_dir.clone();
        // On a thread of its own: a disk that hangs must not stop PID 1.
        let written = tokio::task::spawn_blocking(move || {
            let (now, usage) = (Instant::now(), Cgroup::find(cgroup::MOUNT).usage());
            let metrics = measured(&usage, before, now);
            (
                write_metrics(&dir, &metrics),
                usage.cpu.map(|cpu| (now, cpu)),
            )
        });
        let (outcome, measured) = written.await.expect("BUG: measuring panicked");
        before = measured;
        let pause = match outcome {
            Ok(()) => {
                retry.succeeded();
                failed = false;
                EVERY
            }
            Err(error) => {
                if !std::mem::replace(&mut failed, true) {
                    journal.note(format_args!("cannot write what is used: {error}"));
                }
                retry.pause(chance())
            }
        };
        sleep(pause).await;
    }
}

fn measured(usage: &Usage, before: Option<(Instant, Duration)>, now: Instant) -> Metrics {
    let (disk_bytes, disk_free_bytes) = disk(places::start_dir()).unzip();
    Metrics {
        schema: Some(SCHEMA),
        timestamp: Timestamp::now().to_string(),
        cpu_percent: before.zip(usage.cpu).and_then(|((then, before), cpu)| {
            percent(
                cpu.saturating_sub(before),
                now.saturating_duration_since(then),
            )
        }),
        memory_bytes: usage.memory,
        memory_limit_bytes: usage.memory_limit,
        disk_bytes,
        disk_free_bytes,
        pids: usage.pids,
        ..Metrics::default()
    }
}

/// 100 is one processor; a tenth is as fine as it gets.
fn percent(used: Duration, passed: Duration) -> Option<f64> {
    (!passed.is_zero()).then(|| (used.as_secs_f64() / passed.as_secs_f64() * 1000.0).round() / 10.0)
}

/// In use and free on a file system.
fn disk(path: &Path) -> Option<(u64, u64)> {
    let found = rustix::fs::statvfs(path).ok()?;
    let used = found.f_blocks.saturating_sub(found.f_bfree);
    Some((
        used.saturating_mul(found.f_frsize),
        found.f_bavail.saturating_mul(found.f_frsize),
    ))
}

#[cfg(test)]
mod tests {
    use super::{Duration, Instant, Usage, disk, measured, percent};

    #[test]
    fn a_processor_is_a_hundred_percent() {
        let millis = Duration::from_millis;
        assert_eq!(percent(millis(2500), millis(5000)), Some(50.0));
        assert_eq!(percent(millis(10_000), millis(5000)), Some(200.0));
        assert_eq!(percent(millis(1), millis(3000)), Some(0.0));
        assert_eq!(percent(millis(1), millis(0)), None);
    }

    #[test]
    fn the_first_look_knows_no_speed_and_a_counter_that_went_back_is_none() {
        let now = Instant::now();
        let usage = Usage {
            cpu: Some(Duration::from_secs(3)),
            ..Usage::default()
        };
        assert_eq!(measured(&usage, None, now).cpu_percent, None);
        let later = now + Duration::from_secs(1);
        let before = |secs| Some((now, Duration::from_secs(secs)));
        assert_eq!(measured(&usage, before(2), later).cpu_percent, Some(100.0));
        assert_eq!(measured(&usage, before(9), later).cpu_percent, Some(0.0));
    }

    #[test]
    fn a_disk_has_room_in_use_and_free() {
        let (used, free) = disk("/".as_ref()).unwrap();
        assert!(used > 0 && free < u64::MAX / 2);
        assert_eq!(disk("/no/where".as_ref()), None);
    }
}
