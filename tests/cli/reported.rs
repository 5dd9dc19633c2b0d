//! What a container says of itself, as a person sees it.

use std::fs;
use std::path::{Path, PathBuf};

use mizzen_core::view::SessionView;
use mizzen_tests::own_core::full_image;
use mizzen_tests::rig::{Mizzen, find, until};

fn up(mizzen: &Mizzen, more: &[&str]) -> PathBuf {
    let folder = mizzen.project("p");
    let dir = folder.to_str().expect("UTF-8");
    mizzen.json(&[&["up", dir, "--workspace", "bind"], more].concat());
    folder
}

/// Waits until the session is seen to be so.
async fn seen(mizzen: &Mizzen, what: &str, is_so: impl Fn(&SessionView) -> bool) {
    let client = mizzen.client().await;
    until(&client, what, |snapshot| {
        find(snapshot, "p").is_some_and(&is_so)
    })
    .await;
}

fn report(mizzen: &Mizzen, words: &[&str]) {
    let report = ["exec", "p", "--", "mizzen-supervisor", "report"];
    let said = mizzen.run(&[&report, words].concat());
    assert_eq!(said.code, 0, "{said:?}");
}

/// A title and its text in one row of what is shown.
fn has(shown: &str, title: &str, text: &str) -> bool {
    let mut rows = shown.lines().map(|line| line.split_once(title));
    rows.any(|row| {
        row.is_some_and(|(before, after)| before.trim().is_empty() && after.trim() == text)
    })
}

#[tokio::test]
async fn what_a_container_reports_is_listed_shown_and_told_as_alerts() {
    let mizzen = Mizzen::new();
    up(&mizzen, &[]);
    let phase = ["--phase", "building", "--progress", "45/100"];
    let rest = ["--message", "Compiling", "--service", "db=running"];
    report(&mizzen, &[phase, rest].concat());
    report(&mizzen, &["--warning", "Low disk space"]);
    seen(&mizzen, "the warning", |session| {
        session.warnings == ["Low disk space"]
    })
    .await;
    let list = mizzen.run(&["list"]);
    assert!(
        list.stdout.contains("building: Compiling, 45 %"),
        "{list:?}"
    );
    let alert = "Session `p` reports a warning: Low disk space.";
    assert!(list.stderr.contains(alert), "{list:?}");
    let shown = mizzen.run(&["show", "p"]).stdout;
    for (title, text) in [
        ("phase", "building"),
        ("progress", "45 of 100: Compiling"),
        ("service", "db: running"),
        ("service", "code-server: running"),
        ("warning", "Low disk space"),
    ] {
        assert!(has(&shown, title, text), "{title}: {text}\n{shown}");
    }
    assert!(shown.contains(alert), "{shown}");
    report(&mizzen, &["--error", "the database is gone"]);
    seen(&mizzen, "the error", |session| {
        session.attention.text == "reports: the database is gone"
    })
    .await;
    let list = mizzen.run(&["list"]);
    for alert in [alert, "Session `p` reports an error: the database is gone."] {
        assert!(list.stderr.contains(alert), "{list:?}");
    }
    report(&mizzen, &["--clear"]);
    seen(&mizzen, "nothing of it", |session| {
        session.warnings.is_empty() && session.errors.is_empty() && session.progress.is_none()
    })
    .await;
}

/// The agent of the protocol's document, letter by letter, in a session: it writes over the supervisor's reports, and
/// neither takes anything from the other.
#[tokio::test]
async fn the_first_agent_is_shown_as_what_it_says_and_takes_nothing_away() {
    let mizzen = Mizzen::new();
    let more = [
        "--image",
        &full_image().expect("an image"),
        "--memory",
        "1g",
    ];
    let folder = up(&mizzen, &more);
    let kit = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/protocol");
    fs::copy(kit.join("golden/first-agent.sh"), folder.join("agent")).unwrap();
    let id = mizzen.session("p")["container_id"].clone();
    let id = id.as_str().expect("a container");
    let started = mizzen.docker(&["exec", "--detach", id, "bash", "/workspace/agent"]);
    assert_eq!(started.code, 0, "{started:?}");
    let says = |session: &SessionView| {
        let message = session.progress.as_ref().map(|it| it.message.as_str());
        session.phase.as_deref() == Some("idle") && message == Some("Waiting for commands...")
    };
    seen(&mizzen, "what it says", says).await;
    let shown = mizzen.run(&["show", "p"]).stdout;
    for (title, text) in [
        ("health", "healthy"),
        ("phase", "idle"),
        ("progress", "Waiting for commands..."),
    ] {
        assert!(has(&shown, title, text), "{title}: {text}\n{shown}");
    }
    let ran = mizzen.run(&["exec", "p", "--", "echo", "beside it"]);
    assert_eq!(
        (ran.code, ran.stdout.as_str()),
        (0, "beside it\n"),
        "{ran:?}"
    );
    seen(&mizzen, "what both say", |session| {
        says(session)
            && session
                .services
                .get("code-server")
                .is_some_and(|it| it == "running")
    })
    .await;
}
