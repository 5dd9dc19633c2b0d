//! History that does not come through is told, and comes as soon as it can.

use std::fs;
use std::path::Path;

use mizzen_core::view::{AlertKind, Snapshot};
use mizzen_tests::rig::{Mizzen, find, until};

use super::{head, inside, make_repository, phase, refs, up_with_git, write};

/// Makes the folder's repository one that is left alone, as one that a container may have led elsewhere.
fn lead_elsewhere(folder: &Path) {
    write(folder, ".git/objects/info/alternates", "/srv/elsewhere\n");
}

fn lead_back(folder: &Path) {
    fs::remove_file(folder.join(".git/objects/info/alternates")).expect("it is there");
}

fn told(snapshot: &Snapshot) -> Option<String> {
    let mut alerts = snapshot.alerts.iter();
    let alert = alerts.find(|alert| alert.kind == AlertKind::HistoryStays)?;
    Some(format!("{} {}", alert.message, alert.hint))
}

fn branch(snapshot: &Snapshot) -> Option<&str> {
    find(snapshot, "web")?.branch.as_deref()
}

#[tokio::test]
async fn history_that_stays_is_an_alert_until_it_has_come() {
    let mizzen = Mizzen::new();
    let folder = mizzen.project("p");
    make_repository(&folder, &[]);
    lead_elsewhere(&folder);
    up_with_git(&mizzen, &folder);
    assert_eq!(phase(&mizzen).0, "failed");
    let client = mizzen.client().await;
    let (snapshot, _) = until(&client, "told", |it| told(it).is_some()).await;
    let told_so = told(&snapshot).unwrap();
    assert!(
        told_so.contains("it borrows objects of another one"),
        "{told_so}"
    );
    assert_eq!(branch(&snapshot), None);

    lead_back(&folder);
    let has_come = |it: &Snapshot| branch(it) == Some("mizzen/web") && told(it).is_none();
    until(&client, "come", has_come).await;
    assert_eq!(
        phase(&mizzen),
        ("done".to_owned(), "It came through later.".to_owned())
    );
    let said = inside(&mizzen, "git status --porcelain; git rev-parse HEAD");
    assert_eq!(said, head(&folder));
}

#[tokio::test]
async fn a_workspace_that_comes_in_step_later_gets_its_repository_then() {
    let mizzen = Mizzen::new();
    let folder = mizzen.project("p");
    write(&folder, "mizzen.toml", "[sync]\nignroe = []\n");
    make_repository(&folder, &[]);
    up_with_git(&mizzen, &folder);
    let client = mizzen.client().await;
    assert_eq!(branch(&client.snapshot().await.unwrap()), None);
    write(&folder, "mizzen.toml", "[sync]\nignore = []\n");
    until(&client, "come", |it| branch(it) == Some("mizzen/web")).await;
    assert_eq!(inside(&mizzen, "git status --porcelain"), " M mizzen.toml");
}

#[tokio::test]
async fn commits_that_a_stop_left_there_come_after_the_next_start() {
    let mizzen = Mizzen::new();
    let folder = mizzen.project("p");
    make_repository(&folder, &[]);
    up_with_git(&mizzen, &folder);
    let client = mizzen.client().await;
    let made = inside(
        &mizzen,
        "git commit -qm x --allow-empty; git rev-parse HEAD",
    );
    lead_elsewhere(&folder);
    mizzen.json(&["stop", "web"]);
    until(&client, "told", |it| told(it).is_some()).await;
    let only_there = mizzen.session("web")["only_there"].clone();
    let only_there = only_there.as_str().expect("a reason");
    assert!(
        only_there.starts_with("What was committed there was not fetched:"),
        "{only_there}"
    );
    assert_eq!(mizzen.run(&["rm", "--volumes", "web"]).code, 6);

    lead_back(&folder);
    mizzen.json(&["start", "web"]);
    until(&client, "come", |it| told(it).is_none()).await;
    let ours = format!("refs/mizzen/web/mizzen/web {made}");
    assert!(refs(&folder).contains(&ours), "{:?}", refs(&folder));
    mizzen.json(&["stop", "web"]);
    mizzen.json(&["rm", "--volumes", "web"]);
}

#[tokio::test]
async fn commits_of_a_workspace_without_a_repository_on_the_host_do_not_go_unasked() {
    let mizzen = Mizzen::new();
    let folder = mizzen.project("p");
    up_with_git(&mizzen, &folder);
    let identity = "git -c user.name=a -c user.email=b";
    inside(
        &mizzen,
        &format!("git init -q; {identity} commit -qm x --allow-empty"),
    );
    mizzen.json(&["stop", "web"]);
    let refused = mizzen.run(&["rm", "--volumes", "web", "--json"]);
    let message = refused.error()["message"].to_string();
    assert_eq!(refused.code, 6, "{refused:?}");
    assert!(
        message.contains("not the top of a git repository"),
        "{message}"
    );
}
