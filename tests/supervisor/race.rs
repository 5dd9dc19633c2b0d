//! A real supervisor that is killed again and again, under a host that begins anew as often: no command is lost, and none
//! is run twice. What the supervisor's own test of the race plays in one process, with programs that do run.

mod judge;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use jiff::Timestamp;
use mizzen_status::{Ack, Command, CommandId, Exec, Order, Outbox, Refused};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use judge::Seen;

use crate::rig::{Container, Reports, UID, docker, folder_in, tiny_with};

/// How many commands, where it is to be another number: ten thousand take two minutes on a busy machine.
const COMMANDS: &str = "MIZZEN_RACE_COMMANDS";
const USUAL: usize = 4_000;
/// One command in so many kills its supervisor while it runs.
const DEADLY: usize = 100;
/// The host begins anew, and kills all that is in the container, once in about so many looks.
const BEGUN_ANEW: u64 = 5;
const KILLED: u64 = 4;
/// The container itself is killed so often.
const LIVES: usize = 4;
/// Looks from one judgement to the next.
const JUDGED: usize = 20;

/// PID 1 of the container in the supervisor's place: all that runs beside it dies when it is told so by a signal, or when
/// the supervisor does. To begin again costs no container then.
const FIRST: &str = "trap 'kill -KILL -1' USR1
    while :; do /usr/local/bin/mizzen-supervisor & wait; kill -KILL -1; done";

/// The same numbers in every run.
struct Dice(u64);

impl Dice {
    fn one_in(&mut self, many: u64) -> bool {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33).is_multiple_of(many)
    }
}

/// The code that a command ends with.
fn code(number: usize) -> i64 {
    i64::try_from(number % 7).expect("a small number")
}

/// It writes a line for each time that it is run.
fn command(number: usize) -> Command {
    let mut script = format!("echo c{number} >> runs");
    match number % DEADLY {
        0 => script.push_str("; kill -KILL $PPID"),
        1 => script.insert_str(0, "kill -KILL $PPID; "),
        _ => {}
    }
    let exec = Exec {
        command: format!("{script}; exit {}", code(number)),
        shell: true,
        ..Exec::default()
    };
    let id = CommandId::new(&format!("c{number}")).expect("an id");
    Command::new(id, Order::Exec(exec))
}

/// What the supervisors of a container are asked for and do, where it costs nothing to have it on the disk: they are
/// killed, and the machine is not.
struct Rig {
    list: TempDir,
    reports: Reports,
    workspace: TempDir,
    container: Container,
    pid: Pid,
}

impl Rig {
    fn new() -> Self {
        let memory = Path::new("/dev/shm");
        let reports = Reports::in_folder(folder_in(memory));
        let workspace = folder_in(memory);
        let start = ["--entrypoint=sh"];
        let container = tiny_with(&reports, workspace.path(), &start, &["-c", FIRST]);
        let pid = pid(&container);
        Self {
            list: tempfile::tempdir_in(memory).expect("a directory"),
            reports,
            workspace,
            container,
            pid,
        }
    }

    /// What the host remembers when it begins.
    fn outbox(&self) -> Outbox {
        Outbox::open(self.list.path().join("list.json"), "session").expect("a list")
    }

    /// As a machine that loses its power ends them: no word before, and none after.
    fn kill_all_in_it(&self) {
        kill_process(self.pid, Signal::USR1).expect("it runs");
    }

    fn kill(&mut self) {
        kill_process(self.pid, Signal::KILL).expect("it runs");
        self.container.wait();
        docker(&["start", &self.container.id]);
        self.pid = pid(&self.container);
    }

    /// How often each command was run.
    fn runs(&self) -> BTreeMap<String, usize> {
        let lines = fs::read_to_string(self.workspace.path().join("runs")).unwrap_or_default();
        let mut runs = BTreeMap::new();
        for line in lines.lines() {
            *runs.entry(line.to_owned()).or_default() += 1;
        }
        runs
    }
}

fn pid(container: &Container) -> Pid {
    let pid = container.inspect("{{.State.Pid}}");
    Pid::from_raw(pid.parse().expect("a number")).expect("a process")
}

/// Puts as many commands into the list as there is room for.
fn ask(outbox: &mut Outbox, seen: &mut Seen, wanted: usize) {
    while seen.asked.len() < wanted {
        let number = seen.asked.len();
        match outbox.put(command(number), Timestamp::UNIX_EPOCH) {
            Err(Refused::Full) => return,
            taken => taken.expect("a good command"),
        }
        seen.asked.insert(format!("c{number}"), code(number));
        seen.deaths += usize::from(number % DEADLY < 2);
    }
}

/// The supervisor's own words, and what the host has kept of them.
fn hear(outbox: &mut Outbox, seen: &mut Seen, told: &[Ack]) {
    outbox.hear(told).unwrap();
    told.iter().for_each(|ack| seen.hear(ack));
    let kept = outbox.asked().into_iter().filter_map(|asked| asked.ack);
    kept.for_each(|ack| seen.hear(&ack));
}

#[test]
fn no_command_is_lost_and_none_is_run_twice_however_often_either_side_is_killed() {
    let wanted = std::env::var(COMMANDS).map_or(USUAL, |number| number.parse().unwrap());
    let mut rig = Rig::new();
    let mut outbox = rig.outbox();
    let mut dice = Dice(20_260_301);
    let mut seen = Seen::default();
    let (mut looks, mut kills, mut lives) = (0_usize, 0, 1);
    while seen.asked.len() < wanted || outbox.is_waiting() {
        ask(&mut outbox, &mut seen, wanted);
        if dice.one_in(BEGUN_ANEW) {
            outbox = rig.outbox();
        }
        outbox
            .show(rig.reports.folder.path(), Some((UID, UID)), false)
            .unwrap();
        rig.reports.heard();
        // The first supervisor may not have said anything yet: it was the queue that was heard of.
        let Some(status) = rig.reports.now() else {
            continue;
        };
        hear(&mut outbox, &mut seen, &status.commands);
        looks += 1;
        if looks.is_multiple_of(JUDGED) {
            // One that begins a deadly command again and again never comes to an end.
            seen.runs = rig.runs();
            assert_eq!(judge::so_far(&seen), []);
        }
        if seen.ends.len() > lives * wanted / LIVES && outbox.is_waiting() {
            rig.kill();
            lives += 1;
            seen.deaths += 1;
        } else if dice.one_in(KILLED) && outbox.is_waiting() {
            rig.kill_all_in_it();
            kills += 1;
            seen.deaths += 1;
        }
    }
    println!("{wanted} commands, killed {kills} times");
    seen.runs = rig.runs();
    assert_eq!(judge::at_the_end(&seen), []);
    assert!(kills > 3, "killed {kills} times only");
    assert_eq!(lives, LIVES);
    let cut = seen.interrupted();
    assert!(cut >= wanted / DEADLY, "some are killed while they run");
}
