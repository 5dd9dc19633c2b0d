//! What is known against an engine, as a person is told.

use mizzen_core::view::EngineState;
use mizzen_testkit::fake_engine::{FakeEngine, Reply, well};
use mizzen_tests::rig::{Mizzen, until};

const HOLE: &str = "Docker Desktop 4.43.0: any container can reach the engine, and so the whole machine (CVE-2025-9074)";
const RUNC: &str = "runc 1.1.12: a container can leave through mounts that it changes while it starts \
                    (CVE-2025-31133, CVE-2025-52565, CVE-2025-52881)";

/// An engine of these versions, which the machine's own is not.
fn engine(desktop: &'static str, runc: &'static str) -> FakeEngine {
    FakeEngine::start(move |request| {
        if !request.contains("/version") {
            return well(request, Reply::StreamThenSilence(Vec::new()));
        }
        let version = serde_json::json!({
            "Platform": { "Name": desktop },
            "Components": [{ "Name": "runc", "Version": runc }],
            "Version": "28.3.3",
            "ApiVersion": "1.51",
            "Os": "linux",
            "Arch": "amd64",
        });
        Reply::Json(200, version.to_string())
    })
    .expect("a socket")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_version_with_a_known_hole_is_told_wherever_the_engine_is_shown() {
    let told = |warnings: &[String]| {
        let holes = warnings.iter().map(|one| one.split("; ").next().unwrap());
        assert_eq!(holes.collect::<Vec<_>>(), [HOLE, RUNC]);
        assert!(warnings.iter().all(|one| one.contains("; bring it to ")));
    };
    let old = engine("Docker Desktop 4.43.0 (198134)", "1.1.12+ds1");
    let mizzen = Mizzen::on(format!("unix://{}", old.socket().display()));
    let client = mizzen.client().await;
    let (snapshot, _) = until(&client, "the engine answers", |snapshot| {
        let mut engines = snapshot.engines.iter();
        engines.any(|engine| engine.state == EngineState::Online)
    })
    .await;
    told(&snapshot.engines[0].warnings);

    let listed = mizzen.json(&["engines"]);
    let warnings = listed[0]["warnings"].as_array().unwrap().iter();
    let warnings = warnings.map(|one| one.as_str().unwrap().to_owned());
    told(&warnings.collect::<Vec<_>>());
    let said = mizzen.run(&["engines"]);
    for hole in [HOLE, RUNC] {
        assert!(
            said.stderr.contains(&format!("! default: {hole}")),
            "{said:?}"
        );
    }

    let new = engine("Docker Desktop 4.44.3 (202357)", "1.3.3");
    let mizzen = Mizzen::on(format!("unix://{}", new.socket().display()));
    let client = mizzen.client().await;
    let (snapshot, _) = until(&client, "the engine answers", |snapshot| {
        let mut engines = snapshot.engines.iter();
        engines.any(|engine| engine.state == EngineState::Online)
    })
    .await;
    assert_eq!(snapshot.engines[0].warnings, [""; 0]);
}
