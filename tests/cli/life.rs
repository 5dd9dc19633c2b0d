//! A session from nothing to nothing.

use mizzen_tests::rig::Mizzen;

#[test]
fn a_session_lives_from_up_to_rm() {
    let mizzen = Mizzen::new();
    let folder = mizzen.project("web-shop");
    let dir = folder.to_str().unwrap();

    let up = mizzen.json(&["up", dir]);
    assert_eq!(up["session"]["name"], "web-shop");
    assert_eq!(up["session"]["state"], "running");
    let again = mizzen.json(&["up", dir]);
    assert_eq!(
        again["session"]["container_id"], up["session"]["container_id"],
        "idempotent"
    );

    let shown = mizzen.json(&["show", "WEB-SHOP"]);
    assert_eq!(shown["attention"]["state"], "idle", "{shown}");
    assert_eq!(shown["services"]["code-server"], "running", "{shown}");
    assert_eq!(shown["project"], dir);
    assert_eq!(shown["limits"]["memory_bytes"], 268_435_456);
    let phases = shown["phases"].as_array().unwrap();
    assert!(
        phases.iter().all(|phase| phase["state"] == "done"),
        "{shown}"
    );

    for (verb, state) in [
        ("pause", "paused"),
        ("resume", "running"),
        ("stop", "stopped"),
        ("start", "running"),
        ("restart", "running"),
    ] {
        let done = mizzen.json(&[verb, "web-shop"]);
        assert_eq!(done["session"]["state"], state, "{verb}: {done}");
        assert_eq!(mizzen.session("web-shop")["state"], state, "{verb}");
        let twice = mizzen.json(&[verb, "web-shop"]);
        assert_eq!(twice["session"]["state"], state, "{verb} twice: {twice}");
    }

    let refused = mizzen.run(&["rm", "web-shop", "--json"]);
    assert_eq!(
        (refused.code, &refused.error()["code"]),
        (6, &"state".into()),
        "{refused:?}"
    );
    mizzen.json(&["rm", "--force", "--volumes", "web-shop"]);
    assert_eq!(mizzen.json(&["list"]).as_array().unwrap().len(), 0);
    for kind in ["container", "network", "volume"] {
        assert_eq!(mizzen.leftovers(kind), Vec::<String>::new(), "{kind:?}");
    }
    assert!(
        folder.join("hello.txt").exists(),
        "the project is never touched"
    );
    assert_eq!(mizzen.run(&["rm", "web-shop"]).code, 5, "it is gone");
}

#[test]
fn the_list_of_a_person_is_aligned_and_without_colours_in_a_pipe() {
    let mizzen = Mizzen::new();
    let empty = mizzen.run(&["list"]);
    assert_eq!((empty.code, empty.stdout.as_str()), (0, ""));
    assert!(empty.stderr.contains("mizzen up"), "{empty:?}");

    let folder = mizzen.project("notes");
    mizzen.json(&["up", folder.to_str().unwrap()]);
    let list = mizzen.run(&["list"]);
    let lines: Vec<&str> = list.stdout.lines().collect();
    let column = lines[0].find("STATE").unwrap();
    assert_eq!(lines[1].find("running"), Some(column), "{list:?}");
    assert!(!list.stdout.contains('\x1b'), "{list:?}");
}

#[test]
fn up_without_a_folder_means_the_current_one() {
    let mizzen = Mizzen::new();
    let folder = mizzen.project("here");
    let up = mizzen
        .command(["up", "--json"])
        .current_dir(&folder)
        .output()
        .unwrap();
    assert!(up.status.success(), "{up:?}");
    assert_eq!(mizzen.session("here")["project"], folder.to_str().unwrap());
}
