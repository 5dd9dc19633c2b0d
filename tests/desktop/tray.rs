//! The icon in the tray and its menu.

use mizzen_tests::desktop::Desktop;

#[test]
fn the_tray_appears_with_the_fixed_rows() {
    let desktop = Desktop::new();
    let _app = desktop.launch(&["--hidden"]);
    let tray = desktop.tray();
    for label in [
        "New session…",
        "Open Mizzen",
        "Notifications",
        "Start at login",
    ] {
        assert!(tray.row(&[label]).enabled, "{label}");
    }
    assert!(!tray.row(&["No sessions yet"]).enabled);
    assert!(tray.row(&["Quit (sessions keep running)"]).enabled);
    assert_eq!(tray.tooltip().0, "Mizzen");
    assert!(!desktop.shows_window());
}

#[test]
fn without_a_tray_host_the_window_opens_and_a_late_host_gets_the_icon() {
    let desktop = Desktop::without_tray();
    let app = desktop.launch(&["--hidden"]);
    app.wait_for_log("no tray host");
    let told = desktop.toast("a toast tells about the tray", |toast| {
        toast.title.contains("no tray")
    });
    mizzen_tests::desktop::until("the window opens", || desktop.shows_window().then_some(()));
    desktop.offer_tray();
    assert!(desktop.tray().row(&["Open Mizzen"]).enabled);
    let again = desktop
        .toasts()
        .into_iter()
        .filter(|toast| toast.title == told.title);
    assert_eq!(again.count(), 1);
}

#[test]
fn a_left_click_on_the_icon_shows_the_window() {
    let desktop = Desktop::new();
    let _app = desktop.launch(&["--hidden"]);
    desktop.tray().click_icon();
    mizzen_tests::desktop::until("the window opens", || desktop.shows_window().then_some(()));
}
