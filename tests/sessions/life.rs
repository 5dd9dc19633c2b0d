//! The whole life of a session, each verb twice.

use std::path::Path;

use mizzen_sessions::{CodeServer, Freshness, State, UpRequest, Wish, deaf};
use mizzen_wire::Control;
use tokio::io::{AsyncBufReadExt, BufReader};

use crate::rig::{Heard, REMOVE_ALL, Rig, SOON, USER, docker, mounted, of_folder, tree};

#[tokio::test(flavor = "multi_thread")]
async fn up_reports_every_phase_and_the_session_works() {
    let rig = Rig::new();
    let heard = Heard::default();
    let dir = rig.root.project("web");
    let request = of_folder(&dir);
    let done = rig
        .sessions
        .up(request, heard.listener())
        .await
        .expect("up");
    assert_eq!(done.message, "Session `web` is running.");
    assert_eq!(
        heard.ended(),
        [
            "Check Done",
            "Image Done",
            "Container Done",
            "Supervisor Done",
            "Workspace Done",
            "CodeServer Done"
        ]
    );
    let fact = done.session.expect("a session");
    assert_eq!(
        (fact.state, fact.code_server),
        (State::Running, CodeServer::Running)
    );
    assert_eq!(fact.phases.len(), 6);

    let wire = rig
        .sessions
        .wire("WEB")
        .await
        .expect("a wire, without case");
    Control::open(&wire)
        .await
        .expect("a control stream")
        .ping()
        .await
        .expect("an answer");

    assert_eq!(
        rig.inside("web", &["id"]),
        "uid=4321(coder) gid=4322(coder) groups=4322(coder)"
    );
    assert_eq!(
        rig.inside("web", &["sh", "-c", "echo $HOME $PARA_SESSION_NAME $(pwd)"]),
        "/home/coder web /workspace"
    );
    assert_eq!(
        rig.inside("web", &["cat", "/proc/1/comm"]),
        "mizzen-supervis"
    );
    rig.inside(
        "web",
        &[
            "touch",
            "/workspace/made-inside",
            "/home/coder/.config/kept",
            "/home/coder/.local/share/x",
        ],
    );

    let fact = rig
        .until("web", "heard", |fact| fact.freshness == Freshness::Fresh)
        .await;
    assert_eq!(
        fact.report.services.get("code-server").map(String::as_str),
        Some("running")
    );
    for (path, owner) in tree(&dir) {
        assert_eq!(owner, USER, "{} belongs to somebody else", path.display());
    }
    assert!(dir.join("made-inside").is_file());
    assert_eq!(
        std::fs::read_to_string(dir.join(".para/.gitignore")).unwrap(),
        "*\n"
    );
    rig.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_verb_is_idempotent_and_removal_leaves_the_project_alone() {
    let rig = Rig::new();
    let first = rig.up("web").await;
    assert_eq!(
        rig.up("web").await.container_id,
        first.container_id,
        "up again changes nothing"
    );

    for (wish, state, first_says, again_says) in [
        (
            Wish::Pause,
            State::Paused,
            "Session `web` is paused.",
            "Session `web` is already paused.",
        ),
        (
            Wish::Resume,
            State::Running,
            "Session `web` is running.",
            "Session `web` is already running.",
        ),
        (
            Wish::Stop,
            State::Stopped,
            "Session `web` is stopped.",
            "Session `web` is already stopped.",
        ),
        (
            Wish::Start,
            State::Running,
            "Session `web` is running.",
            "Session `web` is already running.",
        ),
    ] {
        assert_eq!(
            rig.wish("web", wish).await.expect("done").message,
            first_says
        );
        assert_eq!(rig.state("web"), Some(state));
        assert_eq!(
            rig.wish("web", wish).await.expect("done again").message,
            again_says
        );
    }
    let before = rig.fact("web").unwrap();
    assert_eq!(
        before.container_id, first.container_id,
        "one container all the way"
    );
    rig.wish("web", Wish::Restart).await.expect("restarted");
    let after = rig.fact("web").unwrap();
    assert_eq!(
        (after.state, &after.container_id),
        (State::Running, &before.container_id)
    );
    assert!(after.started_at > before.started_at);

    rig.inside("web", &["touch", "/home/coder/.config/kept"]);
    let force = Wish::Remove {
        force: true,
        volumes: false,
    };
    rig.inside(
        "web",
        &[
            "sh",
            "-c",
            "mkdir /para/status/logs && echo 42 passed > /para/status/logs/tests.log",
        ],
    );
    let said = rig.wish("web", force).await.expect("removed").message;
    let kept = said.strip_prefix("Session `web` is removed. Its last report and its logs are in `");
    let kept = Path::new(kept.unwrap().strip_suffix("`.").unwrap());
    let text = |name: &str| std::fs::read_to_string(kept.join(name)).unwrap();
    assert!(
        text("status.json").contains("\"final\": true"),
        "its last word"
    );
    assert_eq!(text("logs/tests.log"), "42 passed\n");
    assert!(
        text("container.log").contains("supervisor"),
        "{}",
        text("container.log")
    );
    assert!(
        text("end.txt").contains("It ended with exit code 0."),
        "{}",
        text("end.txt")
    );
    assert_eq!(rig.fact("web"), None);
    assert!(rig.root.on_engine("container").is_empty() && rig.root.on_engine("network").is_empty());
    let dir = rig.root.project("web");
    assert_eq!(
        tree(&dir).into_keys().collect::<Vec<_>>(),
        [dir.join("main.rs")],
        "the project as it was"
    );
    assert_eq!(rig.root.on_engine("volume").len(), 2, "its home is kept");

    rig.up("web").await;
    assert_eq!(
        rig.inside("web", &["ls", "/home/coder/.config/kept"]),
        "/home/coder/.config/kept"
    );
    rig.wish("web", REMOVE_ALL).await.expect("removed");
    assert!(rig.root.on_engine("volume").is_empty(), "its home went too");
    rig.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_is_stopped_holds_no_network() {
    let rig = Rig::new();
    let first = rig.up("web").await;
    let network = rig.root.on_engine("network");
    rig.wish("web", Wish::Stop).await.expect("stopped");
    assert!(rig.root.on_engine("network").is_empty());
    let again = rig.up("web").await;
    assert_eq!(again.container_id, first.container_id);
    assert_eq!(rig.root.on_engine("network"), network);
    rig.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_ups_at_once_are_one() {
    let rig = Rig::new();
    let dir = rig.root.project("web");
    let up = || rig.sessions.up(of_folder(&dir), deaf());
    let (one, two, three) = tokio::join!(up(), up(), up());
    let ids = [one, two, three].map(|done| done.expect("up").session.unwrap().container_id.clone());
    assert!(
        ids[0].is_some() && ids.iter().all(|id| *id == ids[0]),
        "{ids:?}"
    );
    assert_eq!(rig.root.on_engine("container").len(), 1);
    rig.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_removal_that_is_forced_interrupts_an_up() {
    let rig = Rig::new();
    let dir = rig.root.project("web");
    let up = rig.sessions.up(of_folder(&dir), deaf());
    let remove = async {
        rig.until("web", "under way", |fact| fact.phases.len() >= 3)
            .await;
        rig.wish("web", REMOVE_ALL).await
    };
    let (up, remove) = tokio::join!(up, remove);
    remove.expect("removed");
    assert!(up.unwrap_err().message.contains("given up"));
    assert_eq!(rig.fact("web"), None);
    for kind in ["container", "network", "volume"] {
        assert!(rig.root.on_engine(kind).is_empty(), "{kind}");
    }
    assert!(!dir.join(".para").exists());
    rig.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_up_during_a_removal_makes_the_session_anew() {
    let rig = Rig::new();
    let first = rig.up("web").await;
    let remove = rig.wish(
        "web",
        Wish::Remove {
            force: true,
            volumes: false,
        },
    );
    let up = async {
        rig.until_state("web", State::Removing).await;
        rig.up("web").await
    };
    let (remove, second) = tokio::join!(remove, up);
    remove.expect("removed");
    assert_eq!(second.state, State::Running);
    assert_ne!(second.container_id, first.container_id);
    assert_eq!(rig.root.on_engine("container").len(), 1);
    rig.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn other_limits_make_the_container_anew() {
    let rig = Rig::new();
    let dir = rig.root.project("web");
    rig.up("web").await;
    let more = UpRequest {
        dir,
        memory_bytes: Some(300 << 20),
        ..mounted()
    };
    let refused = rig.sessions.up(more.clone(), deaf()).await.unwrap_err();
    assert_eq!(
        refused.message,
        "Session `web` runs with another image or other limits."
    );
    rig.wish("web", Wish::Stop).await.expect("stopped");
    let fact = rig
        .sessions
        .up(more, deaf())
        .await
        .expect("up")
        .session
        .unwrap();
    let limit = docker(&[
        "inspect",
        "--format",
        "{{.HostConfig.Memory}}",
        fact.container_id.as_deref().unwrap(),
    ]);
    assert_eq!(limit, (300_u64 << 20).to_string());
    assert_eq!(
        rig.root.on_engine("container").len(),
        1,
        "the old one is gone"
    );
    rig.end().await;
}

/// code-server loads its editor with the first page that somebody asks for.
#[tokio::test(flavor = "multi_thread")]
async fn a_start_asks_for_the_page_before_a_browser_does() {
    let rig = Rig::new();
    let id = rig.up("web").await.container_id.unwrap();
    let mut logs = tokio::process::Command::new("docker")
        .args(["logs", "--follow", &id])
        .stdout(std::process::Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(logs.stdout.take().unwrap()).lines();
    let asked = async {
        while let Some(line) = lines.next_line().await.unwrap() {
            if line == "code-server: asked for /" {
                return true;
            }
        }
        false
    };
    assert!(tokio::time::timeout(SOON, asked).await.unwrap());
    rig.end().await;
}
