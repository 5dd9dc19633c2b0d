//! A folder kept in step with one of a container that is no session, as `mizzen sync` reaches it.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use mizzen_tests::own_core::{docker, tiny_image};
use mizzen_tests::rig::{Mizzen, Said};

/// A container that sleeps; removed with the test.
pub(crate) struct Container {
    pub(crate) name: String,
}

impl Container {
    pub(crate) fn run(name: &str) -> Self {
        let name = format!("mizzen-test-{name}-{}", std::process::id());
        let image = tiny_image().expect("an image");
        let run = [
            "run",
            "--detach",
            "--init",
            "--network=none",
            "--name",
            &name,
        ];
        let rest = ["--user=0", "--entrypoint=sleep", &image, "1000000"];
        docker(&[&run[..], &rest].concat()).expect("a container");
        Self { name }
    }

    pub(crate) fn sh(&self, script: &str) -> String {
        docker(&["exec", &self.name, "bash", "-c", script]).expect("a shell")
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        // It may be gone.
        let _ = docker(&["rm", "--force", &self.name]);
    }
}

/// Ended with the test.
struct Watching(Child);

impl Drop for Watching {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

struct Rig {
    mizzen: Mizzen,
    host: PathBuf,
    address: String,
}

impl Rig {
    fn new(container: &Container) -> Self {
        let mizzen = Mizzen::new();
        let host = mizzen.project("host");
        let address = format!("docker://{}/srv/data", container.name);
        Self {
            mizzen,
            host,
            address,
        }
    }

    fn command(&self, more: &[&str]) -> Command {
        let mut command = self.mizzen.command(["sync"]);
        command.arg(&self.host).arg(&self.address).args(more);
        command
    }

