//! Docker contexts in the real window, with the real Docker client on both sides.

use std::path::{Path, PathBuf};

use mizzen_tests::desktop::{Desktop, Page, until};

/// Where a side's context `prod` leads.
fn leads_to(desktop: &Desktop, config: &Path) -> String {
    let endpoint = "{{.Endpoints.docker.Host}}";
    let args = ["context", "inspect", "prod", "--format", endpoint];
    desktop.docker_in(config, &args).trim().to_owned()
}

/// A window in which contexts are kept in step, one of them of this name; and the configurations of both sides.
fn in_step(desktop: &Desktop, name: &str, host: &str) -> (Page, PathBuf, PathBuf) {
    let (own, inside) = (desktop.path(".docker"), desktop.path(".docker-cai"));
    lead(desktop, &own, "create", name, host);
    let page = desktop.launch_driven();
    page.click("nav-contexts");
    page.click("contexts-setup");
    page.wait_for_text("In step.");
    (page, own, inside)
}

/// Lets a context of a side lead elsewhere, or makes it.
fn lead(desktop: &Desktop, config: &Path, verb: &str, name: &str, host: &str) {
    let endpoint = format!("host={host}");
    desktop.docker_in(config, &["context", verb, name, "--docker", &endpoint]);
}

#[test]
fn contexts_are_set_up_and_followed_in_the_window_and_a_change_is_undone() {
    let desktop = Desktop::new();
    let (page, own, inside) = in_step(&desktop, "lab", "ssh://ana@lab.example");
    let list = |config| desktop.docker_in(config, &["context", "ls", "--format", "{{.Name}}"]);
    let listed = |config, name: &str| list(config).lines().any(|line| line == name);
    until("containers have it", || {
        listed(&inside, "lab").then_some(())
    });
    assert!(listed(&inside, "containai-docker"));

    // A container makes one of its own: the person has it, and hears of it.
    lead(&desktop, &inside, "create", "box", "tcp://10.9.8.7:2376");
    page.wait_for_text("tcp://10.9.8.7:2376");
    assert!(listed(&own, "box"));

    page.click("contexts-history");
    page.wait_for_text("Changed in a container");
    page.click("take-back");
    page.click("confirm");
    until("it is gone from both sides", || {
        (!listed(&own, "box") && !listed(&inside, "box")).then_some(())
    });
    assert!(listed(&own, "lab") && listed(&inside, "lab"));
}

#[test]
fn a_toast_about_a_container_s_change_undoes_it_and_says_so() {
    let desktop = Desktop::new();
    let (_page, own, inside) = in_step(&desktop, "prod", "ssh://ana@prod.example");
    let change = |host: &str| lead(&desktop, &inside, "update", "prod", host);
    change("tcp://evil.example:2376");
    let toast = desktop.toast("a toast tells", |toast| {
        toast.body.contains("tcp://evil.example:2376")
    });
    assert_eq!(toast.actions, ["default", "open", "undo"]);
    assert_eq!(leads_to(&desktop, &own), "tcp://evil.example:2376");
    // What the container does next is told in that toast's place, and goes with the rest.
    change("tcp://worse.example:2376");
    let last = desktop.toast("the toast tells of the last change", |toast| {
        toast.body.contains("tcp://worse.example:2376")
    });
    assert_eq!(last.id, toast.id, "in the same place");
    // A toast is seen a moment before its clicks are heard.
    let done = until("a toast says that it is undone", || {
        desktop.click_toast(&last, "undo");
        let mut toasts = desktop.toasts().into_iter();
        toasts.find(|toast| toast.title == "Undone")
    });
    assert!(done.body.contains("ssh://ana@prod.example"), "{done:?}");
    for side in [&own, &inside] {
        assert_eq!(leads_to(&desktop, side), "ssh://ana@prod.example");
    }
}

#[test]
fn a_container_s_change_waits_where_a_person_is_strict_and_is_decided_in_the_window() {
    let desktop = Desktop::new();
    desktop.set("contexts_strict = true");
    let (page, own, inside) = in_step(&desktop, "prod", "ssh://ana@prod.example");
    let is_at = |config, host: &str| (leads_to(&desktop, config) == host).then_some(());
    let change = |host: &str| {
        lead(&desktop, &inside, "update", "prod", host);
        page.wait_for_text("Something waits for you.");
        page.wait_for_text(host);
    };
    change("ssh://evil.example");
    let unasked = leads_to(&desktop, &own);
    assert_eq!(unasked, "ssh://ana@prod.example");
    page.open("drop", "confirm");
    page.click("confirm");
    until("the container has what it had", || {
        is_at(&inside, "ssh://ana@prod.example")
    });
    page.wait_for_text("In step.");

    change("ssh://ana@new.example");
    page.open("approve", "confirm");
    page.click("confirm");
    until("the host has it", || is_at(&own, "ssh://ana@new.example"));
    page.wait_for_text("In step.");
}
