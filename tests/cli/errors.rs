//! Refusals: a sentence, a next step and an exit code.

use mizzen_tests::rig::Mizzen;

#[test]
fn a_bad_name_is_usage() {
    let mizzen = Mizzen::new();
    let folder = mizzen.project("p");
    let dir = folder.to_str().unwrap();
    for name in ["shared", "../x", "", "-x", "a b", &"n".repeat(300)] {
        let name = format!("--name={name}");
        let said = mizzen.run(&["up", dir, &name, "--json"]);
        let error = said.error();
        assert_eq!(
            (said.code, &error["code"]),
            (2, &"usage".into()),
            "{name}: {said:?}"
        );
        assert_ne!(error["hint"], "", "{name}");
    }
    assert_eq!(mizzen.json(&["list"]).as_array().unwrap().len(), 0);
}

#[test]
fn a_bad_folder_is_refused_before_anything_is_made() {
    let mizzen = Mizzen::new();
    let missing = mizzen.run(&["up", "/no/such/folder"]);
    assert_eq!(missing.code, 2, "{missing:?}");
    let folder = mizzen.project("root-owned");
    std::os::unix::fs::chown(&folder, Some(0), Some(0)).unwrap();
    let said = mizzen.run(&["up", folder.to_str().unwrap(), "--json"]);
    let error = said.error();
    assert_eq!(
        (said.code, &error["code"]),
        (6, &"policy".into()),
        "{said:?}"
    );
    assert!(error["hint"].as_str().unwrap().contains("chown"), "{error}");
    assert_eq!(mizzen.leftovers("container"), Vec::<String>::new());
}

#[test]
fn the_limit_names_its_setting() {
    let mizzen = Mizzen::new();
    mizzen.set("max_running = 1");
    let (one, two) = (mizzen.project("one"), mizzen.project("two"));
    mizzen.json(&["up", one.to_str().unwrap()]);
    let said = mizzen.run(&["up", two.to_str().unwrap(), "--json"]);
    let error = said.error();
    assert_eq!(
        (said.code, &error["code"]),
        (6, &"limit".into()),
        "{said:?}"
    );
    assert!(
        error["message"].as_str().unwrap().contains("max_running"),
        "{error}"
    );
    let list = mizzen.json(&["list"]);
    assert_eq!(
        list.as_array().unwrap().len(),
        1,
        "nothing half-made: {list}"
    );
}

#[test]
fn what_is_not_there_is_not_found() {
    let mizzen = Mizzen::new();
    for verb in ["stop", "show", "open", "logs", "shell"] {
        let said = mizzen.run(&[verb, "x"]);
        assert_eq!(said.code, 5, "{verb}: {said:?}");
        let sentence = said.stderr.trim_end();
        assert_eq!(sentence.lines().count(), 1, "{said:?}");
        assert!(
            sentence.starts_with("mizzen: There is no session `x`. "),
            "{said:?}"
        );
    }
    let folder = mizzen.project("p");
    let other = mizzen.run(&["up", folder.to_str().unwrap(), "--engine", "nowhere"]);
    assert_eq!(other.code, 5, "{other:?}");
}

#[test]
fn bad_settings_name_their_line() {
    let mizzen = Mizzen::new();
    mizzen.set("max_runing = 3");
    let said = mizzen.run(&["list", "--json"]);
    let error = said.error();
    assert_eq!(said.code, 1, "{said:?}");
    let message = error["message"].as_str().unwrap();
    assert!(
        message.contains("line 4") && message.contains("max_runing"),
        "{message}"
    );
    // What the person who repaired it expects to work.
    mizzen.set("max_running = 3");
    assert_eq!(mizzen.run(&["list"]).code, 0);
}

#[test]
fn usage_is_told_in_json_where_that_was_asked_for() {
    let mizzen = Mizzen::new();
    let said = mizzen.run(&["frobnicate", "--json"]);
    assert_eq!(
        (said.code, &said.error()["code"]),
        (2, &"usage".into()),
        "{said:?}"
    );
    assert_eq!(mizzen.run(&["up", "--memory", "lots"]).code, 2);
}