    fn sync(&self, more: &[&str]) -> Said {
        self.command(more).output().expect("mizzen runs").into()
    }
}

#[test]
fn a_folder_and_one_of_a_container_come_in_step() {
    let container = Container::run("step");
    container.sh("mkdir -p /srv/data/made && echo there > /srv/data/made/there");
    let rig = Rig::new(&container);
    let said = rig.sync(&["--once"]);
    assert_eq!(said.code, 0, "{said:?}");
    assert_eq!(fs::read(rig.host.join("made/there")).unwrap(), b"there\n");
    assert_eq!(container.sh("ls /srv/data"), "hello.txt\nmade");

    container.sh("rm /srv/data/hello.txt && echo again > /srv/data/made/there");
    let said = rig.sync(&["--once"]);
    assert_eq!(said.code, 0, "{said:?}");
    assert!(!rig.host.join("hello.txt").exists());
    assert_eq!(fs::read(rig.host.join("made/there")).unwrap(), b"again\n");
    assert!(
        container
            .sh("cd / && ls -A | grep mizzen")
            .contains(".mizzen")
    );
}

#[test]
fn what_both_changed_is_decided_and_taken_back_in_the_container_too() {
    let container = Container::run("verbs");
    container.sh("mkdir -p /srv/data");
    let rig = Rig::new(&container);
    assert_eq!(rig.sync(&["--once"]).code, 0);
    let host = rig.host.join("hello.txt");
    mizzen_fsx::write_atomic(&host, b"host\n").unwrap();
    container.sh("echo container > /srv/data/hello.txt");
    let ask = |words: &[&str]| -> Said {
        let mut command = rig.mizzen.command(["sync"]);
        command.args(words).arg(&rig.host).arg(&rig.address);
        command.output().expect("mizzen runs").into()
    };
    let said = ask(&["conflicts"]);
    assert_eq!(said.code, 1, "{said:?}");
    assert!(said.stdout.contains("  -host\n  +container\n"), "{said:?}");
    let said = ask(&["resolve", "hello.txt", "--keep", "host"]);
    assert_eq!(said.code, 0, "{said:?}");
    assert_eq!(container.sh("cat /srv/data/hello.txt"), "host");
    let said = ask(&["restore", "hello.txt"]);
    assert_eq!(said.code, 0, "{said:?}");
    assert_eq!(container.sh("cat /srv/data/hello.txt"), "container");
    assert_eq!(fs::read(&host).unwrap(), b"container\n");
}

#[test]
fn another_container_of_the_same_name_deletes_nothing() {
    let container = Container::run("another");
    container.sh("mkdir -p /srv/data");
    let rig = Rig::new(&container);
    assert_eq!(rig.sync(&["--once"]).code, 0);
    drop(container);
    let container = Container::run("another");
    container.sh("mkdir -p /srv/data && echo new > /srv/data/new");
    let said = rig.sync(&["--once"]);
    assert_eq!(said.code, 0, "{said:?}");
    assert!(rig.host.join("hello.txt").exists());
    assert_eq!(container.sh("ls /srv/data"), "hello.txt\nnew");
}

#[test]
fn a_change_in_the_container_comes_over_while_watching() {
    let container = Container::run("watch");
    container.sh("mkdir -p /srv/data");
    let rig = Rig::new(&container);
    let child = rig.command(&["--watch"]).stdout(Stdio::piped()).spawn();
    let mut watching = Watching(child.unwrap());
    let mut lines = BufReader::new(watching.0.stdout.take().unwrap()).lines();
    let mut a_cycle = || drop(lines.next().expect("a line for each cycle").unwrap());
    a_cycle();
    container.sh("echo 1 > /srv/data/from-there");
    while fs::read(rig.host.join("from-there")).unwrap_or_default() != b"1\n" {
        a_cycle();
    }
}

#[test]
fn fifty_thousand_files_at_once_come_over_a_wire_whole_and_take_bounded_memory() {
    const FILES: usize = 50_000;
    /// In KiB; programs that are built for tests need more than others.
    const MEMORY_MAX: u64 = 256 * 1024;
    let container = Container::run("storm");
    container.sh("mkdir -p /srv/data");
    let rig = Rig::new(&container);
    let mut sync = rig.command(&["--watch", "--interval", "100000"]);
    let child = sync.stdout(Stdio::piped()).spawn();
    let mut watching = Watching(child.unwrap());
    let mut lines = BufReader::new(watching.0.stdout.take().unwrap()).lines();
    let mut a_cycle = || drop(lines.next().expect("a line for each cycle").unwrap());
    a_cycle();
    let storm = |name: &str| {
        format!(
            "mkdir -p storm-{name}/{{0..99}} && for d in {{0..99}}; do for f in {{0..499}}; do \
             echo $d.$f > storm-{name}/$d/$f; done; done"
        )
    };
    let count = "find storm-* -type f 2> /dev/null | wc -l";
    let here = |script: &str| {
        let mut bash = Command::new("bash");
        let ran = bash.current_dir(&rig.host).args(["-c", script]).output();
        let said: Said = ran.expect("bash runs").into();
        said.stdout.trim().to_owned()
    };
    let there = |script: &str| container.sh(&format!("cd /srv/data; {script}"));
    // A look that comes to what was written last comes to all before it.
    there(&format!("{}; echo last > last-there", storm("there")));
    while !rig.host.join("last-there").exists() || here(count) != FILES.to_string() {
        a_cycle();
    }
    here(&format!("{}; echo last > last-here", storm("here")));
    let has_come = || there("test -e last-here && echo yes || true") == "yes";
    while !has_come() || there(count) != (2 * FILES).to_string() {
        a_cycle();
    }
    let sum = "find storm-* -type f | LC_ALL=C sort | xargs cat | sha256sum";
    assert_eq!(here(sum), there(sum));
    let status = fs::read_to_string(format!("/proc/{}/status", watching.0.id())).unwrap();
    let peak = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .unwrap();
    let peak: u64 = peak.trim().trim_end_matches(" kB").trim().parse().unwrap();
    assert!(peak < MEMORY_MAX, "{peak} KiB");
    drop(watching);
    assert!(rig.sync(&["--once"]).stdout.contains("nothing to do"));
}

#[test]
fn what_cannot_be_reached_is_named() {
    let rig = Rig::new(&Container {
        name: "mizzen-test-nobody".to_owned(),
    });
    let said = rig.sync(&["--once"]);
    assert_eq!(said.code, 5, "{said:?}");
    assert!(
        said.stderr
            .contains("There is no container `mizzen-test-nobody`"),
        "{said:?}"
    );
    let container = Container::run("nowhere");
    let rig = Rig::new(&container);
    let said = rig.sync(&["--once"]);
    assert_eq!(said.code, 2, "{said:?}");
    assert!(said.stderr.contains("/srv/data"), "{said:?}");
}

#[test]
fn the_containers_folder_may_be_named_first_and_the_rules_are_still_those_of_this_machine() {
    let container = Container::run("first");
    container.sh(
        "mkdir -p /srv/data && cd /srv/data && echo there > there && printf '[sync]\\ninclude = [\".env\"]\\n' > \
         mizzen.toml",
    );
    let rig = Rig::new(&container);
    mizzen_fsx::write_atomic(rig.host.join(".env"), b"KEY=1\n").unwrap();
    mizzen_fsx::write_atomic(rig.host.join("kept"), b"here\n").unwrap();
    mizzen_fsx::write_atomic(rig.host.join(".gitignore"), b"kept\n").unwrap();
    let reversed = |more: &[&str]| -> Said {
        let mut command = rig.mizzen.command(["sync"]);
        command.args(more).arg(&rig.address).arg(&rig.host);
        command.output().expect("mizzen runs").into()
    };
    let said = reversed(&["--once"]);
    // The settings that came from the container wait for a person.
    assert_eq!(said.code, 1, "{said:?}");
    assert_eq!(fs::read(rig.host.join("there")).unwrap(), b"there\n");
    assert!(!rig.host.join("mizzen.toml").exists());
    let listed = container.sh("ls -A /srv/data");
    assert!(
        !listed.contains(".env") && !listed.contains("kept"),
        "{listed}"
    );

    container.sh("rm /srv/data/mizzen.toml");
    mizzen_fsx::write_atomic(rig.host.join("there"), b"changed\n").unwrap();
    let said = reversed(&["--once"]);
    assert_eq!(said.code, 0, "{said:?}");
    assert_eq!(container.sh("cat /srv/data/there"), "changed");
    // A is the container now, and its trash lies in its folder.
    let said = reversed(&["restore", "there", "--side", "A"]);
    assert_eq!(said.code, 0, "{said:?}");
    assert_eq!(fs::read(rig.host.join("there")).unwrap(), b"there\n");
}

#[test]
fn two_containers_come_in_step_by_the_rules_of_the_first() {
    let [one, other] = ["one", "other"].map(Container::run);
    one.sh(
        "mkdir -p /srv/data/sub && cd /srv/data && seq 1 70000 > many && echo 1 > sub/a && echo kept > kept \
         && echo kept > .gitignore",
    );
    other.sh("mkdir -p /srv/data && cd /srv/data && echo 2 > b && echo other > kept");
    let rig = Rig::new(&one);
    let [first, second] = [&one, &other].map(|it| format!("docker://{}/srv/data", it.name));
    let sync = |words: &[&str]| -> Said {
        let mut command = rig.mizzen.command(["sync"]);
        command.args(words).args([&first, &second]);
        command.output().expect("mizzen runs").into()
    };
    let said = sync(&["--once"]);
    assert_eq!(said.code, 0, "{said:?}");
    assert_eq!(
        other.sh("cd /srv/data && tail -n 1 many && cat sub/a b kept"),
        "70000\n1\n2\nother"
    );
    assert_eq!(one.sh("cd /srv/data && cat b kept"), "2\nkept");

    // A rule that is new holds in the same cycle, and both sides carry.
    one.sh("cd /srv/data && echo '*.log' > sub/.gitignore && echo log > sub/x.log && rm sub/a");
    other.sh("cd /srv/data && echo changed > b");
    let said = sync(&["--once"]);
    assert_eq!(said.code, 0, "{said:?}");
    assert_eq!(other.sh("cd /srv/data/sub && ls -A"), ".gitignore");
    assert_eq!(one.sh("cat /srv/data/b"), "changed");
    let said = sync(&["restore", "sub/a"]);
    assert_eq!(said.code, 0, "{said:?}");
    assert_eq!(one.sh("cat /srv/data/sub/a"), "1");
    assert_eq!(other.sh("cat /srv/data/sub/a"), "1");
    // The other side may not loosen the rules.
    other.sh("echo > /srv/data/.gitignore");
    let said = sync(&["--once"]);
    assert_eq!(said.code, 1, "{said:?}");
    assert_eq!(one.sh("cat /srv/data/.gitignore"), "kept");
}

#[test]
fn two_folders_of_one_container_that_lie_in_each_other_are_refused() {
    let container = Container::run("nested");
    container.sh("mkdir -p /srv/data/inner && ln -s data/inner /srv/link");
    let rig = Rig::new(&container);
    let link = format!("docker://{}/srv/link", container.name);
    let mut command = rig.mizzen.command(["sync", "--once"]);
    let said: Said = command.args([&rig.address, &link]).output().unwrap().into();
    assert_eq!(said.code, 2, "{said:?}");
    assert!(said.stderr.contains("not two folders apart"), "{said:?}");
}

#[test]
fn the_same_two_folders_the_other_way_round_are_refused_while_they_are_kept() {
    let container = Container::run("reversed");
    container.sh("mkdir -p /srv/data");
    let rig = Rig::new(&container);
    let child = rig.command(&["--watch"]).stdout(Stdio::piped()).spawn();
    let mut watching = Watching(child.unwrap());
    let mut lines = BufReader::new(watching.0.stdout.take().unwrap()).lines();
    drop(lines.next().expect("a line for each cycle").unwrap());
    let mut command = rig.mizzen.command(["sync", "--once"]);
    let said: Said = command
        .arg(&rig.address)
        .arg(&rig.host)
        .output()
        .unwrap()
        .into();
    assert_eq!(said.code, 6, "{said:?}");
    assert!(said.stderr.contains("in step already"), "{said:?}");
}
