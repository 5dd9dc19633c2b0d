//! Docker contexts in the real window, with the real Docker client on both sides.

use mizzen_tests::desktop::{Desktop, until};

#[test]
fn contexts_are_set_up_and_followed_in_the_window_and_a_change_is_undone() {
    let desktop = Desktop::new();
    desktop.docker(&[
        "context",
        "create",
        "lab",
        "--docker",
        "host=ssh://ana@lab.example",
    ]);
    let page = desktop.launch_driven();
    page.click("nav-contexts");
    page.click("contexts-setup");
    page.wait_for_text("In step.");
    let inside = desktop.path(".docker-cai");
    let list = |config| desktop.docker_in(config, &["context", "ls", "--format", "{{.Name}}"]);
    let listed = |config, name: &str| list(config).lines().any(|line| line == name);
    until("containers have it", || {
        listed(&inside, "lab").then_some(())
    });
    assert!(listed(&inside, "containai-docker"));

    // A container makes one of its own: the person has it, and hears of it.
    let of_box = [
        "context",
        "create",
        "box",
        "--docker",
        "host=tcp://10.9.8.7:2376",
    ];
    desktop.docker_in(&inside, &of_box);
    page.wait_for_text("tcp://10.9.8.7:2376");
    let own = desktop.path(".docker");
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
    let create = |name: &str, host: &str| {
        let endpoint = format!("host={host}");
        desktop.docker(&["context", "create", name, "--docker", &endpoint]);
    };
    create("prod", "ssh://ana@prod.example");
    let page = desktop.launch_driven();
    page.click("nav-contexts");
    page.click("contexts-setup");
    page.wait_for_text("In step.");
    let (own, inside) = (desktop.path(".docker"), desktop.path(".docker-cai"));
    let leads_to = |config| {
        let endpoint = "{{.Endpoints.docker.Host}}";
        let args = ["context", "inspect", "prod", "--format", endpoint];
        desktop.docker_in(config, &args).trim().to_owned()
    };
    let change = |host: &str| {
        let endpoint = format!("host={host}");
        desktop.docker_in(
            &inside,
            &["context", "update", "prod", "--docker", &endpoint],
        );
    };
    change("tcp://evil.example:2376");
    let toast = desktop.toast("a toast tells", |toast| {
        toast.body.contains("tcp://evil.example:2376")
    });
    assert_eq!(toast.actions, ["default", "open", "undo"]);
    assert_eq!(leads_to(&own), "tcp://evil.example:2376");
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
        assert_eq!(leads_to(side), "ssh://ana@prod.example");
    }
}
