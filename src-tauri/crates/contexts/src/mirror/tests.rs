//! Two real stores in a scratch folder, and a world whose time passes only when it is told to.

#![expect(
    clippy::disallowed_methods,
    reason = "other programs and containers write as they like"
)]

mod damaged;
#[cfg(target_os = "linux")]
mod disks;
mod killed;
mod person;
mod reader;
#[cfg(target_os = "linux")]
mod resting;

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tempfile::TempDir;

use super::pass::SECOND_LOOK;
use super::*;
use crate::store::context_id;

/// Time stands still, but for pauses; and the world may end before some change of a disk.
#[derive(Default)]
struct Fake {
    elapsed: Mutex<Duration>,
    steps: AtomicUsize,
    /// 0 for never.
    ends_at: AtomicUsize,
}

impl World for Fake {
    fn now(&self) -> jiff::Timestamp {
        let start: jiff::Timestamp = "2026-03-01T12:00:00Z".parse().expect("a time");
        start + self.elapsed()
    }

    fn elapsed(&self) -> Duration {
        *self.elapsed.lock().expect("not poisoned")
    }

    fn pause(&self, time: Duration) {
        *self.elapsed.lock().expect("not poisoned") += time;
    }

    fn before(&self, _what: &'static str) {
        let step = self.steps.fetch_add(1, Ordering::SeqCst) + 1;
        if step == self.ends_at.load(Ordering::SeqCst) {
            resume_unwind(Box::new("killed"));
        }
    }
}

fn open(home: &Path, wishes: &Wishes, world: Arc<Fake>) -> Mirror {
    let options = MirrorOptions {
        host: home.join(".docker"),
        container: home.join(".docker-cai"),
        state: home.join("state"),
        wishes: wishes.clone(),
        world,
    };
    Mirror::open(options).expect("a mirror")
}

struct Rig {
    home: TempDir,
    world: Arc<Fake>,
    mirror: Option<Mirror>,
    wishes: Wishes,
}

impl Rig {
    fn new() -> Self {
        Self::new_in(&std::env::temp_dir())
    }

    fn new_in(place: &Path) -> Self {
        let home = TempDir::new_in(place).expect("scratch folder");
        for folder in [".docker", ".docker-cai"] {
            fs::create_dir(home.path().join(folder)).expect("folder");
        }
        let wishes = Wishes {
            socket: "unix:///var/run/docker.sock".to_owned(),
            ..Wishes::default()
        };
        let mut rig = Self {
            home,
            world: Arc::default(),
            mirror: None,
            wishes,
        };
        rig.reopen();
        rig
    }

    fn path(&self, side: Side) -> PathBuf {
        self.home.path().join(match side {
            Side::Host => ".docker",
            Side::Container => ".docker-cai",
        })
    }

    fn reopen(&mut self) {
        self.mirror = None;
        self.mirror = Some(open(self.home.path(), &self.wishes, self.world.clone()));
    }

    fn wish(&mut self, change: impl FnOnce(&mut Wishes)) {
        change(&mut self.wishes);
        let wishes = self.wishes.clone();
        self.mirror().wish(wishes);
    }

    fn mirror(&mut self) -> &mut Mirror {
        self.mirror.as_mut().expect("open")
    }

    fn pass(&mut self) -> Pass {
        self.mirror().pass().expect("a pass")
    }

    /// How long a pass waits between its looks.
    fn waited_for_a_pass(&mut self) -> Duration {
        let before = self.world.elapsed();
        self.pass();
        self.world.elapsed() - before
    }

    /// What the pass told, a line each.
    fn told(&mut self) -> String {
        let pass = self.pass();
        let lines: Vec<String> = pass
            .changes
            .into_iter()
            .map(|change| change.message)
            .collect();
        lines.join("\n")
    }

    fn meta(&self, side: Side, name: &str) -> PathBuf {
        let id = context_id(name);
        self.path(side)
            .join("contexts/meta")
            .join(id)
            .join("meta.json")
    }

    fn tls(&self, side: Side, name: &str) -> PathBuf {
        self.path(side)
            .join("contexts/tls")
            .join(context_id(name))
            .join("docker")
    }

    /// Writes a context as the CLI does; `files` are `name=bytes` words.
    fn write(&self, side: Side, name: &str, host: &str, files: &str) {
        let meta = format!(
            r#"{{"Name":"{name}","Metadata":{{}},"Endpoints":{{"docker":{{"Host":"{host}","SkipTLSVerify":false}}}}}}"#
        );
        self.write_raw(side, name, meta.as_bytes());
        let tls = self.tls(side, name);
        if tls.exists() {
            fs::remove_dir_all(&tls).expect("removed");
        }
        for word in files.split_whitespace() {
            let (file, bytes) = word.split_once('=').expect("name=bytes");
            fs::create_dir_all(&tls).expect("folder");
            mizzen_fsx::write_atomic(tls.join(file), bytes.as_bytes()).expect("file");
        }
    }

