//! A side on a disk of another machine, whose changes this system is never told of: a real one, over sftp.

use std::fs;
use std::os::fd::OwnedFd;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use mizzen_core::Client;
use mizzen_core::view::{ContextsState, Snapshot};
use mizzen_tests::desktop::until;
use tempfile::TempDir;

use crate::rig::{Person, Side};

/// A folder of the other machine, mounted; gone when dropped.
struct Mounted {
    place: PathBuf,
    far: TempDir,
    programs: [Child; 2],
}

impl Mounted {
    fn at(place: PathBuf) -> Self {
        let far = tempfile::tempdir().expect("a folder");
        let (client, server) = UnixStream::pair().expect("a pair");
        let server = run(Command::new(sftp_server()), server);
        let mut mount = Command::new("sshfs");
        // What the far side changes is not to be remembered for long: the mirror looks, whatever the mount believes.
        mount
            .args([
                "-f",
                "-o",
                "passive,dir_cache=no,attr_timeout=0,entry_timeout=0",
            ])
            .arg(format!(":{}", far.path().display()))
            .arg(&place);
        let before = disk(&place);
        let mounted = Self {
            programs: [run(mount, client), server],
            place,
            far,
        };
        until("it is mounted", || {
            (disk(&mounted.place) != before).then_some(())
        });
        mounted
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let unmount = Command::new("fusermount3")
            .arg("-uz")
            .arg(&self.place)
            .status();
        // What is left ends with its streams.
        unmount.ok();
        for program in &mut self.programs {
            program.kill().ok();
            program.wait().ok();
        }
    }
}

fn run(mut command: Command, stream: UnixStream) -> Child {
    let input = OwnedFd::from(stream);
    let output = input.try_clone().expect("another handle");
    let command = command.stdin(input).stdout(output).stderr(Stdio::inherit());
    command
        .spawn()
        .expect("sshfs and sftp-server are installed: run `scripts/setup --tests`")
}

fn sftp_server() -> PathBuf {
    let places = [
        "/usr/lib/openssh/sftp-server",
        "/usr/libexec/openssh/sftp-server",
        "/usr/lib/ssh/sftp-server",
    ];
    let found = places.map(PathBuf::from).into_iter().find(|at| at.exists());
    found.expect("sftp-server is installed: run `scripts/setup --tests`")
}

fn disk(place: &Path) -> u64 {
    use std::os::unix::fs::MetadataExt as _;
    place.metadata().map_or(0, |found| found.dev())
}

/// Waits until it leads there, as the host or the container side sees it.
async fn leads(person: &Person, client: &Client, side: Side, to: &str) {
    let leads = |snapshot: &Snapshot| {
        let mut all = snapshot.contexts.contexts.iter();
        all.any(|one| {
            let ends = [&one.host, &one.container];
            let end = ends[side as usize].as_ref();
            end.is_some_and(|end| end.endpoint == to)
        })
    };
    person
        .until(client, &format!("it leads to {to}"), leads)
        .await;
}

fn has(name: &'static str) -> impl Fn(&Snapshot) -> bool {
    move |snapshot| {
        let mut all = snapshot.contexts.contexts.iter();
        all.any(|one| one.name == name && one.host.is_some() && one.container.is_some())
    }
}

/// Makes `mine` on one side: the other is on another disk, so a person is asked, agrees, and then both have it.
async fn consented(person: &Person, client: &Client, side: Side) {
    person.context(
        side,
        &["create", "mine", "--docker", "host=ssh://ana@mine.example"],
    );
    let held = |snapshot: &Snapshot| snapshot.contexts.state == ContextsState::Held;
    person.until(client, "a person is asked", held).await;
    let approved = person.mizzen(&["contexts", "hold", "approve", "--all"]);
    assert_eq!(approved.code, 0, "{approved:?}");
    person.until(client, "both have it", has("mine")).await;
}

