//! A real supervisor that is killed again and again, under a host that begins anew as often: no command is lost, and none
//! is run twice. What the supervisor's own test of the race plays in one process, with programs that do run.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use jiff::Timestamp;
use mizzen_status::{AckState, Command, CommandId, Exec, Order, Outbox, Refused};
use rustix::process::{Pid, Signal, kill_process};

use crate::rig::{Container, UID, docker, ready};

/// How many commands; ten thousand take some minutes.
const COMMANDS: &str = "MIZZEN_RACE_COMMANDS";
const USUAL: usize = 500;
/// The container is killed once in about so many reports, the host once in about so many looks.
const KILLED: u64 = 5;

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

/// It writes a line for each time that it is run.
fn command(number: usize) -> Command {
    let exec = Exec {
        command: format!("sh -c 'echo c{number} >> runs'"),
        ..Exec::default()
    };
    let id = CommandId::new(&format!("c{number}")).expect("an id");
    Command::new(id, Order::Exec(exec))
}

/// As a machine that loses its power ends it: no word before, and none after.
fn kill(container: &Container) {
    let pid = container
        .inspect("{{.State.Pid}}")
        .parse()
        .expect("a number");
    kill_process(Pid::from_raw(pid).expect("a process"), Signal::KILL).expect("killed");
    container.wait();
    docker(&["start", &container.id]);
}

#[test]
fn no_command_is_lost_and_none_is_run_twice_however_often_either_side_is_killed() {
    let wanted = std::env::var(COMMANDS).map_or(USUAL, |number| number.parse().unwrap());
    let (reports, workspace, container) = ready();
    let list = tempfile::tempdir().unwrap();
    let open = |dir: &Path| Outbox::open(dir.join("list.json"), "session").unwrap();
    let mut outbox = open(list.path());
    let mut dice = Dice(20_260_301);
    let mut ends: BTreeMap<String, AckState> = BTreeMap::new();
    let (mut asked, mut kills) = (0, 0);
    while asked < wanted || outbox.is_waiting() {
        while asked < wanted {
            match outbox.put(command(asked), Timestamp::UNIX_EPOCH) {
                Err(Refused::Full) => break,
                taken => taken.unwrap(),
            }
            asked += 1;
        }
        if dice.one_in(KILLED) {
            outbox = open(list.path());
        }
        outbox
            .show(reports.folder.path(), Some((UID, UID)), false)
            .unwrap();
        reports.heard();
        outbox.hear(&reports.now().unwrap().commands).unwrap();
        for asked in outbox.asked() {
            let ended = asked.ack.filter(|ack| ack.state.is_final());
            if let Some(ack) = ended {
                let end = ends
                    .entry(asked.id.to_string())
                    .or_insert(ack.state.clone());
                assert_eq!(*end, ack.state, "{} has two ends", asked.id);
            }
        }
        if dice.one_in(KILLED) && outbox.is_waiting() {
            kill(&container);
            kills += 1;
        }
    }
    assert!(kills > 3, "killed {kills} times only");
    assert_eq!(ends.len(), wanted, "lost some");
    let lines = fs::read_to_string(workspace.path().join("runs")).unwrap();
    let mut runs: BTreeMap<&str, usize> = BTreeMap::new();
    for line in lines.lines() {
        *runs.entry(line).or_default() += 1;
    }
    for (id, end) in &ends {
        let runs = runs.get(id.as_str()).copied().unwrap_or(0);
        match end {
            AckState::Succeeded => assert_eq!(runs, 1, "{id}"),
            AckState::Interrupted => assert!(runs <= 1, "{id} was run {runs} times"),
            other => panic!("{id} ended as {other}"),
        }
    }
}
