//! Rows 45 to 50: what containers, crashes and other programs leave in a store.

use std::os::unix::fs::symlink;

use super::*;

fn prod(rig: &mut Rig) {
    rig.write(HOST, "prod", "tcp://h:1", "ca.pem=1 key.pem=2");
    rig.pass();
}

const PROD: &str = "prod tcp://h:1 ca.pem=1 key.pem=2";

#[test]
fn row_45_a_damaged_file_is_not_spread_and_its_twin_stays() {
    let oversized = format!(r#"{{"Name":"prod","x":"{}"}}"#, "x".repeat(1 << 20));
    let deep = format!(r#"{{"Name":"prod","x":{}}}"#, "[".repeat(100_000));
    for meta in [
        r#"{"Name":"prod","Metadata":{"Description":5}}"#,
        r#"[{"Name":"prod"}]"#,
        "{",
        "",
        "\0\0\0\0\0\0",
        &*oversized,
        &*deep,
    ] {
        let mut rig = Rig::new();
        prod(&mut rig);
        rig.write_raw(CONTAINER, "prod", meta.as_bytes());
        assert_eq!(rig.told(), "");
        assert_eq!(rig.draw(HOST), PROD);
        assert_eq!(
            fs::read(rig.meta(CONTAINER, "prod")).unwrap(),
            meta.as_bytes(),
            "nor mended"
        );
        let status = rig.status();
        assert_eq!(status.standing, Standing::Damaged);
        assert!(
            status
                .reason
                .unwrap()
                .starts_with("`prod` on the container side: its meta.json")
        );
        // Mended, it is carried over again.
        rig.write(CONTAINER, "prod", "tcp://h:2", "ca.pem=1 key.pem=2");
        rig.pass();
        assert_eq!(rig.both(), "prod tcp://h:2 ca.pem=1 key.pem=2");
    }
}

#[test]
fn row_47_what_lies_in_another_name_s_folder_is_a_ghost() {
    let mut rig = Rig::new();
    prod(&mut rig);
    let ghost = rig.path(CONTAINER).join("contexts/meta/0123/meta.json");
    fs::create_dir(ghost.parent().unwrap()).unwrap();
    fs::copy(rig.meta(CONTAINER, "prod"), &ghost).unwrap();
    rig.write_raw(
        CONTAINER,
        "taken",
        br#"{"Name":"prod","Endpoints":{"docker":{"Host":"tcp://evil"}}}"#,
    );
    assert_eq!(rig.told(), "");
    assert_eq!(rig.both(), PROD);
    let ghosts = rig
        .status()
        .contexts
        .into_iter()
        .filter(|one| one.standing == ContextStanding::Ghost);
    assert_eq!(
        ghosts.map(|ghost| ghost.name).collect::<Vec<_>>(),
        ["prod", "prod"]
    );
    assert!(ghost.exists(), "never deleted");
    // A name whose folder another one sits in is left alone.
    rig.write(HOST, "taken", "unix:///a", "");
    assert_eq!(rig.told(), "");
}

#[test]
fn row_48_a_side_that_loses_everything_takes_nothing_with_it() {
    let three = "a1 unix:///a\na2 unix:///a\na3 unix:///a";
    let rig = || {
        let mut rig = Rig::new();
        for name in ["a1", "a2", "a3"] {
            rig.write(HOST, name, "unix:///a", "");
        }
        rig.pass();
        assert_eq!(rig.both(), three);
        rig
    };
    let away = |rig: &Rig, part: &str| {
        let path = rig.path(CONTAINER).join(part);
        fs::rename(&path, rig.home.path().join("away")).unwrap();
        path
    };
    for part in ["contexts/meta", "contexts", ""] {
        let mut rig = rig();
        let path = away(&rig, part);
        assert_eq!(rig.told(), "", "without {part:?}");
        assert_eq!(rig.draw(HOST), three);
        assert_eq!(rig.status().standing, Standing::Halted);
        // It comes back as if nothing had been.
        fs::rename(rig.home.path().join("away"), path).unwrap();
        assert_eq!(rig.told(), "");
        assert_eq!(rig.both(), three);
        assert_eq!(rig.status().standing, Standing::InStep);
    }
    // Replaced by a link to elsewhere, or by a file.
    for part in ["contexts/meta", "contexts"] {
        let mut rig = rig();
        let path = away(&rig, part);
        symlink(rig.home.path().join("away"), &path).unwrap();
        rig.write(HOST, "new", "unix:///n", "");
        assert_eq!(rig.told(), "");
        assert_eq!(rig.status().standing, Standing::Halted);
        assert!(
            rig.status()
                .reason
                .unwrap()
                .contains("a link, not a folder")
        );
    }
    // Emptied, with `meta` in its place.
    let mut rig = rig();
    for name in ["a1", "a2", "a3"] {
        rig.delete(CONTAINER, name);
    }
    assert_eq!(rig.told(), "");
    assert_eq!(rig.draw(HOST), three);
    let status = rig.status();
    assert_eq!(status.standing, Standing::Held);
    assert_eq!(
        status.reason.as_deref(),
        Some("All 3 contexts are gone from the container side.")
    );
    let id = status.holds[0].id.clone();
    rig.mirror().drop_held(Some(&id)).unwrap();
    assert_eq!(rig.both(), three);
    for name in ["a1", "a2", "a3"] {
        rig.delete(HOST, name);
    }
    rig.mirror().approve(None).unwrap();
    assert_eq!(rig.both(), "");
    assert_eq!(rig.mirror().trash().unwrap().len(), 3);
}

#[test]
fn a_container_side_that_was_removed_is_filled_anew_by_setup() {
    let mut rig = Rig::new();
    prod(&mut rig);
    fs::remove_dir_all(rig.path(CONTAINER)).unwrap();
    rig.pass();
    assert_eq!(rig.status().standing, Standing::Halted);
    assert!(!rig.path(CONTAINER).exists(), "never made unasked");
    let done = rig.mirror().setup().unwrap();
    assert_eq!(
        done,
        SetUp {
            folder: true,
            config: true,
            context: true
        }
    );
    rig.pass();
    assert_eq!(rig.both(), PROD);
}

#[test]
fn row_50_links_pipes_and_what_else_is_no_plain_file_is_not_followed() {
    let secret = |rig: &Rig| {
        let path = rig.home.path().join("secret");
        mizzen_fsx::write_atomic(&path, b"secret").unwrap();
        path
    };
    type Plant = fn(&Rig, &Path);
    let plants: [(&str, Plant); 10] = [
        ("a link for a key", |rig, secret| {
            let key = rig.tls(CONTAINER, "prod").join("key.pem");
            fs::remove_file(&key).unwrap();
            symlink(secret, key).unwrap();
        }),
        ("a hard link for a key", |rig, secret| {
            let key = rig.tls(CONTAINER, "prod").join("key.pem");
            fs::remove_file(&key).unwrap();
            fs::hard_link(secret, key).unwrap();
        }),
        ("a pipe for a key", |rig, _| {
            make_pipe(&rig.tls(CONTAINER, "prod").join("key.pem"));
        }),
        ("a folder for a key", |rig, _| {
            let key = rig.tls(CONTAINER, "prod").join("key.pem");
            fs::remove_file(&key).unwrap();
            fs::create_dir(key).unwrap();
        }),
        ("a key without end", |rig, _| {
            let key = rig.tls(CONTAINER, "prod").join("key.pem");
            fs::File::create(key)
                .unwrap()
                .set_len((1 << 20) + 1)
                .unwrap();
        }),
        ("a link for the folder of keys", |rig, _| {
            let folder = rig.tls(CONTAINER, "prod");
            fs::remove_dir_all(&folder).unwrap();
            symlink(rig.tls(HOST, "prod"), folder).unwrap();
        }),
        ("a link for meta.json", |rig, secret| {
            fs::remove_file(rig.meta(CONTAINER, "prod")).unwrap();
            symlink(secret, rig.meta(CONTAINER, "prod")).unwrap();
        }),
        ("a pipe for meta.json", |rig, _| {
            make_pipe(&rig.meta(CONTAINER, "prod"));
        }),
        ("a link for the folder", |rig, _| {
            let folder = rig.meta(CONTAINER, "prod").parent().unwrap().to_owned();
            fs::remove_dir_all(&folder).unwrap();
            symlink(rig.meta(HOST, "prod").parent().unwrap(), folder).unwrap();
        }),
        ("something else in the folder", |rig, _| {
            fs::write(rig.meta(CONTAINER, "prod").with_file_name("more"), "x").unwrap();
        }),
    ];
    for (what, plant) in plants {
        let mut rig = Rig::new();
        prod(&mut rig);
        let secret = secret(&rig);
        plant(&rig, &secret);
        assert_eq!(rig.told(), "", "{what}");
        assert_eq!(rig.draw(HOST), PROD, "{what}");
        assert_eq!(rig.status().standing, Standing::Damaged, "{what}");
        assert_eq!(fs::read(&secret).unwrap(), b"secret");
    }
}

/// In a file's place.
fn make_pipe(path: &Path) {
    fs::remove_file(path).expect("a file");
    let made = std::process::Command::new("mkfifo").arg(path).status();
    assert!(made.expect("mkfifo runs").success());
}

#[test]
fn temporary_files_of_the_cli_are_no_part_of_a_context() {
    let mut rig = Rig::new();
    prod(&mut rig);
    fs::write(rig.tls(HOST, "prod").join(".tmp-key.pem123"), "x").unwrap();
    fs::write(
        rig.meta(HOST, "prod").with_file_name(".tmp-meta.json123"),
        "x",
    )
    .unwrap();
    fs::create_dir_all(rig.path(HOST).join("contexts/meta/.tmp-x")).unwrap();
    assert_eq!(rig.told(), "");
    assert_eq!(rig.both(), PROD);
}

#[test]
fn a_store_of_another_user_is_left_alone() {
    let mut rig = Rig::new();
    prod(&mut rig);
    let another = own_uid().map(|uid| uid + 1);
    rig.mirror().roots[CONTAINER as usize].uid = another;
    rig.delete(CONTAINER, "prod");
    assert_eq!(rig.told(), "");
    assert_eq!(rig.draw(HOST), PROD);
    assert_eq!(rig.status().standing, Standing::Halted);
}
