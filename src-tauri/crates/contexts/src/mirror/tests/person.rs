//! What a person asks: setup, undo, consent.

use super::*;

#[test]
fn setup_makes_what_is_missing_and_overwrites_nothing() {
    let mut rig = Rig::new();
    fs::remove_dir(rig.path(CONTAINER)).unwrap();
    rig.pass();
    assert_eq!(rig.status().standing, Standing::Off);
    let all = SetUp {
        folder: true,
        config: true,
        context: true,
    };
    assert_eq!(rig.mirror().setup().unwrap(), all);
    let side = rig.path(CONTAINER);
    assert_eq!(mode(&side), 0o700);
    assert_eq!(mode(&side.join("config.json")), 0o600);
    let config: serde_json::Value =
        serde_json::from_slice(&fs::read(side.join("config.json")).unwrap()).unwrap();
    assert_eq!(
        config,
        serde_json::json!({"currentContext": "containai-docker"})
    );
    let meta = fs::read_to_string(rig.meta(CONTAINER, "containai-docker")).unwrap();
    assert!(
        meta.contains(r#""Host":"unix:///var/run/docker.sock""#),
        "{meta}"
    );
    assert!(!rig.meta(HOST, "containai-docker").exists());
    assert_eq!(rig.mirror().setup().unwrap(), SetUp::default());
    fs::write(side.join("config.json"), "{not mine").unwrap();
    rig.write(CONTAINER, "containai-docker", "unix:///other", "");
    assert_eq!(rig.mirror().setup().unwrap(), SetUp::default());
    assert_eq!(
        fs::read_to_string(side.join("config.json")).unwrap(),
        "{not mine"
    );
    let meta = fs::read_to_string(rig.meta(CONTAINER, "containai-docker")).unwrap();
    assert!(meta.contains("unix:///other"));
}

#[test]
fn row_49_a_container_s_change_is_told_and_undone() {
    let mut rig = Rig::new();
    rig.write(HOST, "prod", "ssh://prod", "");
    rig.pass();
    rig.write(CONTAINER, "prod", "tcp://evil:2376", "ca.pem=1");
    let pass = rig.pass();
    let change = pass.changes[0].clone();
    assert!(change.is_grave && change.from == CONTAINER);
    assert_eq!(
        change.message,
        "`prod` was changed on the container side: it leads to tcp://evil:2376 now, not to ssh://prod; it has TLS material now."
    );
    rig.mirror().undo(change.id).unwrap();
    assert_eq!(rig.both(), "prod ssh://prod");
    assert_eq!(rig.told(), "");
    assert!(
        matches!(rig.mirror().undo(change.id), Err(MirrorError::Refused(_))),
        "only once"
    );
    assert!(matches!(
        rig.mirror().undo(99),
        Err(MirrorError::Unknown { .. })
    ));

    rig.delete(CONTAINER, "prod");
    let deleted = rig.pass().changes[0].clone();
    assert!(deleted.is_grave);
    rig.mirror().undo(deleted.id).unwrap();
    assert_eq!(rig.both(), "prod ssh://prod");

    rig.write(CONTAINER, "new", "unix:///n", "");
    let created = rig.pass().changes[0].clone();
    assert!(!created.is_grave);
    rig.mirror().undo(created.id).unwrap();
    assert_eq!(rig.both(), "prod ssh://prod");
    // A new start remembers all of it.
    rig.reopen();
    let actions: Vec<Action> = rig
        .mirror()
        .history()
        .map(|(change, _)| change.action)
        .collect();
    assert_eq!(
        actions,
        [
            Action::Undone,
            Action::Created,
            Action::Undone,
            Action::Deleted,
            Action::Undone,
            Action::Changed,
            Action::Created
        ]
    );
    assert_eq!(rig.told(), "");
}

#[test]
fn row_49_what_a_container_did_in_a_row_is_undone_as_one() {
    let mut rig = Rig::new();
    rig.write(HOST, "prod", "ssh://prod", "");
    rig.pass();
    let changed = |rig: &mut Rig, side: Side, host: &str| {
        rig.write(side, "prod", host, "");
        rig.pass().changes[0].clone()
    };
    let first = changed(&mut rig, CONTAINER, "tcp://evil:1");
    rig.delete(CONTAINER, "prod");
    rig.pass();
    let last = changed(&mut rig, CONTAINER, "tcp://evil:2");
    assert_eq!(rig.mirror().first_of_run(&last), first.id);
    rig.mirror().undo(first.id).unwrap();
    assert_eq!(rig.both(), "prod ssh://prod");
    let refused = rig.mirror().undo(last.id).unwrap_err();
    assert!(refused.to_string().ends_with("was undone already"));

    // A person's change in between is not taken back with a container's.
    let before = changed(&mut rig, CONTAINER, "tcp://evil:3");
    changed(&mut rig, HOST, "ssh://mine");
    let after = changed(&mut rig, CONTAINER, "tcp://evil:4");
    assert_eq!(rig.mirror().first_of_run(&after), after.id);
    let refused = rig.mirror().undo(before.id).unwrap_err();
    assert!(refused.to_string().contains("has changed on"), "{refused}");
    rig.mirror().undo(after.id).unwrap();
    assert_eq!(rig.both(), "prod ssh://mine");

    // The last one alone, and then what was before it.
    let one = changed(&mut rig, CONTAINER, "tcp://evil:5");
    let two = changed(&mut rig, CONTAINER, "tcp://evil:6");
    rig.mirror().undo(two.id).unwrap();
    assert_eq!(rig.both(), "prod tcp://evil:5");
    rig.mirror().undo(one.id).unwrap();
    assert_eq!(rig.both(), "prod ssh://mine");
}

#[test]
fn row_49_what_a_person_wrote_comes_back_however_often_a_container_changed_it() {
    let mut rig = Rig::new();
    rig.write(HOST, "prod", "ssh://prod", "");
    rig.pass();
    let changes = (0..40).map(|number| {
        rig.write(CONTAINER, "prod", &format!("tcp://evil:{number}"), "");
        rig.pass().changes[0].id
    });
    let first = changes.collect::<Vec<_>>()[0];
    rig.mirror().undo(first).unwrap();
    assert_eq!(rig.both(), "prod ssh://prod");
}

#[test]
fn row_49_strict_holds_a_container_s_change() {
    let mut rig = Rig::new();
    rig.wish(|wishes| wishes.strict = true);
    rig.write(HOST, "prod", "ssh://prod", "");
    rig.pass();
    rig.write(CONTAINER, "prod", "tcp://evil:2376", "");
    assert_eq!(rig.told(), "");
    assert_eq!(rig.draw(HOST), "prod ssh://prod");
    let status = rig.status();
    assert_eq!(status.standing, Standing::Held);
    assert_eq!(
        status.holds[0].message,
        "`prod` was changed on the container side: it leads to tcp://evil:2376 now, not to ssh://prod."
    );
    let unknown = rig.mirror().approve(Some("nothing")).unwrap_err();
    assert!(matches!(unknown, MirrorError::Unknown { .. }));
    let id = status.holds[0].id.clone();
    rig.mirror().drop_held(Some(&id)).unwrap();
    assert_eq!(rig.both(), "prod ssh://prod");
    assert_eq!(rig.mirror().trash().unwrap()[0].endpoint, "tcp://evil:2376");
    rig.write(CONTAINER, "prod", "ssh://other", "");
    rig.mirror().approve(None).unwrap();
    assert_eq!(rig.both(), "prod ssh://other");
    rig.delete(CONTAINER, "prod");
    assert_eq!(rig.told(), "");
    assert_eq!(rig.status().contexts[0].standing, ContextStanding::Held);
}

#[test]
fn a_context_that_is_left_alone_stays_on_its_side() {
    let mut rig = Rig::new();
    rig.wish(|wishes| wishes.no_sync = ["secret".to_owned()].into());
    rig.write(HOST, "secret", "tcp://h:1", "key.pem=1");
    rig.write(HOST, "open", "unix:///a", "");
    assert_eq!(
        rig.told(),
        "`open` is new on the host: it leads to unix:///a."
    );
    assert_eq!(rig.draw(CONTAINER), "open unix:///a");
    assert!(
        rig.status()
            .contexts
            .iter()
            .any(|one| one.standing == ContextStanding::NotSynced)
    );
    rig.wish(|wishes| wishes.no_sync.clear());
    rig.pass();
    assert_eq!(rig.both(), "open unix:///a\nsecret tcp://h:1 key.pem=1");
}

#[test]
fn what_is_left_alone_from_now_on_is_still_in_containers_and_the_status_says_how_to_take_it_from_them()
 {
    let mut rig = Rig::new();
    rig.write(HOST, "secret", "tcp://h:1", "key.pem=1");
    rig.write(HOST, "plain", "ssh://h", "");
    rig.pass();
    rig.wish(|wishes| wishes.no_sync = ["secret".to_owned(), "plain".to_owned()].into());
    rig.pass();
    let reason = |rig: &Rig, name: &str| {
        let contexts = rig.status().contexts;
        let one = contexts.iter().find(|one| one.name == name).unwrap();
        assert_eq!(one.standing, ContextStanding::NotSynced);
        one.reason.clone()
    };
    let config = rig.path(CONTAINER).display().to_string();
    assert_eq!(
        reason(&rig, "secret").unwrap(),
        format!(
            "Containers still have `secret` with its TLS keys. Take it from them: \
             `docker --config {config} context rm secret`"
        )
    );
    assert!(
        reason(&rig, "plain")
            .unwrap()
            .starts_with("Containers still have `plain`. ")
    );
    // Taken from them, it stays on the host, and nothing is left to be said.
    rig.delete(CONTAINER, "secret");
    assert_eq!(rig.told(), "");
    assert_eq!(reason(&rig, "secret"), None);
    assert!(rig.meta(HOST, "secret").exists());
}

#[test]
fn the_status_says_what_containers_can_read() {
    let mut rig = Rig::new();
    rig.write(HOST, "prod", "tcp://h:1", "ca.pem=1 key.pem=1");
    rig.write(HOST, "odd", "ssh://u:p@h", "");
    rig.pass();
    let status = rig.status();
    let end = |name: &str| {
        let one = status.contexts.iter().find(|one| one.name == name).unwrap();
        one.ends[CONTAINER as usize].clone().unwrap()
    };
    let prod = end("prod");
    assert_eq!(prod.tls, ["ca.pem", "key.pem"]);
    assert!(!prod.host_only);
    let odd = end("odd");
    assert_eq!(
        (odd.endpoint.as_str(), odd.endpoint_problem),
        ("ssh://u:***@h", Some("it has a password in it"))
    );
}
