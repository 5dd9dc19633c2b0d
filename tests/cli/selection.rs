//! Which engine is meant where nobody names one: the one that the Docker command line would use.

use mizzen_tests::far_machine::a_person;

/// Nothing has to be started anew for it.
#[test]
fn a_context_that_is_selected_while_mizzen_runs_serves_what_names_none() {
    let (mut mizzen, _contexts) = a_person().unwrap();
    for name in ["near", "far"] {
        let host = format!("host={SOCKET}");
        let made = mizzen.docker(&["context", "create", name, "--docker", &host]);
        assert_eq!(made.code, 0, "{made:?}");
    }
    mizzen.set_env("DOCKER_HOST", "");
    mizzen.set_env("DOCKER_CONTEXT", "");
    for name in ["near", "far"] {
        let chosen = mizzen.docker(&["context", "use", name]);
        assert_eq!(chosen.code, 0, "{chosen:?}");
        let folder = mizzen.project(&format!("on-{name}"));
        let up = mizzen.json(&["up", folder.to_str().unwrap()]);
        assert_eq!(up["session"]["engine"], name, "{up}");
        let engines = mizzen.json(&["engines"]);
        let mut all = engines.as_array().unwrap().iter();
        let selected = all.find(|engine| engine["name"] == name).unwrap();
        assert_eq!(selected["selected_by"], "docker context use", "{engines}");
        assert_eq!(selected["state"], "online", "{engines}");
    }
    // A shell that means another one is told that it is not heard.
    mizzen.set_env("DOCKER_CONTEXT", "near");
    let folder = mizzen.project("unheard");
    for args in [&["engines"][..], &["up", folder.to_str().unwrap()]] {
        let said = mizzen.run(args);
        assert_eq!(said.code, 0, "{said:?}");
        let told = "DOCKER_CONTEXT=near of this shell does not count";
        assert!(said.stderr.contains(told), "{said:?}");
    }
}

const SOCKET: &str = "unix:///var/run/docker.sock";

#[test]
fn the_engine_that_the_docker_command_line_would_use_is_selected_and_it_is_said_why() {
    let (mut mizzen, _contexts) = a_person().unwrap();
    for name in ["near", "far"] {
        let host = format!("host={SOCKET}");
        let made = mizzen.docker(&["context", "create", name, "--docker", &host]);
        assert_eq!(made.code, 0, "{made:?}");
    }
    for (host, variable, used, name, by) in [
        ("", "", "default", "default", "default"),
        ("", "", "far", "far", "docker context use"),
        ("", "near", "far", "near", "DOCKER_CONTEXT"),
        (SOCKET, "near", "far", "default", "DOCKER_HOST"),
    ] {
        mizzen.set_env("DOCKER_HOST", "");
        mizzen.set_env("DOCKER_CONTEXT", "");
        let chosen = mizzen.docker(&["context", "use", used]);
        assert_eq!(chosen.code, 0, "{chosen:?}");
        mizzen.set_env("DOCKER_HOST", host);
        mizzen.set_env("DOCKER_CONTEXT", variable);
        let theirs = mizzen.docker(&["context", "inspect", "--format", "{{.Name}}"]);
        assert_eq!(theirs.stdout.trim(), name, "{theirs:?}");

        let engines = mizzen.json(&["engines"]);
        let selected = engines.as_array().unwrap().iter();
        let selected: Vec<_> = selected
            .filter(|engine| !engine["selected_by"].is_null())
            .map(|engine| (engine["name"].as_str(), engine["selected_by"].as_str()))
            .collect();
        assert_eq!(selected, [(Some(name), Some(by))], "{engines}");
        assert_eq!(mizzen.run(&["serve", "--stop"]).code, 0);
    }
}
