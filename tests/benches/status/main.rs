//! Figures of the status protocol, for `cargo xtask bench status`.
#![allow(clippy::unwrap_used, reason = "a bench ends where its rig fails")]

mod container;

use std::time::{Duration, Instant};

use mizzen_core::EventStream;
use mizzen_core::view::Change;
use mizzen_tests::figure::Figure;
use mizzen_tests::own;
use mizzen_tests::own_core::{OwnCore, tiny_image};

use container::Container;

/// As many as may run at once unless a person says otherwise.
const SESSIONS: usize = 5;
/// Single reports, each after the one before was seen.
const REPORTS: u64 = 100;
/// A report that follows another within this time is shown with a later one.
const APART: Duration = Duration::from_millis(300);
/// A container that reports as fast as this, for so long.
const STORM: (u64, Duration) = (1000, Duration::from_secs(10));
/// For what idles: lets the start settle, and then each sample's window.
const SETTLE: Duration = Duration::from_secs(10);
const WINDOW: Duration = Duration::from_secs(10);
const WINDOWS: usize = 3;

#[tokio::main]
async fn main() {
    let rig = OwnCore::start(&tiny_image().unwrap()).await.unwrap();
    let empty = own::memory();
    let mut containers = Vec::new();
    for number in 0..SESSIONS {
        let name = format!("s{number}");
        let project = rig.project(&name, &[("a.txt", "a\n")]).unwrap();
        rig.up(&project, &name).await.unwrap();
        containers.push(Container::of(&project, &name));
    }
    idle(empty).await;
    let (_, mut events) = rig.client.follow().await.unwrap();
    let container = &containers[0];
    single(container, &mut events).await;
    storm(container, &mut events).await;
    rig.end().await;
}

async fn idle(empty: f64) {
    tokio::time::sleep(SETTLE).await;
    let memory = (own::memory() - empty) / SESSIONS as f64;
    let mut loads = Vec::new();
    for _ in 0..WINDOWS {
        let (start, before) = (Instant::now(), own::processor());
        tokio::time::sleep(WINDOW).await;
        let busy = own::processor() - before;
        loads.push(100.0 * busy.as_secs_f64() / start.elapsed().as_secs_f64());
    }
    let name = format!("{SESSIONS} sessions that report every 5 s: processor");
    Figure::new(&name, "", &loads, |percent| format!("{percent:.2} %")).print();
    let kib = |kib| format!("{kib:.0} KiB");
    Figure::new(
        "memory of the core for one more session",
        "",
        &[memory],
        kib,
    )
    .print();
}

/// From the write of a report to a client that holds it.
async fn single(container: &Container, events: &mut EventStream) {
    let mut delays = Vec::new();
    for number in 0..REPORTS {
        tokio::time::sleep(APART).await;
        let written = Instant::now();
        container.report(number);
        seen(events, container, number).await;
        delays.push(written.elapsed());
    }
    Figure::of_times(
        "a report, from its write to a client's snapshot",
        "",
        &delays,
    )
    .print();
    delays.sort();
    let p99 = delays[delays.len() - 2];
    Figure::of_times("the same, p99", "", &[p99]).print();
}

/// A container that never stops reporting: what it costs the core and its client, and how often the client hears.
async fn storm(container: &Container, events: &mut EventStream) {
    let (rate, time) = STORM;
    let last = REPORTS + rate * time.as_secs();
    let before = own::processor();
    let writer = container.clone();
    let start = Instant::now();
    let writing = std::thread::spawn(move || {
        let begun = own::processor_of_this_thread();
        for number in REPORTS..=last {
            writer.report(number);
            let due = start + time.mul_f64((number - REPORTS) as f64 / (last - REPORTS) as f64);
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
        }
        own::processor_of_this_thread() - begun
    });
    let heard = seen(events, container, last).await;
    let took = start.elapsed().as_secs_f64();
    let spent = own::processor() - before - writing.join().unwrap();
    let percent = 100.0 * spent.as_secs_f64() / took;
    let name = format!("{rate} reports a second: processor of the core and its client");
    Figure::new(&name, "", &[percent], |percent| format!("{percent:.1} %")).print();
    let each = spent / u32::try_from(last - REPORTS).unwrap();
    Figure::of_times("the same, for each report", "", &[each]).print();
    let name = "the same, changes that a client hears in a second";
    Figure::new(name, "≤ 4", &[heard as f64 / took], |n| format!("{n:.1}")).print();
}

/// Waits until a client sees a report, and counts the changes of its session until then.
async fn seen(events: &mut EventStream, container: &Container, number: u64) -> usize {
    let phase = Container::phase(number);
    let mut heard = 0;
    loop {
        let Change::Session { session } = events.next().await.unwrap().change else {
            continue;
        };
        if session.name != container.session {
            continue;
        }
        heard += 1;
        if session.phase.as_deref() == Some(&phase) {
            return heard;
        }
    }
}
