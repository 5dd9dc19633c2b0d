//! The window as a person sees and uses it.

use mizzen_tests::desktop::{Desktop, docker};

#[test]
fn a_session_is_created_stopped_and_started_in_the_window() {
    let desktop = Desktop::new();
    desktop.use_tiny_image();
    let page = desktop.launch_driven();
    let mut sessions = desktop.sessions();
    let name = sessions.name("window");
    let folder = desktop.project(&name);

    page.click("new-session");
    page.fill("field-dir", folder.to_str().expect("UTF-8"));
    page.fill("field-name", &name);
    page.click("submit-new-session");
    let state = format!("state-{name}");
    page.wait_for_state(&state, "running");
    assert_eq!(running(&sessions.container(&name)), "true\n");

    page.click("action-stop");
    page.wait_for_state(&state, "stopped");
    assert_eq!(running(&sessions.container(&name)), "false\n");

    page.click("action-start");
    page.wait_for_state(&state, "running");
    desktop
        .tray()
        .wait_for_label(&[&name], |label| label.contains("running"));

    // Somebody else stops it: the window follows without being asked.
    docker(&["kill", &sessions.container(&name)]);
    page.wait_for_state(&state, "failed");
}

fn running(container: &str) -> String {
    docker(&["inspect", "--format", "{{.State.Running}}", container])
}

#[test]
fn the_page_loads_nothing_from_elsewhere() {
    let desktop = Desktop::new();
    let page = desktop.launch_driven();
    page.wait_for_text("Mizzen");
    let loaded = page.run("return performance.getEntriesByType('resource').map(e => e.name)");
    let loaded: Vec<String> = serde_json::from_value(loaded).expect("a list of addresses");
    let ours = [
        "tauri://localhost/",
        "ipc://localhost/",
        "http://ipc.localhost/",
    ];
    for address in &loaded {
        assert!(ours.iter().any(|our| address.starts_with(our)), "{address}");
    }
    assert!(!loaded.is_empty());
}
