//! Desktop notifications about sessions on the real engine.

use mizzen_tests::desktop::{Desktop, docker, until};

/// Fills the container's memory with a child of its own, which the kernel then kills.
fn exhaust_memory(container: &str) {
    docker(&["exec", container, "tail", "/dev/zero"]);
}

#[test]
fn out_of_memory_is_told_and_its_action_opens_the_session() {
    let desktop = Desktop::new();
    desktop.use_tiny_image();
    let app = desktop.launch(&["--hidden"]);
    let mut sessions = desktop.sessions();
    let name = sessions.up("oom", Some(16 << 20));
    exhaust_memory(&sessions.container(&name));
    let toast = desktop.toast("a toast tells", |toast| {
        toast.title.contains("out of memory")
    });
    assert!(toast.title.starts_with(&name), "{toast:?}");
    assert_eq!(toast.urgency, 2);
    assert_eq!(toast.actions, ["default", "open"]);
    until("the action opens the window", || {
        desktop.click_toast(&toast, "open");
        desktop.shows_window().then_some(())
    });
    app.wait_for_log("ui_ready");
    assert!(desktop.tray().row(&[&name]).enabled);
}

#[test]
fn a_toast_leads_to_its_session_in_the_window() {
    let desktop = Desktop::new();
    desktop.use_tiny_image();
    let page = desktop.launch_driven();
    let mut sessions = desktop.sessions();
    let first = sessions.up("a_calm", None);
    let name = sessions.up("b_oom", Some(16 << 20));
    until("the first session is shown", || {
        page.shows_session(&first).then_some(())
    });
    exhaust_memory(&sessions.container(&name));
    let toast = desktop.toast("a toast tells", |toast| toast.title.starts_with(&name));
    until("the action shows the other one", || {
        desktop.click_toast(&toast, "open");
        page.shows_session(&name).then_some(())
    });
}

#[test]
fn nothing_is_told_when_notifications_are_off() {
    let desktop = Desktop::new();
    desktop.use_tiny_image();
    desktop.set("notifications = false");
    let _app = desktop.launch(&["--hidden"]);
    let mut sessions = desktop.sessions();
    let name = sessions.up("quiet", None);
    docker(&["kill", &sessions.container(&name)]);
    desktop
        .tray()
        .wait_for_label(&[&name], |label| !label.contains("running"));
    // The alert came with the state: whatever was to be told has been.
    until("the alert is in the menu", || {
        desktop
            .tray()
            .rows()
            .into_iter()
            .find(|row| row.label.starts_with('⚠'))
    });
    assert_eq!(desktop.toasts(), []);
}
