use std::fs;
use std::path::Path;

use tempfile::TempDir;

use super::*;

mod tls;

/// The platform's own.
#[cfg(not(windows))]
const SOCKET: &str = "unix:///var/run/docker.sock";
#[cfg(windows)]
const SOCKET: &str = "npipe:////./pipe/docker_engine";

/// A scratch home whose `.docker` holds what a test puts there.
struct Home(TempDir);

impl Home {
    fn new() -> Self {
        Self(TempDir::new().expect("scratch folder"))
    }

    fn put(&self, path: &str, text: impl AsRef<[u8]>) {
        let path = self.0.path().join(".docker").join(path);
        fs::create_dir_all(path.parent().expect("has a parent")).expect("folder");
        mizzen_fsx::write_atomic(&path, text.as_ref()).expect("file");
    }

    fn meta(&self, name: &str, text: impl AsRef<[u8]>) {
        self.put(&format!("contexts/meta/{}/meta.json", id(name)), text);
    }

    fn context(&self, name: &str, host: &str) {
        let endpoints = serde_json::json!({ "docker": { "Host": host, "SkipTLSVerify": false } });
        let meta = serde_json::json!({ "Name": name, "Metadata": {}, "Endpoints": endpoints });
        self.meta(name, meta.to_string());
    }

    fn env(&self) -> SelectionEnv {
        SelectionEnv {
            home: self.0.path().to_owned(),
            ..SelectionEnv::default()
        }
    }
}