#[tokio::test]
async fn where_changes_are_not_told_they_are_looked_for_and_the_status_says_so() {
    let person = Person::new();
    let inside = person.path(Side::Container);
    fs::create_dir(&inside).unwrap();
    let mounted = Mounted::at(inside.clone());
    fs::create_dir_all(mounted.far.path().join("contexts/meta")).unwrap();
    let client = person.start().await;
    let polls = |snapshot: &Snapshot| snapshot.contexts.polling.is_some();
    let snapshot = person.until(&client, "it polls", polls).await;
    let expected = format!(
        "{} is on a FUSE disk, where not every change is told",
        inside.display()
    );
    assert_eq!(snapshot.contexts.polling.as_deref(), Some(&*expected));
    let status = person.mizzen(&["contexts", "status"]);
    assert!(status.stdout.contains(&expected), "{status:?}");
    let json = person.mizzen(&["contexts", "status", "--json"]).json();
    assert_eq!(json["polling"], *expected);

    // The other machine's Docker, of which this one hears nothing.
    let far = mounted.far.path();
    let docker = |args: &[&str]| {
        let said = person.docker_in(far, &[&["context"], args].concat());
        assert_eq!(said.code, 0, "{said:?}");
        said.stdout
    };
    docker(&["create", "lab", "--docker", "host=ssh://ana@lab.example"]);
    person.until(&client, "the host has it", has("lab")).await;
    docker(&["update", "lab", "--docker", "host=ssh://ana@other.example"]);
    leads(&person, &client, Side::Host, "ssh://ana@other.example").await;

    // The way back is another disk's: a person is asked, and then it is written there.
    consented(&person, &client, Side::Host).await;
    let listed = docker(&["ls", "--format", "{{.Name}}"]);
    assert!(listed.lines().any(|name| name == "mine"), "{listed}");

    // Unmounted, it takes nothing with it.
    drop(mounted);
    let halted = |snapshot: &Snapshot| snapshot.contexts.state == ContextsState::Halted;
    person.until(&client, "it is noticed", halted).await;
    let kept = person.docker(Side::Host, &["context", "ls", "--format", "{{.Name}}"]);
    let kept: Vec<&str> = kept.stdout.lines().collect();
    assert_eq!(kept, ["default", "lab", "mine"]);
}

#[tokio::test]
async fn a_store_that_is_linked_to_such_a_disk_is_looked_at_as_well() {
    let person = Person::new();
    let place = person.home().join("disk");
    fs::create_dir(&place).unwrap();
    let mounted = Mounted::at(place.clone());
    let far = mounted.far.path();
    fs::create_dir(far.join("meta")).unwrap();
    let linked = person.path(Side::Host).join("contexts");
    symlink(&place, &linked).unwrap();
    let client = person.start().await;
    assert_eq!(person.mizzen(&["contexts", "setup"]).code, 0);
    let expected = format!(
        "{} is on a FUSE disk, where not every change is told",
        linked.display()
    );
    let polls = |snapshot: &Snapshot| snapshot.contexts.polling.as_deref() == Some(&*expected);
    person.until(&client, "it polls", polls).await;

    // The other machine's Docker has the same store, where nobody links to it.
    let config = person.home().join("far");
    fs::create_dir(&config).unwrap();
    symlink(far, config.join("contexts")).unwrap();
    let docker = |args: &[&str]| {
        let said = person.docker_in(&config, &[&["context"], args].concat());
        assert_eq!(said.code, 0, "{said:?}");
        said.stdout
    };
    docker(&["create", "lab", "--docker", "host=ssh://ana@lab.example"]);
    leads(&person, &client, Side::Container, "ssh://ana@lab.example").await;
    docker(&["update", "lab", "--docker", "host=ssh://ana@other.example"]);
    leads(&person, &client, Side::Container, "ssh://ana@other.example").await;

    // What a container makes is written there with the person's consent, and the link stays what it is.
    consented(&person, &client, Side::Container).await;
    let listed = docker(&["ls", "--format", "{{.Name}}"]);
    assert!(listed.lines().any(|name| name == "mine"), "{listed}");
    assert_eq!(fs::read_link(&linked).unwrap(), place);
}
