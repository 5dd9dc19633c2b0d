//! What this process costs: the core runs in it.

use std::time::{Duration, Instant};

/// Linux counts processor time in hundredths of a second for every program.
const TICK: Duration = Duration::from_millis(10);

/// Processor time of the whole process so far.
///
/// # Panics
/// Where there is no `/proc`.
#[must_use]
pub fn processor() -> Duration {
    spent("/proc/self/stat")
}

/// Shares of one processor, as percentages, that this process takes in each of so many windows.
pub async fn loads(windows: usize, window: Duration) -> Vec<f64> {
    let mut loads = Vec::new();
    for _ in 0..windows {
        let (start, before) = (Instant::now(), processor());
        tokio::time::sleep(window).await;
        let busy = processor() - before;
        loads.push(100.0 * busy.as_secs_f64() / start.elapsed().as_secs_f64());
    }
    loads
}

/// Processor time of the calling thread so far.
///
/// # Panics
/// Where there is no `/proc`.
#[must_use]
pub fn processor_of_this_thread() -> Duration {
    spent("/proc/thread-self/stat")
}

/// Memory that is held now, in KiB.
///
/// # Panics
/// Where there is no `/proc`.
#[must_use]
pub fn memory() -> f64 {
    let text = std::fs::read_to_string("/proc/self/status").expect("Linux tells");
    let held = text.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    held.expect("Linux tells")
        .trim_end_matches("kB")
        .trim()
        .parse()
        .expect("Linux tells")
}

fn spent(stat: &str) -> Duration {
    let text = std::fs::read_to_string(stat).expect("Linux tells");
    // The name in parentheses may hold spaces; user and system time are fields 14 and 15 of the line.
    let (_, fields) = text.rsplit_once(") ").expect("Linux tells");
    let ticks = fields.split(' ').skip(11).take(2);
    let ticks: u32 = ticks
        .map(|field| field.parse::<u32>().expect("Linux tells"))
        .sum();
    TICK * ticks
}