    fn write_raw(&self, side: Side, name: &str, meta: &[u8]) {
        let path = self.meta(side, name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("folder");
        mizzen_fsx::write_atomic(path, meta).expect("file");
    }

    fn delete(&self, side: Side, name: &str) {
        let meta = self.meta(side, name);
        fs::remove_dir_all(meta.parent().expect("a folder")).expect("removed");
        let tls = self.tls(side, name);
        if tls.exists() {
            fs::remove_dir_all(tls.parent().expect("a folder")).expect("removed");
        }
    }

    /// What a side holds: name, endpoint and TLS files.
    fn draw(&self, side: Side) -> String {
        let root = self.mirror.as_ref().expect("open").root(side);
        let inventory = root.take_inventory();
        let drawn = inventory.contexts.values().map(|found| {
            let tls = found.payload.tls.iter();
            let tls =
                tls.map(|one| format!(" {}={}", one.file, String::from_utf8_lossy(&one.bytes.0)));
            format!(
                "{} {}{}",
                found.terms.name,
                found.terms.host,
                tls.collect::<String>()
            )
        });
        drawn.collect::<Vec<_>>().join("\n")
    }

    fn both(&self) -> String {
        let [host, container] = Side::BOTH.map(|side| self.draw(side));
        assert_eq!(host, container, "both sides hold the same");
        host
    }

    fn status(&self) -> Status {
        self.mirror.as_ref().expect("open").status()
    }
}

fn mode(path: &Path) -> u32 {
    path.symlink_metadata()
        .expect("is there")
        .permissions()
        .mode()
        & 0o777
}

const HOST: Side = Side::Host;
const CONTAINER: Side = Side::Container;

#[test]
fn what_rests_is_looked_at_once_and_what_moves_until_it_rests() {
    let mut rig = Rig::new();
    rig.write(Side::Host, "lab", "unix:///one", "");
    assert!(rig.waited_for_a_pass() >= SECOND_LOOK);
    let of_ours = rig.waited_for_a_pass();
    assert_eq!(
        of_ours, SECOND_LOOK,
        "what it wrote is looked at twice, too"
    );
    assert_eq!(rig.waited_for_a_pass(), Duration::ZERO);
    rig.write(Side::Host, "lab", "unix:///two", "");
    assert!(rig.waited_for_a_pass() >= SECOND_LOOK);
}

#[test]
fn row_50_a_new_context_comes_to_the_other_side_and_its_keys_are_its_owner_s_alone() {
    for side in Side::BOTH {
        let mut rig = Rig::new();
        rig.write(
            side,
            "prod",
            "tcp://10.0.0.1:2376",
            "ca.pem=1 cert.pem=2 key.pem=3",
        );
        fs::set_permissions(
            rig.tls(side, "prod").join("key.pem"),
            fs::Permissions::from_mode(0o644),
        )
        .unwrap();
        let from = side.words();
        assert_eq!(
            rig.told(),
            format!("`prod` is new on {from}: it leads to tcp://10.0.0.1:2376.")
        );
        assert_eq!(
            rig.both(),
            "prod tcp://10.0.0.1:2376 ca.pem=1 cert.pem=2 key.pem=3"
        );
        let other = side.other();
        let meta = |side| fs::read(rig.meta(side, "prod")).unwrap();
        assert_eq!(meta(side), meta(other), "byte for byte");
        assert_eq!(mode(&rig.meta(other, "prod")), 0o644);
        assert_eq!(mode(&rig.tls(other, "prod")), 0o700);
        assert_eq!(mode(&rig.tls(other, "prod").join("key.pem")), 0o600);
        let warning = format!(
            "Other users of this machine can read the key of `prod` on {from}. Close it: `chmod -R go= {}`",
            rig.tls(side, "prod").parent().unwrap().display()
        );
        let reason = |rig: &mut Rig| rig.mirror().status().contexts[0].reason.clone();
        assert_eq!(reason(&mut rig), Some(warning));
        let close = fs::Permissions::from_mode(0o600);
        fs::set_permissions(rig.tls(side, "prod").join("key.pem"), close).unwrap();
        assert_eq!(rig.told(), "", "its own echo is no change");
        assert_eq!(reason(&mut rig), None, "the key was closed");
    }
}

#[test]
fn changes_and_deletions_are_carried_over() {
    let mut rig = Rig::new();
    rig.write(HOST, "prod", "tcp://h:1", "ca.pem=1 key.pem=2");
    rig.write(HOST, "dev", "unix:///a", "");
    rig.pass();
    // TLS alone, meta alone, both, and neither any more.
    rig.write(CONTAINER, "prod", "tcp://h:1", "ca.pem=1 key.pem=9");
    assert_eq!(
        rig.told(),
        "`prod` was changed on the container side: its TLS material is another."
    );
    rig.write(HOST, "prod", "tcp://h:2", "ca.pem=1 key.pem=9");
    assert_eq!(
        rig.told(),
        "`prod` was changed on the host: it leads to tcp://h:2 now, not to tcp://h:1."
    );
    rig.write(HOST, "prod", "tcp://h:3", "ca.pem=4");
    rig.pass();
    rig.world.pause(Duration::from_secs(4));
    rig.pass();
    assert_eq!(rig.both(), "dev unix:///a\nprod tcp://h:3 ca.pem=4");
    rig.write(HOST, "prod", "ssh://h", "");
    rig.pass();
    assert_eq!(rig.both(), "dev unix:///a\nprod ssh://h");
    assert!(!rig.tls(CONTAINER, "prod").exists());
    rig.delete(CONTAINER, "prod");
    assert_eq!(rig.told(), "`prod` was deleted on the container side.");
    assert_eq!(rig.both(), "dev unix:///a");
    assert!(!rig.meta(HOST, "prod").parent().unwrap().exists());
    assert_eq!(rig.status().standing, Standing::InStep);
}

#[test]
fn the_first_meeting_unites_and_the_host_s_version_stays() {
    let mut rig = Rig::new();
    rig.write(HOST, "one", "unix:///host", "");
    rig.write(HOST, "both", "unix:///host", "");
    rig.write(CONTAINER, "both", "unix:///container", "");
    rig.write(CONTAINER, "two", "unix:///container", "");
    rig.pass();
    assert_eq!(
        rig.both(),
        "both unix:///host\none unix:///host\ntwo unix:///container"
    );
    let trash = rig.mirror().trash().unwrap();
    assert_eq!(
        (trash[0].name.as_str(), trash[0].endpoint.as_str()),
        ("both", "unix:///container")
    );
    // One click swaps them.
    let id = trash[0].id.clone();
    rig.mirror().restore(&id).unwrap();
    assert!(rig.both().starts_with("both unix:///container\n"));
    let won = rig
        .mirror()
        .history()
        .find(|(change, _)| change.action == Action::Won)
        .unwrap()
        .0
        .id;
    assert!(
        matches!(rig.mirror().undo(won), Err(MirrorError::Refused(_))),
        "it has changed since"
    );
}

#[test]
fn a_tcp_context_whose_keys_go_is_waited_for() {
    let mut rig = Rig::new();
    rig.write(HOST, "prod", "tcp://h:1", "ca.pem=1 cert.pem=2 key.pem=3");
    rig.pass();
    rig.write(HOST, "prod", "tcp://h:2", "ca.pem=1");
    let pass = rig.pass();
    assert!(pass.changes.is_empty());
    let again = pass.again_in.expect("it comes back");
    assert_eq!(
        rig.draw(CONTAINER),
        "prod tcp://h:1 ca.pem=1 cert.pem=2 key.pem=3"
    );
    assert_eq!(rig.status().standing, Standing::Pending);
    rig.write(HOST, "prod", "tcp://h:2", "ca.pem=4 cert.pem=5 key.pem=6");
    rig.world.pause(again);
    rig.pass();
    assert_eq!(rig.both(), "prod tcp://h:2 ca.pem=4 cert.pem=5 key.pem=6");
}

#[test]
fn row_46_the_containers_own_context_is_nobody_else_s_however_it_is_spelled() {
    let mut rig = Rig::new();
    for name in ["containai-docker", "default"] {
        rig.write(HOST, name, "ssh://user@host", "");
        rig.write(CONTAINER, name, "unix:///var/run/docker.sock", "");
    }
    // Spelled otherwise, or nested.
    rig.write_raw(
        HOST,
        "containai-docker",
        br#"{"name":"containai\u002ddocker","Endpoints":{"docker":{"Host":"ssh://u@h"}}}"#,
    );
    rig.write_raw(
        HOST,
        "web",
        br#"{"Name":"web","Metadata":{"Name":"containai-docker"},"Endpoints":{}}"#,
    );
    assert_eq!(rig.told(), "`web` is new on the host.");
    let host = fs::read_to_string(rig.meta(HOST, "containai-docker")).unwrap();
    let container = fs::read_to_string(rig.meta(CONTAINER, "containai-docker")).unwrap();
    assert!(host.contains("ssh://") && container.contains("unix:///var/run/docker.sock"));
    rig.delete(HOST, "containai-docker");
    rig.delete(CONTAINER, "default");
    assert_eq!(rig.told(), "");
    assert!(rig.meta(CONTAINER, "containai-docker").exists() && rig.meta(HOST, "default").exists());
    let special = rig
        .status()
        .contexts
        .into_iter()
        .filter(|one| one.standing == ContextStanding::Special);
    assert_eq!(special.count(), 2);
}

#[test]
fn what_mizzen_knows_nothing_of_is_carried_as_it_is() {
    let mut rig = Rig::new();
    let text = concat!(
        "{ \"New\":[1e2, null],\"name\":\"prod\",\n",
        "\"Metadata\":{\"Description\":\"d\",\"Team\":{\"x\":1}},",
        "\"Endpoints\":{\"kubernetes\":{\"Host\":\"https://k\",\"y\":2},",
        "\"docker\":{\"Host\":\"tcp://h:1\",\"z\":[]}}}\n",
    );
    rig.write(HOST, "prod", "tcp://h:1", "ca.pem=1");
    fs::write(rig.meta(HOST, "prod"), text).unwrap();
    let of_another = |rig: &Rig, side| rig.tls(side, "prod").with_file_name("kubernetes");
    fs::create_dir(of_another(&rig, HOST)).unwrap();
    fs::write(of_another(&rig, HOST).join("token"), "t").unwrap();
    rig.pass();
    assert_eq!(
        fs::read_to_string(rig.meta(CONTAINER, "prod")).unwrap(),
        text
    );
    let token = of_another(&rig, CONTAINER).join("token");
    assert_eq!(fs::read_to_string(token).unwrap(), "t");
}

#[test]
fn a_deletion_of_the_selected_context_deselects_it() {
    let mut rig = Rig::new();
    rig.write(HOST, "prod", "unix:///a", "");
    rig.write(HOST, "dev", "unix:///b", "");
    rig.pass();
    let config = rig.path(HOST).join("config.json");
    let text = r#"{"auths":{"r":{"auth":"c2VjcmV0"}},"currentContext":"prod","x":[1,2]}"#;
    fs::write(&config, text).unwrap();
    fs::set_permissions(&config, fs::Permissions::from_mode(0o640)).unwrap();
    rig.delete(CONTAINER, "prod");
    rig.pass();
    let left: serde_json::Value = serde_json::from_slice(&fs::read(&config).unwrap()).unwrap();
    assert_eq!(
        left,
        serde_json::json!({"auths":{"r":{"auth":"c2VjcmV0"}},"x":[1,2]})
    );
    assert_eq!(mode(&config), 0o640);
    // One that cannot be read may select it: nothing is deleted until it can.
    fs::write(&config, "{").unwrap();
    rig.delete(CONTAINER, "dev");
    rig.pass();
    assert_eq!(rig.draw(HOST), "dev unix:///b");
    let status = rig.status();
    assert_eq!(status.standing, Standing::Held);
    assert_eq!(fs::read_to_string(&config).unwrap(), "{");
    fs::write(&config, "{}").unwrap();
    rig.pass();
    assert_eq!(rig.both(), "");
}

#[test]
fn one_mirror_at_a_time() {
    let rig = Rig::new();
    let options = MirrorOptions {
        host: rig.path(HOST),
        container: rig.path(CONTAINER),
        state: rig.home.path().join("state"),
        wishes: Wishes::default(),
        world: rig.world.clone(),
    };
    assert!(matches!(Mirror::open(options), Err(MirrorError::Held(_))));
}

#[test]
fn what_is_remembered_is_private() {
    let mut rig = Rig::new();
    rig.write(HOST, "prod", "tcp://h:1", "key.pem=secret");
    rig.pass();
    rig.delete(CONTAINER, "prod");
    rig.pass();
    let mut folders = vec![rig.home.path().join("state")];
    let mut files = 0;
    while let Some(folder) = folders.pop() {
        assert_eq!(mode(&folder), 0o700, "{}", folder.display());
        for entry in folder.read_dir().unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => folders.push(path),
                false if path.ends_with("lock") => {}
                false => {
                    assert_eq!(mode(&path), 0o600, "{}", path.display());
                    files += 1;
                }
            }
        }
    }
    assert_eq!(files, 2, "the history and one version in the trash");
}
