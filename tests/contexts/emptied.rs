//! A side that loses everything takes nothing with it.

use std::fs;
use std::os::unix::fs::symlink;

use mizzen_core::view::{AlertKind, ContextsState, Snapshot};

use crate::rig::{Person, Side};

const NAMES: [&str; 3] = ["one", "two", "three"];

async fn three() -> (Person, mizzen_core::Client) {
    let (person, client) = Person::mirrored().await;
    for name in NAMES {
        person.context(Side::Host, &["create", name, "--docker", "host=ssh://h"]);
    }
    assert_eq!(person.in_step(&client).await.len(), 3);
    (person, client)
}

/// It stands like this, and the alert that says so is there.
fn is(state: ContextsState) -> impl Fn(&Snapshot) -> bool {
    let alert = match state {
        ContextsState::Held => AlertKind::ContextsHeld,
        _ => AlertKind::ContextsDamaged,
    };
    move |snapshot| {
        let mut alerts = snapshot.alerts.iter();
        snapshot.contexts.state == state && alerts.any(|one| one.kind == alert)
    }
}

#[tokio::test]
async fn contexts_that_all_go_at_once_are_asked_about() {
    let (person, client) = three().await;
    person.context(Side::Container, &[&["rm"], &NAMES[..]].concat());
    person
        .until(&client, "it is held", is(ContextsState::Held))
        .await;
    assert_eq!(person.store(Side::Host).len(), 3);
    assert_eq!(
        person.mizzen(&["contexts", "hold", "drop", "--all"]).code,
        0
    );
    assert_eq!(person.in_step(&client).await.len(), 3);
    person.context(Side::Host, &[&["rm"], &NAMES[..]].concat());
    person
        .until(&client, "it is held again", is(ContextsState::Held))
        .await;
    assert_eq!(
        person
            .mizzen(&["contexts", "hold", "approve", "--all"])
            .code,
        0
    );
    assert_eq!(person.in_step(&client).await.len(), 0);
}

/// Unmounted, or removed with all that is in it.
#[tokio::test]
async fn a_side_that_goes_and_comes_back_is_as_it_was() {
    let (person, client) = three().await;
    let (side, away) = (person.path(Side::Container), person.home().join("away"));
    #[expect(clippy::disallowed_methods, reason = "another program's doing")]
    let go = |from: &std::path::Path, to: &std::path::Path| fs::rename(from, to).unwrap();
    go(&side, &away);
    let snapshot = person
        .until(&client, "it stops", is(ContextsState::Halted))
        .await;
    assert!(
        snapshot
            .contexts
            .hint
            .unwrap()
            .contains("mizzen contexts setup")
    );
    assert!(!side.exists(), "never made unasked");
    person.context(Side::Host, &["create", "four", "--docker", "host=ssh://h"]);
    go(&away, &side);
    assert_eq!(person.in_step(&client).await.len(), 4);
    go(&side, &person.home().join("gone"));
    person
        .until(&client, "it stops", is(ContextsState::Halted))
        .await;
    assert_eq!(person.mizzen(&["contexts", "setup"]).code, 0);
    assert_eq!(person.in_step(&client).await.len(), 4);
}

#[tokio::test]
async fn a_link_in_the_store_s_place_is_not_followed() {
    let (person, client) = three().await;
    let contexts = person.path(Side::Container).join("contexts");
    let elsewhere = person.home().join("elsewhere");
    fs::create_dir_all(elsewhere.join("meta")).unwrap();
    #[expect(clippy::disallowed_methods, reason = "a container's doing")]
    fs::rename(&contexts, person.home().join("away")).unwrap();
    symlink(&elsewhere, &contexts).unwrap();
    let snapshot = person
        .until(&client, "it stops", is(ContextsState::Halted))
        .await;
    let problem = snapshot.contexts.container.problem.unwrap();
    assert!(problem.contains("a link, not a folder"), "{problem}");
    person.context(Side::Host, &["create", "four", "--docker", "host=ssh://h"]);
    assert_eq!(person.mizzen(&["contexts", "sync"]).code, 3);
    assert_eq!(fs::read_dir(elsewhere.join("meta")).unwrap().count(), 0);
    assert_eq!(fs::read_dir(&elsewhere).unwrap().count(), 1);
    assert_eq!(person.store(Side::Host).len(), 4);
}
