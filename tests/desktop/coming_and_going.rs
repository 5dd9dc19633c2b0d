//! Starting, closing, starting again and ending.

use std::process::Command;

use mizzen_tests::desktop::{Desktop, until};

#[test]
fn closing_the_window_leaves_the_tray_which_brings_it_back() {
    let desktop = Desktop::new();
    let mut app = desktop.launch(&[]);
    for _ in 0..2 {
        until("the window is there", || {
            desktop.shows_window().then_some(())
        });
        app.wait_for_log("tray built");
        desktop.close_window();
        until("the window is gone", || {
            (!desktop.shows_window()).then_some(())
        });
        assert!(app.runs());
        desktop.tray().click(&["Open Mizzen"]);
    }
    until("the window is back", || desktop.has_focus().then_some(()));
    let told = desktop
        .toasts()
        .into_iter()
        .filter(|toast| toast.title.contains("keeps running"));
    assert_eq!(told.count(), 1, "told once, not at every closing");
}

#[test]
fn a_second_launch_shows_the_window_of_the_first_and_ends() {
    let desktop = Desktop::new();
    let mut first = desktop.launch(&["--hidden"]);
    first.wait_for_log("tray built");
    assert!(desktop.launch(&[]).wait().success());
    until("the window is there", || desktop.has_focus().then_some(()));
    assert!(first.runs());
}

#[test]
fn a_second_hidden_launch_shows_nothing() {
    let desktop = Desktop::new();
    let first = desktop.launch(&["--hidden"]);
    first.wait_for_log("tray built");
    assert!(desktop.launch(&["--hidden"]).wait().success());
    desktop.tray().click(&["New session…"]);
    first.wait_for_log("window shown");
    assert_eq!(first.log().matches("window shown").count(), 1);
}

#[test]
fn it_is_the_guest_of_a_core_that_runs_and_takes_its_place() {
    let desktop = Desktop::new();
    let mut core = desktop.serve();
    assert_eq!(desktop.core_pid(), core.id());
    let mut app = desktop.launch(&["--hidden"]);
    let tray = desktop.tray();
    // Told only by a core that answers.
    assert!(!tray.row(&["No sessions yet"]).enabled);
    assert_eq!(
        desktop.core_pid(),
        core.id(),
        "one core runs, and it is not the desktop's"
    );

    core.signal("TERM");
    assert!(core.wait().success());
    until("the desktop hosts the core", || {
        (desktop.core_pid() == app.id()).then_some(())
    });
    tray.click(&["Notifications"]);
    until("the desktop is connected to it", || {
        (tray.row(&["Notifications"]).checked == Some(false)).then_some(())
    });
    assert!(app.runs());
}

#[test]
fn sigterm_and_sigint_end_it_in_order() {
    for signal in ["TERM", "INT"] {
        let desktop = Desktop::new();
        let mut app = desktop.launch(&["--hidden"]);
        app.wait_for_log("connected");
        app.signal(signal);
        assert!(app.wait().success(), "{signal}: {}", app.stderr());
        app.wait_for_log("core ended");
        // What does not end within its five seconds is named.
        assert!(
            !app.log().contains("did not end"),
            "{signal}: {}",
            app.log()
        );
    }
}

#[test]
fn quit_in_the_menu_ends_it() {
    let desktop = Desktop::new();
    let mut app = desktop.launch(&[]);
    app.wait_for_log("connected");
    desktop.tray().click(&["Quit (sessions keep running)"]);
    assert!(app.wait().success(), "{}", app.stderr());
}

#[test]
fn without_a_display_it_says_so_and_ends_with_2() {
    let desktop = Desktop::new();
    let mut app = desktop.launch_without_display();
    assert_eq!(app.wait().code(), Some(2));
    let told = app.stderr();
    assert_eq!(told.lines().count(), 1, "{told}");
    assert!(told.contains("mizzen serve"), "{told}");
}

#[test]
fn an_unknown_argument_is_refused() {
    let desktop = Desktop::new();
    let mut app = desktop.launch(&["--frobnicate"]);
    assert_eq!(app.wait().code(), Some(2));
    assert!(app.stderr().contains("--frobnicate"), "{}", app.stderr());
}

/// What the harness promises: no tool of the desktop is quietly missing.
#[test]
fn the_tools_of_a_desktop_are_there() {
    for tool in [
        "Xvfb",
        "dbus-daemon",
        "openbox",
        "wmctrl",
        "xdotool",
        "xwininfo",
        "WebKitWebDriver",
    ] {
        let found = Command::new("which").arg(tool).output().expect("which");
        assert!(
            found.status.success(),
            "{tool} is missing: run `make setup`"
        );
    }
}
