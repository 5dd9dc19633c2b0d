//! A synced workspace, in the window.

use std::fs;
use std::path::Path;

use mizzen_tests::desktop::{Desktop, docker, until};

#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "the folder is changed as a person's editor would"
)]
fn a_conflict_is_decided_in_the_window_and_taken_back() {
    let desktop = Desktop::new();
    desktop.use_tiny_image();
    let page = desktop.launch_driven();
    let mut sessions = desktop.sessions();
    let name = sessions.name("decide");
    let folder = desktop.project(&name);
    let file = folder.join("plan.txt");
    fs::write(&file, "one\ntwo\nthree\n").expect("written");

    page.open("new-session", "field-dir");
    page.fill("field-dir", folder.to_str().expect("UTF-8"));
    page.fill("field-name", &name);
    page.click("workspace-sync");
    page.click("submit-new-session");
    page.wait_for_state(&format!("state-{name}"), "running");
    page.wait_for_state("sync-state", "in_step");

    // Nothing is carried while both sides change.
    page.click("action-sync-pause");
    page.wait_for_state("sync-state", "paused");
    let container = sessions.container(&name);
    let write = "printf 'one\\nof the agent\\nthree\\n' > /workspace/plan.txt";
    docker(&["exec", &container, "sh", "-c", write]);
    fs::write(&file, "one\nof the person\nthree\n").expect("written");
    page.click("action-sync-flush");
    page.wait_for_state("sync-state", "conflicts");
    page.wait_for_text("and paused");

    page.open("action-sync-conflicts", "conflict");
    page.wait_for_text("of the agent");
    page.wait_for_text("of the person");
    page.click("keep-container");
    page.wait_for_text("Both sides hold the container's version of plan.txt now.");
    holds(&file, "one\nof the agent\nthree\n");

    page.click("undo-told");
    holds(&file, "one\nof the person\nthree\n");
    page.wait_for_text("Taken back");
    page.open("page-history", "cycle");
    page.wait_for_text("1 place on the host");
}

fn holds(file: &Path, expected: &str) {
    until(&format!("the folder holds {expected:?}"), || {
        let text = fs::read_to_string(file).ok()?;
        (text == expected).then_some(())
    });
}
