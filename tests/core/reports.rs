//! What a container's reports cost a core that is a program of its own.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::time::{Duration, Instant};

use mizzen_core::EventStream;
use mizzen_core::view::Change;
use mizzen_tests::reported::Container;
use mizzen_tests::rig::{Mizzen, within};

/// Between two looks at whether reports are due: one is each millisecond, from a container that never stops.
const PAUSE: Duration = Duration::from_millis(1);
/// Reports that a client is to hear of before it is counted how often it did: three seconds' worth.
const ENOUGH: usize = 12;
/// Most of them in a second.
const A_SECOND: f64 = 4.0;

/// Calls to the system that read, by all of a process so far: files, and what the system tells of them.
fn reads(process: u32) -> u64 {
    let account = fs::read_to_string(format!("/proc/{process}/io")).expect("it runs");
    let line = account
        .lines()
        .find_map(|line| line.strip_prefix("syscr: "));
    line.expect("Linux counts").parse().expect("Linux counts")
}

/// A container that reports a thousand times a second.
struct Storm {
    ended: Arc<AtomicBool>,
    writing: Option<std::thread::JoinHandle<u64>>,
}

impl Storm {
    fn of(container: Container) -> Self {
        let ended = Arc::new(AtomicBool::new(false));
        let is_over = ended.clone();
        let writing = std::thread::spawn(move || {
            let (begun, mut written) = (Instant::now(), 0);
            while !is_over.load(SeqCst) {
                while u128::from(written) < begun.elapsed().as_millis() && !is_over.load(SeqCst) {
                    container.report(written);
                    written += 1;
                }
                std::thread::sleep(PAUSE);
            }
            written
        });
        Self {
            ended,
            writing: Some(writing),
        }
    }

    /// How many reports there were.
    fn end(mut self) -> u64 {
        self.ended.store(true, SeqCst);
        let writing = self.writing.take().expect("it ends once");
        writing.join().expect("a status directory")
    }
}

impl Drop for Storm {
    fn drop(&mut self) {
        self.ended.store(true, SeqCst);
    }
}

/// Follows until a client has heard of so many of a container's reports.
async fn hear(events: &mut EventStream, enough: usize) {
    let mut heard: Vec<String> = Vec::new();
    while heard.len() < enough {
        let Change::Session { session } = events.next().await.expect("a core").change else {
            continue;
        };
        let phase = session.phase.filter(|phase| phase.starts_with("report-"));
        heard.extend(phase.filter(|phase| heard.last() != Some(phase)));
    }
}

#[tokio::test]
async fn row_23_a_thousand_reports_a_second_are_told_four_times_and_cost_a_core_few_looks() {
    let mizzen = Mizzen::new();
    let folder = mizzen.project("p");
    mizzen.json(&["up", folder.to_str().unwrap(), "--workspace", "bind"]);
    let client = mizzen.client().await;
    let (_, mut events) = client.follow().await.unwrap();
    let (begun, before) = (Instant::now(), reads(client.core_pid()));
    let storm = Storm::of(Container::of(&folder, "p"));
    within("reports are told", hear(&mut events, ENOUGH)).await;
    let told_in = begun.elapsed().as_secs_f64();
    let looked = reads(client.core_pid()) - before;
    let written = storm.end();
    println!("{written} reports: {ENOUGH} told in {told_in:.1} s, {looked} reads");
    assert!(ENOUGH as f64 <= A_SECOND * told_in + 1.0, "in {told_in} s");
    assert!(looked * 3 < written, "{looked} reads of {written} reports");
}
