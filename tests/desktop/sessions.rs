//! Sessions on the real engine, from real clicks in the tray.

use mizzen_core::view::SessionState;
use mizzen_tests::desktop::{Desktop, docker, until};

#[test]
fn a_session_lives_from_clicks_in_the_tray() {
    let desktop = Desktop::new();
    desktop.use_tiny_image();
    let _app = desktop.launch(&["--hidden"]);
    let mut sessions = desktop.sessions();
    let name = sessions.up("tray_life", None);
    let tray = desktop.tray();
    let in_menu = |words: &str| tray.wait_for_label(&[&name], |label| label.contains(words));
    in_menu("running");

    tray.click(&[&name, "Open code-server"]);
    let opened = until("the browser is asked", || desktop.opened().first().cloned());
    assert!(
        opened.starts_with("http://") && opened.contains(".localhost:"),
        "{opened}"
    );

    tray.click(&[&name, "Pause"]);
    in_menu("paused");
    let container = sessions.container(&name);
    assert_eq!(
        docker(&["inspect", "--format", "{{.State.Status}}", &container]),
        "paused\n"
    );
    tray.click(&[&name, "Resume"]);
    in_menu("running");
    let started = started_at(&container);
    tray.click(&[&name, "Restart"]);
    until("the container started again", || {
        (started_at(&container) != started).then_some(())
    });
    in_menu("running");
    tray.click(&[&name, "Stop"]);
    in_menu("stopped");
    assert_eq!(
        docker(&["inspect", "--format", "{{.State.Running}}", &container]),
        "false\n"
    );
    tray.click(&[&name, "Start"]);
    in_menu("running");
    tray.click(&[&name, "Stop"]);
    in_menu("stopped");

    // Removal asks first, in the window.
    tray.click(&[&name, "Remove…"]);
    until("the window opens", || desktop.shows_window().then_some(()));
    assert!(sessions.view(&name).is_some());
}

fn started_at(container: &str) -> String {
    docker(&[
        "inspect",
        "--format",
        "{{.State.StartedAt}} {{.State.Running}}",
        container,
    ])
}

#[test]
fn without_names_a_click_opens_an_address() {
    let desktop = Desktop::new();
    desktop.use_tiny_image();
    desktop.set("gateway_names = false");
    let _app = desktop.launch(&["--hidden"]);
    let mut sessions = desktop.sessions();
    let name = sessions.up("address", None);
    let tray = desktop.tray();
    tray.wait_for_label(&[&name], |label| label.contains("running"));
    tray.click(&[&name, "Open code-server"]);
    let opened = until("the browser is asked", || desktop.opened().first().cloned());
    assert!(opened.starts_with("http://127.0.0.1:"), "{opened}");
}

#[test]
fn a_stop_done_elsewhere_shows_in_the_menu_and_on_the_icon() {
    let desktop = Desktop::new();
    desktop.use_tiny_image();
    let _app = desktop.launch(&["--hidden"]);
    let mut sessions = desktop.sessions();
    let name = sessions.up("elsewhere", None);
    let tray = desktop.tray();
    tray.wait_for_label(&[&name], |label| label.contains("running"));
    let calm = tray.icon();
    docker(&["kill", &sessions.container(&name)]);
    tray.wait_for_label(&[&name], |label| !label.contains("running"));
    until("the icon changes", || (tray.icon() != calm).then_some(()));
    assert_ne!(
        sessions.view(&name).expect("listed").state,
        SessionState::Running
    );
}

#[test]
fn the_start_of_one_session_too_many_is_refused_in_a_toast() {
    let desktop = Desktop::new();
    desktop.use_tiny_image();
    desktop.set("max_running = 1");
    let _app = desktop.launch(&["--hidden"]);
    let mut sessions = desktop.sessions();
    let first = sessions.up("limit_a", None);
    let tray = desktop.tray();
    tray.click(&[&first, "Stop"]);
    tray.wait_for_label(&[&first], |label| label.contains("stopped"));
    let _second = sessions.up("limit_b", None);
    tray.click(&[&first, "Start"]);
    let told = desktop.toast("the refusal is told", |toast| {
        toast.title.starts_with(&first)
    });
    assert!(
        format!("{} {}", told.title, told.body).contains("max_running"),
        "{told:?}"
    );
}
