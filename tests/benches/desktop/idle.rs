//! What the program costs while it only sits in the tray.

use std::time::{Duration, Instant};

use mizzen_tests::desktop::{App, Desktop};
use mizzen_tests::figure::Figure;

/// Lets the start settle, and then each sample's window.
const SETTLE: Duration = Duration::from_secs(15);
const WINDOW: Duration = Duration::from_secs(10);
const WINDOWS: usize = 6;
/// Linux counts processor time in hundredths of a second for every program.
const TICKS_PER_SECOND: f64 = 100.0;

pub(crate) fn measure(desktop: &Desktop) {
    // Known here: the first GTK program on a screen loads the graphics driver to choose visuals for
    // all later ones, and notes them on the root window. On a person's desktop that was the panel.
    let mut first = desktop.launch(&["--hidden"]);
    let _icon = desktop.tray();
    first.wait_for_log("connected");
    first.signal("TERM");
    let _ended = first.wait();
    desktop.forget();
    let app = desktop.launch(&["--hidden"]);
    let _icon = desktop.tray();
    std::thread::sleep(SETTLE);
    let (mut memory, mut load) = (Vec::new(), Vec::new());
    for _ in 0..WINDOWS {
        let (start, before) = (Instant::now(), ticks(&app));
        std::thread::sleep(WINDOW);
        let busy = (ticks(&app) - before) / TICKS_PER_SECOND;
        load.push(100.0 * busy / start.elapsed().as_secs_f64());
        memory.push(shared_memory(&app));
    }
    let name = "tray only with 5 running sessions: memory (PSS)";
    Figure::new(name, "≤ 60 MiB", &memory, |mib| format!("{mib:.1} MiB")).print();
    let name = "tray only with 5 running sessions: processor";
    Figure::new(name, "< 0.3 %", &load, |percent| format!("{percent:.2} %")).print();
}

/// Proportional set size of all processes, in MiB.
fn shared_memory(app: &App) -> f64 {
    let kib = app.processes().into_iter().filter_map(|id| {
        let text = std::fs::read_to_string(format!("/proc/{id}/smaps_rollup")).ok()?;
        let pss = text.lines().find_map(|line| line.strip_prefix("Pss:"))?;
        pss.split_whitespace().next()?.parse::<f64>().ok()
    });
    kib.sum::<f64>() / 1024.0
}

/// Processor time of all processes so far.
fn ticks(app: &App) -> f64 {
    let spent = app.processes().into_iter().filter_map(|id| {
        let text = std::fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
        // The name in parentheses may hold spaces; user and system time are fields 14 and 15 of the line.
        let (_, fields) = text.rsplit_once(") ")?;
        let mut fields = fields
            .split(' ')
            .skip(11)
            .map(|field| field.parse::<f64>().ok());
        Some(fields.next()?? + fields.next()??)
    });
    spent.sum()
}
