//! The switches in the menu.

use std::fs;

use mizzen_tests::desktop::{Desktop, until};

#[test]
fn notifications_are_switched_in_the_menu_and_kept() {
    let desktop = Desktop::new();
    let _app = desktop.launch(&["--hidden"]);
    let sessions = desktop.sessions();
    let tray = desktop.tray();
    assert_eq!(tray.row(&["Notifications"]).checked, Some(true));
    tray.click(&["Notifications"]);
    sessions.wait_for_settings(|settings| !settings.notifications);
    let kept = fs::read_to_string(desktop.path("mizzen/config/settings.toml"));
    let kept = kept.expect("what clients are told is on disk already");
    assert!(kept.contains("notifications = false"), "{kept}");
    until("the switch is off", || {
        (tray.row(&["Notifications"]).checked == Some(false)).then_some(())
    });
}

#[test]
fn a_switch_that_cannot_be_kept_goes_back() {
    let desktop = Desktop::new();
    let app = desktop.launch(&["--hidden"]);
    app.wait_for_log("connected");
    let tray = desktop.tray();
    assert_eq!(tray.row(&["Notifications"]).checked, Some(true));
    fs::create_dir_all(desktop.path("mizzen/config/settings.toml/in the way")).expect("a folder");
    tray.click(&["Notifications"]);
    let _told = desktop.toast("the refusal is told", |toast| {
        toast.title.contains("settings.toml")
    });
    until("the switch is on again", || {
        (tray.row(&["Notifications"]).checked == Some(true)).then_some(())
    });
}

#[test]
fn start_at_login_writes_and_removes_an_entry() {
    let desktop = Desktop::new();
    let _app = desktop.launch(&["--hidden"]);
    let entry = desktop.path("config/autostart/mizzen.desktop");
    let tray = desktop.tray();
    assert_eq!(tray.row(&["Start at login"]).checked, Some(false));
    tray.click(&["Start at login"]);
    let text = until("the entry is written", || fs::read_to_string(&entry).ok());
    let exec = text
        .lines()
        .find(|line| line.starts_with("Exec="))
        .expect("an Exec line");
    assert!(
        exec.starts_with("Exec=\"/") && exec.ends_with("/mizzen-desktop\" \"--hidden\""),
        "{exec}"
    );
    until("the switch is on", || {
        (tray.row(&["Start at login"]).checked == Some(true)).then_some(())
    });
    tray.click(&["Start at login"]);
    until("the entry is gone", || (!entry.exists()).then_some(()));
}
