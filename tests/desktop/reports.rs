//! What a container says of itself, in the window.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::time::{Duration, Instant};

use mizzen_tests::desktop::{Desktop, Page, until};
use mizzen_tests::reported::Container;
use serde_json::Value;

/// Between two looks at whether reports are due: one is each millisecond, from a container that never stops.
const PAUSE: Duration = Duration::from_millis(1);
/// Reports that the window is to hear of before it is counted how often it did: three seconds' worth.
const ENOUGH: usize = 12;
/// Most of them in a second.
const A_SECOND: f64 = 4.0;

/// Counts what the page itself is told of a session: each report that differs from the one before.
fn count(page: &Page, session: &str) {
    page.run(&format!(
        "window.heard = []; \
         const tauri = window.__TAURI_INTERNALS__; \
         const handler = tauri.transformCallback(({{ payload }}) => {{ \
           const said = payload.change.session; \
           const phase = said?.name === '{session}' ? said.phase ?? '' : ''; \
           if (phase.startsWith('report-') && phase !== heard.at(-1)) heard.push(phase); \
         }}); \
         tauri.invoke('plugin:event|listen', \
           {{ event: 'core-event', target: {{ kind: 'Any' }}, handler }}) \
           .then(() => {{ window.counts = true }})"
    ));
    until("the page listens", || {
        (page.run("return window.counts") == Value::Bool(true)).then_some(())
    });
}

fn heard(page: &Page) -> Vec<String> {
    serde_json::from_value(page.run("return heard")).expect("the page counts")
}

/// Lets the container end also where the window hears of nothing.
struct Ends<'a>(&'a AtomicBool);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.store(true, SeqCst);
    }
}

#[test]
fn row_23_a_thousand_reports_a_second_reach_the_window_four_times_and_the_last_one_stays() {
    let desktop = Desktop::new();
    desktop.use_tiny_image();
    let page = desktop.launch_driven();
    let mut sessions = desktop.sessions();
    let name = sessions.up("storm", None);
    page.wait_for_state(&format!("state-{name}"), "running");
    count(&page, &name);

    let container = Container::of(&desktop.path(&name), &name);
    let (ended, written) = (AtomicBool::new(false), AtomicU64::new(0));
    let begun = Instant::now();
    let (told, elapsed) = std::thread::scope(|scope| {
        let _ends = Ends(&ended);
        scope.spawn(|| {
            while !ended.load(SeqCst) {
                let due = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
                while written.load(SeqCst) < due && !ended.load(SeqCst) {
                    container.report(written.fetch_add(1, SeqCst));
                }
                std::thread::sleep(PAUSE);
            }
        });
        let told = until("the window hears of some", || {
            Some(heard(&page).len()).filter(|told| *told >= ENOUGH)
        });
        (told, begun.elapsed().as_secs_f64())
    });
    let written = written.load(SeqCst);
    println!("{told} of {written} reports in {elapsed:.1} s");
    assert!(
        told as f64 <= A_SECOND * elapsed + 1.0,
        "{told} in {elapsed}"
    );
    assert!(told as u64 * 10 < written, "{told} of {written}");

    // The supervisor may write over it with a report of its own: a container that still says so says it again.
    let last = Container::phase(written + 1);
    until("the window shows the last one", || {
        container.report(written + 1);
        page.text().contains(&last).then_some(())
    });
}

#[test]
fn a_step_that_changes_while_one_looks_lies_over_nothing() {
    let desktop = Desktop::new();
    desktop.use_tiny_image();
    let page = desktop.launch_driven();
    let mut sessions = desktop.sessions();
    let name = sessions.up("steps", None);
    page.wait_for_state(&format!("state-{name}"), "running");
    let container = Container::of(&desktop.path(&name), &name);
    for (number, step) in [(1, "test"), (2, "installing-dependencies")] {
        until("the window shows the step", || {
            container.say(number, step, "in words");
            let shown = "return document.querySelector('[data-testid=\"doing\"]')?.textContent";
            let shown = page.run(shown);
            shown.as_str()?.contains(step).then_some(())
        });
    }
    let between = page.run(
        "const [step, words] = document.querySelectorAll('[data-testid=\"doing\"] > span'); \
         const text = document.createRange(); \
         text.selectNodeContents(step); \
         return words.getBoundingClientRect().left - text.getBoundingClientRect().right",
    );
    assert!(between.as_f64().is_some_and(|it| it > 4.0), "{between}");
}