fn id(name: &str) -> String {
    use sha2::Digest as _;
    sha2::Sha256::digest(name)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

fn text(value: &str) -> Option<String> {
    Some(value.to_owned())
}

#[test]
fn a_context_lies_under_the_digest_of_its_name() {
    assert_eq!(
        id("containai-docker"),
        "64d389f24195eb02789e0d9203e1543fd15ef4679466ab7fca0bd768c1148991"
    );
}

#[test]
fn who_decides_on_the_engine() {
    let home = Home::new();
    home.context("flag", "unix:///flag.sock");
    home.context("variable", "unix:///variable.sock");
    home.context("current", "unix:///current.sock");
    let rows = [
        // (flag, DOCKER_HOST, DOCKER_CONTEXT, currentContext) -> (name, endpoint, decided by)
        (
            "flag",
            "unix:///h",
            "variable",
            "current",
            "flag",
            "unix:///flag.sock",
            SelectedBy::Flag,
        ),
        (
            "",
            "unix:///h",
            "variable",
            "current",
            "default",
            "unix:///h",
            SelectedBy::DockerHost,
        ),
        (
            "",
            "",
            "variable",
            "current",
            "variable",
            "unix:///variable.sock",
            SelectedBy::DockerContext,
        ),
        (
            "",
            "",
            "",
            "current",
            "current",
            "unix:///current.sock",
            SelectedBy::CurrentContext,
        ),
        ("", "", "", "", "default", SOCKET, SelectedBy::Default),
        (
            "",
            "",
            "default",
            "current",
            "default",
            SOCKET,
            SelectedBy::DockerContext,
        ),
        (
            "default",
            "unix:///h",
            "",
            "current",
            "default",
            "unix:///h",
            SelectedBy::Flag,
        ),
        (
            "",
            "",
            "",
            "default",
            "default",
            SOCKET,
            SelectedBy::CurrentContext,
        ),
    ];
    for (flag, host, variable, current, name, endpoint, selected_by) in rows {
        home.put(
            "config.json",
            serde_json::json!({ "currentContext": current }).to_string(),
        );
        let env = SelectionEnv {
            context: text(flag),
            docker_host: text(host),
            docker_context: text(variable),
            ..home.env()
        };
        let selected = select(&env).expect("selected");
        let row = (
            selected.name.as_str(),
            selected.endpoint.to_string(),
            selected.selected_by,
        );
        assert_eq!(row, (name, endpoint.to_owned(), selected_by), "{env:?}");
        let all = [
            (SelectedBy::Flag, flag),
            (SelectedBy::DockerHost, host),
            (SelectedBy::DockerContext, variable),
            (SelectedBy::CurrentContext, current),
        ];
        let says = all.into_iter().filter(|(_, says)| !says.is_empty());
        let later = says.filter(|(by, _)| *by != selected_by);
        let later = later.map(|(by, says)| Beaten {
            by,
            says: says.to_owned(),
        });
        assert_eq!(
            beaten(&env, selected_by),
            later.collect::<Vec<_>>(),
            "{env:?}"
        );
    }
}

#[test]
fn a_choice_that_does_not_count_is_told_without_its_password_and_needs_no_file() {
    let home = Home::new();
    home.put("config.json", "{");
    let env = SelectionEnv {
        context: text("lab"),
        docker_host: text("ssh://ada:secret@far"),
        ..home.env()
    };
    let all = [Beaten {
        by: SelectedBy::DockerHost,
        says: "ssh://ada:***@far".to_owned(),
    }];
    assert_eq!(beaten(&env, SelectedBy::Flag), all);
    assert_eq!(beaten(&env, SelectedBy::DockerHost), []);
}

#[test]
fn without_any_settings_it_is_the_platforms_own_engine() {
    let selected = select(&Home::new().env()).expect("selected");
    assert_eq!(selected.endpoint, Endpoint::platform_default());
    assert_eq!(selected.selected_by, SelectedBy::Default);
}

#[test]
fn docker_config_moves_the_whole_store() {
    let home = Home::new();
    home.context("work", "unix:///work.sock");
    home.put("config.json", r#"{"currentContext":"work"}"#);
    let elsewhere = SelectionEnv {
        docker_config: Some(home.0.path().join(".docker")),
        home: "/nonexistent".into(),
        ..SelectionEnv::default()
    };
    assert_eq!(select(&elsewhere).expect("selected").name, "work");
}

#[test]
fn a_store_is_read_as_the_cli_reads_it() {
    for (case, meta, endpoint) in [
        (
            "keys in any case",
            r#"{"name":"ctx","endpoints":{"docker":{"host":"unix:///a"}}}"#,
            "unix:///a",
        ),
        (
            "the last of two keys wins",
            r#"{"Name":"x","name":"ctx","Endpoints":{"docker":{"Host":"unix:///a","HOST":"unix:///b"}}}"#,
            "unix:///b",
        ),
        (
            "escapes are decoded",
            r#"{"Name":"\u0063tx","Endpoints":{"docker":{"Host":"unix:///a"}}}"#,
            "unix:///a",
        ),
        (
            "other endpoints and extra keys are no matter",
            r#"{"Name":"ctx","Metadata":{"Name":"other","x":[1,{}]},"Endpoints":{"kubernetes":{"Host":5},"docker":{"Host":"unix:///a"}},"N":1.5}"#,
            "unix:///a",
        ),
        (
            "no host is the platform's own",
            r#"{"Name":"ctx","Endpoints":{"docker":{}}}"#,
            SOCKET,
        ),
        (
            "loopback may be plain",
            r#"{"Name":"ctx","Endpoints":{"docker":{"Host":"tcp://127.0.0.1:2375"}}}"#,
            "tcp://127.0.0.1:2375",
        ),
        (
            "so may IPv6 loopback",
            r#"{"Name":"ctx","Endpoints":{"docker":{"Host":"tcp://[::1]:2375"}}}"#,
            "tcp://[::1]:2375",
        ),
    ] {
        let home = Home::new();
        home.meta("ctx", meta);
        let env = SelectionEnv {
            docker_context: text("ctx"),
            ..home.env()
        };
        assert_eq!(
            select(&env).expect(case).endpoint.to_string(),
            endpoint,
            "{case}"
        );
    }
}

#[test]
fn a_damaged_context_is_named_with_its_file() {
    for (case, meta) in [
        ("empty", &b""[..]),
        ("zero bytes", &[0; 64]),
        ("half", br#"{"Name":"ctx""#),
        ("array", b"[]"),
        ("null", b"null"),
        ("byte order mark", b"\xef\xbb\xbf{\"Name\":\"ctx\"}"),
        (
            "trailing bytes",
            br#"{"Name":"ctx","Endpoints":{"docker":{}}} x"#,
        ),
        (
            "host of the wrong type",
            br#"{"Name":"ctx","Endpoints":{"docker":{"Host":5}}}"#,
        ),
        (
            "name of the wrong type",
            br#"{"Name":5,"Endpoints":{"docker":{}}}"#,
        ),
        ("no name", br#"{"Endpoints":{"docker":{}}}"#),
        (
            "another's name",
            br#"{"Name":"other","Endpoints":{"docker":{}}}"#,
        ),
        ("no endpoint", br#"{"Name":"ctx"}"#),
        (
            "only another kind of endpoint",
            br#"{"Name":"ctx","Endpoints":{"Docker":{}}}"#,
        ),
        ("too large", &[b' '; (1 << 20) + 1]),
    ] {
        let home = Home::new();
        home.meta("ctx", meta);
        let env = SelectionEnv {
            docker_context: text("ctx"),
            ..home.env()
        };
        let error = select(&env).expect_err(case);
        assert!(matches!(error, SelectError::Store(_)), "{case}: {error:?}");
        assert!(error.to_string().contains("meta.json"), "{case}: {error}");
    }
}

#[test]
fn an_unreadable_configuration_is_an_error_and_not_another_engine() {
    for broken in ["{", "[]", r#"{"currentContext":5}"#] {
        let home = Home::new();
        home.put("config.json", broken);
        let error = select(&home.env()).expect_err(broken);
        assert!(error.to_string().contains("config.json"), "{error}");
    }
}

#[test]
fn a_broken_configuration_does_not_matter_when_a_variable_decides() {
    let home = Home::new();
    home.put("config.json", "{");
    let env = SelectionEnv {
        docker_host: text("unix:///h"),
        ..home.env()
    };
    assert_eq!(
        select(&env).expect("selected").endpoint.to_string(),
        "unix:///h"
    );
}

#[cfg(unix)]
#[test]
fn a_pipe_in_place_of_a_file_does_not_hang() {
    let home = Home::new();
    home.put("keep", "");
    let pipe = home.0.path().join(".docker/config.json");
    let made = std::process::Command::new("mkfifo")
        .arg(&pipe)
        .status()
        .expect("mkfifo runs");
    assert!(made.success());
    let error = select(&home.env()).expect_err("refused");
    assert!(error.to_string().contains("not a regular file"), "{error}");
}

#[cfg(unix)]
#[test]
fn a_configuration_behind_a_link_is_read() {
    let home = Home::new();
    home.context("work", "unix:///work.sock");
    home.put("dotfiles.json", r#"{"currentContext":"work"}"#);
    let link = home.0.path().join(".docker/config.json");
    std::os::unix::fs::symlink("dotfiles.json", link).expect("link");
    assert_eq!(select(&home.env()).expect("selected").name, "work");
}

#[test]
fn a_missing_context_says_who_asked_for_it() {
    let home = Home::new();
    home.put("config.json", r#"{"currentContext":"gone"}"#);
    let current = select(&home.env()).expect_err("dangling");
    assert!(
        current.hint().contains("docker context use default"),
        "{current}"
    );
    let env = SelectionEnv {
        docker_context: text("gone"),
        ..home.env()
    };
    let variable = select(&env).expect_err("dangling");
    assert!(
        variable.hint().contains("unset DOCKER_CONTEXT"),
        "{variable}"
    );
    assert_eq!(
        variable.to_string(),
        r#"the Docker context "gone" (DOCKER_CONTEXT) does not exist"#
    );
}

#[test]
fn bad_names_never_become_paths() {
    let home = Home::new();
    for name in ["../x", "a/b", "x", "-a", ".a", "a b", "é1", "a\0b"] {
        let env = SelectionEnv {
            context: text(name),
            ..home.env()
        };
        let refused = select(&env);
        assert!(
            matches!(refused, Err(SelectError::BadName(_))),
            "{name}: {refused:?}"
        );
    }
}

#[test]
fn an_engine_behind_ssh_is_selected_as_it_is_written() {
    let home = Home::new();
    home.context("far", "ssh://me@box:22/run/docker.sock");
    let env = SelectionEnv {
        context: text("far"),
        ..home.env()
    };
    let endpoint = select(&env).expect("selected").endpoint;
    assert_eq!(endpoint.to_string(), "ssh://me@box:22/run/docker.sock");
}

#[test]
fn row_51_addresses_that_are_none_are_never_dialled() {
    for (host, says, hint) in [
        ("foo://x", "\"foo\" is no way to an engine", "context use"),
        (
            "ssh://-oProxyCommand=x",
            "no name of a machine",
            "ssh://USER",
        ),
        ("ssh://u:secret@h", "no password: use a key", "ssh://USER"),
        ("ssh://h/s;id", "no plain path", "ssh://USER"),
        ("tcp://u:secret@h:1", "not an engine address", "write it as"),
    ] {
        let home = Home::new();
        home.context("ctx", host);
        let env = SelectionEnv {
            docker_context: text("ctx"),
            ..home.env()
        };
        let error = select(&env).expect_err(host);
        assert!(error.to_string().contains(says), "{host}: {error}");
        assert!(!error.to_string().contains("secret"), "{error}");
        assert!(error.hint().contains(hint), "{host}: {}", error.hint());
    }
}

#[test]
fn another_machine_s_root_never_goes_over_the_network_in_the_clear() {
    for host in [
        "tcp://box:2375",
        "tcp://10.0.0.1:2375",
        "tcp://localhost.evil.example:2375",
    ] {
        let home = Home::new();
        home.context("ctx", host);
        let env = SelectionEnv {
            docker_context: text("ctx"),
            ..home.env()
        };
        let error = select(&env).expect_err(host);
        assert!(error.to_string().contains("without encryption"), "{error}");
        assert!(error.hint().contains("ssh://"), "{host}");
    }
}

/// Whoever can lead the context elsewhere, a container as well, gets nothing from what was allowed before.
#[test]
fn what_a_person_allows_in_the_clear_is_one_context_at_one_address() {
    let home = Home::new();
    home.context("lab", "tcp://box");
    home.context("other", "tcp://box");
    let env = |context: &str| SelectionEnv {
        context: text(context),
        exposed: [("lab".to_owned(), "tcp://box:2375".to_owned())].into(),
        ..home.env()
    };
    let allowed = select(&env("lab")).expect("allowed").endpoint;
    assert_eq!(allowed.to_string(), "tcp://box:2375");
    let refused = |context: &str| {
        let error = select(&env(context)).expect_err("not allowed");
        assert!(error.to_string().contains("without encryption"), "{error}");
        assert!(error.hint().contains("mizzen engines allow"));
    };
    refused("other");
    home.context("lab", "tcp://elsewhere:2375");
    refused("lab");
    home.context("lab", "tcp://box:2376");
    refused("lab");
}

#[test]
fn variables_are_read_by_name() {
    let var = |name: &str| match name {
        "DOCKER_HOST" => Some("unix:///h".into()),
        "DOCKER_CONTEXT" => Some("ctx".into()),
        "DOCKER_CONFIG" => Some("/cfg".into()),
        "DOCKER_TLS" => Some("1".into()),
        "DOCKER_CERT_PATH" => Some("/certs".into()),
        _ => None,
    };
    let env = SelectionEnv::read("/home/me".into(), var);
    assert_eq!(env.docker_host.as_deref(), Some("unix:///h"));
    assert_eq!(env.docker_context.as_deref(), Some("ctx"));
    assert_eq!(env.docker_config.as_deref(), Some(Path::new("/cfg")));
    assert_eq!(env.docker_cert_path.as_deref(), Some(Path::new("/certs")));
    assert_eq!(env.docker_tls.as_deref(), Some("1"));
    assert_eq!(env.docker_tls_verify, None);
}
