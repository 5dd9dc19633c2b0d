//! The window as a person sees and uses it.

use mizzen_tests::desktop::{Desktop, docker, until};

#[test]
fn a_session_is_created_stopped_and_started_in_the_window() {
    let desktop = Desktop::new();
    desktop.use_tiny_image();
    let page = desktop.launch_driven();
    let mut sessions = desktop.sessions();
    let name = sessions.name("window");
    let folder = desktop.project(&name);

    page.open("new-session", "field-dir");
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

#[test]
fn an_alert_in_the_menu_leads_to_the_alerts() {
    let desktop = Desktop::new();
    desktop.use_tiny_image();
    let page = desktop.launch_driven();
    let mut sessions = desktop.sessions();
    let name = sessions.up("alert", None);
    docker(&["kill", &sessions.container(&name)]);
    let tray = desktop.tray();
    let alert = until("the alert is in the menu", || {
        let mut rows = tray.rows().into_iter();
        rows.find(|row| row.label.starts_with('⚠'))
    });
    tray.click(&[&alert.label, "Details"]);
    page.wait_for_text("Container ended");
    let title = page.run("return document.querySelector('h1').textContent");
    assert_eq!(title, "Alerts");
}

fn running(container: &str) -> String {
    docker(&["inspect", "--format", "{{.State.Running}}", container])
}

#[test]
fn a_session_whose_engine_is_not_known_any_more_is_forgotten_in_the_window() {
    let desktop = Desktop::new();
    desktop.use_tiny_image();
    desktop.use_engine("pi", "unix:///var/run/docker.sock");
    let core = desktop.serve();
    let mut sessions = desktop.sessions();
    let name = sessions.up("forget", None);
    let container = sessions.container(&name);
    drop(core);

    desktop.docker(&["context", "use", "default"]);
    desktop.docker(&["context", "rm", "pi"]);
    let page = desktop.launch_driven();
    page.wait_for_state(&format!("state-{name}"), "lost");
    desktop.tray().click(&[&name, "Remove…"]);
    page.wait_for_text("Its engine pi is out of reach.");
    page.click("confirm-remove");
    until("it is off the list", || {
        desktop.sessions().view(&name).is_none().then_some(())
    });
    assert_eq!(running(&container), "true\n", "left alone");
}

#[test]
fn the_page_loads_nothing_from_elsewhere() {
    let desktop = Desktop::new();
    let page = desktop.launch_driven();
    page.wait_for_text("Mizzen");
    let named = page.run(
        "return [...document.querySelectorAll('[src], link[href]')].map(e => e.src || e.href)",
    );
    let named: Vec<String> = serde_json::from_value(named).expect("a list of addresses");
    assert!(!named.is_empty());
    for address in named {
        let ours = address.starts_with("tauri://localhost/") || address.starts_with("data:");
        assert!(ours, "{address}");
    }
    // And it could not if it would: the policy stops the request before it is made.
    page.run(
        "document.addEventListener('securitypolicyviolation', \
           event => { document.title = event.violatedDirective }); \
         new Image().src = 'http://127.0.0.1:1/picture.png'",
    );
    until("the policy stops a foreign picture", || {
        (page.run("return document.title") == "img-src").then_some(())
    });
}
