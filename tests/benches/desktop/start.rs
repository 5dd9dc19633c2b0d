//! From the start of the program to its icon in the tray, and to a window with every session in it.

use std::time::Instant;

use mizzen_tests::desktop::Desktop;
use mizzen_tests::figure::Figure;

const RUNS: usize = 10;

pub(crate) fn measure(desktop: &Desktop) {
    let (mut tray, mut window) = (Vec::new(), Vec::new());
    // The first one fills the system's caches and does not count.
    for run in 0..=RUNS {
        desktop.forget();
        let start = Instant::now();
        let app = desktop.launch(&[]);
        let _icon = desktop.tray();
        tray.push(start.elapsed());
        // Known here: the page says so once it has drawn its first snapshot.
        app.wait_for_log("ui_ready");
        window.push(start.elapsed());
        if run == 0 {
            tray.clear();
            window.clear();
        }
    }
    Figure::of_times("start to the tray icon, with 50 sessions", "≤ 0.3 s", &tray).print();
    Figure::of_times(
        "start to a rendered window, with 50 sessions",
        "≤ 1.0 s",
        &window,
    )
    .print();
}
