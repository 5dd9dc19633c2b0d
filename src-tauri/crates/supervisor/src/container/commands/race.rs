//! Both sides of a queue at once, each killed between any two of its steps, while somebody in the container rewrites the
//! file: no command is lost, and none is run twice. Everything lies in real files; only the programs are not started.
//!
//! Ten thousand commands in four plays; `MIZZEN_SEED` plays another one.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use mizzen_fsx::{SafeDir, write_atomic, write_cache};
use mizzen_status::{
    Ack, AckState, Command, CommandId, Commands as Queue, Exec, Order, Outbox, Priority, Reading,
    Refused, Signal, Status, StatusWord, read_commands, read_status, write_status,
};
use serde_json::{Value, json};

use super::ledger::Ledger;
use super::turn::{self, Mood, Step};
use super::{Desk, LOGS, cancel};

/// Commands of one play.
const COMMANDS: usize = 2_500;

/// Numbers that are the same for the same seed (Steele and others: SplitMix).
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let z = usize::try_from((z ^ (z >> 31)) >> 33).expect("31 bits");
        z % end
    }

    fn one_in(&mut self, many: usize) -> bool {
        self.below(many) == 0
    }
}

/// What happened, as somebody sees it who is never killed.
#[derive(Default)]
struct Seen {
    /// How often each command was run.
    runs: BTreeMap<String, usize>,
    /// How each ended in the eyes of the host.
    ends: BTreeMap<String, AckState>,
    host_kills: usize,
    container_kills: usize,
    forgeries: usize,
}

/// The host: whoever asks, the list, and the file.
struct Host {
    list: PathBuf,
    status: PathBuf,
    outbox: Outbox,
    asked: usize,
    /// Cancels that were asked for.
    cancels: usize,
}

impl Host {
    fn open(list: &Path) -> Outbox {
        Outbox::open(list.to_owned(), "session").expect("a list")
    }

    /// One step; whoever asked does not hear of it when it is cut off, and asks again.
    fn step(&mut self, dice: &mut Dice, seen: &mut Seen) {
        match dice.below(4) {
            0 | 1 => self.ask(dice),
            2 => self.hear(seen),
            _ => drop(
                self.outbox
                    .show(&self.status, None, false)
                    .expect("a queue"),
            ),
        }
    }

    fn ask(&mut self, dice: &mut Dice) {
        for _ in 0..dice.below(30) {
            if self.asked == COMMANDS {
                return;
            }
            let number = self.asked;
            let mut command = program(number);
            command.priority = [Priority::High, Priority::Normal, Priority::Low]
                .into_iter()
                .nth(dice.below(3));
            match self.outbox.put(command, Timestamp::UNIX_EPOCH) {
                Err(Refused::Full) => return,
                taken => taken.expect("a good command"),
            }
            if dice.one_in(50) {
                // Cut off before anybody was told.
                return;
            }
            self.asked += 1;
            if dice.one_in(100) {
                self.cancel(number);
            }
        }
    }

    fn cancel(&mut self, number: usize) {
        self.cancels += 1;
        let target = id(&format!("c{number}"));
        let signal = Order::Signal(Signal::Cancel { target });
        let command = Command::new(id(&format!("x{}", self.cancels)), signal);
        self.outbox
            .put(command, Timestamp::UNIX_EPOCH)
            .expect("a good signal");
    }

    fn hear(&mut self, seen: &mut Seen) {
        let dir = SafeDir::open(&self.status).expect("a directory");
        let Reading::Good(status) = read_status(&dir, None) else {
            return;
        };
        self.outbox.hear(&status.commands).expect("a disk");
        for asked in self.outbox.asked() {
            let Some(ack) = asked.ack.filter(|ack| ack.state.is_final()) else {
                continue;
            };
            let end = seen
                .ends
                .entry(asked.id.to_string())
                .or_insert(ack.state.clone());
            assert_eq!(*end, ack.state, "{} has two ends", asked.id);
        }
    }

    fn kill(&mut self, dice: &mut Dice) {
        if dice.one_in(2) {
            leave_half(&self.list, dice);
            leave_half(&self.status.join("commands.json"), dice);
        }
        self.outbox = Self::open(&self.list);
    }
}

/// The container: the supervisor's own desk, with programs that take no time.
struct Container {
    status: PathBuf,
    desk: Desk,
    reports: u64,
}

impl Container {
    fn open(status: &Path) -> Desk {
        let mut ledger = Ledger::open(&status.join(LOGS)).expect("a ledger");
        // It forgets as often as it can.
        ledger.long = 1;
        Desk {
            ledger,
            queue: Queue::default(),
            running: None,
            ended: None,
            spared: None,
        }
    }

    /// One step; `false` when it was killed in the middle of it.
    fn step(&mut self, dice: &mut Dice, seen: &mut Seen) -> bool {
        match dice.below(3) {
            0 => self.look(),
            1 => return (0..dice.below(40)).all(|_| self.work(dice, seen)),
            _ => self.report(),
        }
        true
    }

    fn look(&mut self) {
        let dir = SafeDir::open(&self.status).expect("a directory");
        match read_commands(&dir, None) {
            Reading::Good(queue) => self.desk.queue = queue,
            Reading::Absent => self.desk.queue = Queue::default(),
            Reading::Keep(_) => {}
        }
    }

    fn work(&mut self, dice: &mut Dice, seen: &mut Seen) -> bool {
        let desk = &mut self.desk;
        let now = Timestamp::UNIX_EPOCH;
        match turn::next(&desk.queue, &desk.ledger, Mood::Free, now) {
            None => desk.ledger.keep_short(&desk.queue).expect("a disk"),
            Some(Step::Tell(ack)) => desk.ledger.note(ack).expect("a disk"),
            Some(Step::Signal(id, signal)) => {
                if let Signal::Cancel { target } = signal {
                    let _nothing_to_end = cancel(desk, &target).expect("a disk");
                }
                desk.ledger
                    .note(Ack::new(id, AckState::Succeeded))
                    .expect("a disk");
            }
            Some(Step::Run(id, _)) => {
                let note = |desk: &mut Desk, state| desk.ledger.note(Ack::new(id.clone(), state));
                note(desk, AckState::Running).expect("a disk");
                if dice.one_in(200) {
                    return false;
                }
                *seen.runs.entry(id.to_string()).or_default() += 1;
                if dice.one_in(200) {
                    return false;
                }
                note(desk, AckState::Succeeded).expect("a disk");
            }
        }
        true
    }

    fn report(&mut self) {
        self.reports += 1;
        let mut status = Status::new(StatusWord::Running, Timestamp::UNIX_EPOCH);
        status.seq = Some(self.reports);
        status.commands = turn::acks(&self.desk.queue, &self.desk.ledger);
        write_status(&self.status, &status).expect("a report");
    }

    fn kill(&mut self, dice: &mut Dice) {
        let ledger = self.status.join(LOGS).join("commands.jsonl");
        if dice.one_in(2) && ledger.exists() {
            // The line of a command that was not begun yet.
            let mut file = OpenOptions::new()
                .append(true)
                .open(ledger)
                .expect("a ledger");
            file.write_all(br#"{"id":"c1","state":"runn"#)
                .expect("a disk");
        }
        if dice.one_in(2) {
            leave_half(&self.status.join("status.json"), dice);
        }
        self.desk = Self::open(&self.status);
    }
}

/// Something else in the container writes into the queue.
fn forge(file: &Path, dice: &mut Dice) {
    let mut queue: Value = fs::read(file)
        .ok()
        .and_then(|text| serde_json::from_slice(&text).ok())
        .filter(Value::is_object)
        .unwrap_or_else(|| json!({ "commands": [], "processed": [] }));
    let waiting = queue["commands"].as_array().cloned().unwrap_or_default();
    match dice.below(6) {
        0 => queue["commands"] = json!([]),
        1 => queue["processed"] = waiting.iter().map(|entry| entry["id"].clone()).collect(),
        2 => queue["processed"] = json!([]),
        3 => {
            let foreign =
                json!({ "id": format!("f{}", dice.below(9)), "type": "exec", "command": "true" });
            queue["commands"] = json!([foreign]);
        }
        4 => return write_cache(file, b"{\"commands\": [{\"id\"").expect("a disk"),
        _ => return write_cache(file, b"[]").expect("a disk"),
    }
    write_cache(file, queue.to_string().as_bytes()).expect("a disk");
}

/// A file that was to take another's place when its writer was killed.
fn leave_half(file: &Path, dice: &mut Dice) {
    let name = file.file_name().expect("a name").to_string_lossy();
    let half = file.with_file_name(format!(".{name}.{}.tmp", dice.below(3)));
    write_atomic(half, b"{\"comm").expect("a disk");
}

fn id(text: &str) -> CommandId {
    CommandId::new(text).expect("an id")
}

fn program(number: usize) -> Command {
    let exec = Exec {
        command: "true".to_owned(),
        ..Exec::default()
    };
    Command::new(id(&format!("c{number}")), Order::Exec(exec))
}

/// A place where it costs nothing to have written everything down.
fn place() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm")
        .or_else(|_| tempfile::tempdir())
        .expect("a directory")
}

/// Plays until every command has ended in the eyes of the host.
fn play(place: &Path, dice: &mut Dice) -> Seen {
    let (list, status) = (place.join("state/web.json"), place.join("status"));
    for dir in [place.join("state"), status.clone()] {
        fs::create_dir(dir).expect("a directory");
    }
    let mut seen = Seen::default();
    let mut host = Host {
        outbox: Host::open(&list),
        list,
        status: status.clone(),
        asked: 0,
        cancels: 0,
    };
    let mut container = Container {
        desk: Container::open(&status),
        status: status.clone(),
        reports: 0,
    };
    while host.asked < COMMANDS || host.outbox.is_waiting() {
        if dice.one_in(2) {
            host.step(dice, &mut seen);
        } else if !container.step(dice, &mut seen) {
            container.kill(dice);
            seen.container_kills += 1;
        }
        if dice.one_in(20) {
            host.kill(dice);
            seen.host_kills += 1;
        }
        if dice.one_in(20) {
            container.kill(dice);
            seen.container_kills += 1;
        }
        if dice.one_in(20) {
            forge(&status.join("commands.json"), dice);
            seen.forgeries += 1;
        }
    }
    seen
}

#[test]
fn no_command_is_lost_or_run_twice_in_the_first_play() {
    judge(1);
}

#[test]
fn no_command_is_lost_or_run_twice_in_the_second_play() {
    judge(2);
}

#[test]
fn no_command_is_lost_or_run_twice_in_the_third_play() {
    judge(3);
}

#[test]
fn no_command_is_lost_or_run_twice_in_the_fourth_play() {
    judge(4);
}

fn judge(usual: u64) {
    let seed = std::env::var("MIZZEN_SEED").ok();
    let seed = seed.map_or(usual, |seed| seed.parse().expect("a number"));
    println!("MIZZEN_SEED={seed}");
    let place = place();
    let seen = play(place.path(), &mut Dice(seed));
    let mut words = BTreeMap::<&str, usize>::new();
    for number in 0..COMMANDS {
        let id = format!("c{number}");
        let runs = seen.runs.get(&id).copied().unwrap_or(0);
        let end = seen
            .ends
            .get(&id)
            .unwrap_or_else(|| panic!("{id} has no end"));
        let possible = match end {
            AckState::Succeeded => runs == 1,
            AckState::Killed => runs == 0,
            AckState::Interrupted => runs <= 1,
            _ => false,
        };
        assert!(possible, "{id} was run {runs} times and is {end}");
        *words.entry(end.as_str()).or_default() += 1;
    }
    let strangers: BTreeSet<&String> = seen.ends.keys().filter(|id| id.starts_with('f')).collect();
    assert!(strangers.is_empty(), "the host heard of {strangers:?}");
    println!(
        "{words:?}, kills {} and {}, {} forgeries",
        seen.host_kills, seen.container_kills, seen.forgeries
    );
    for (word, least) in [
        ("succeeded", COMMANDS / 2),
        ("interrupted", 1),
        ("killed", 1),
    ] {
        assert!(words[word] >= least, "{words:?}");
    }
    for happened in [seen.host_kills, seen.container_kills, seen.forgeries] {
        assert!(happened > 20, "{happened}");
    }
}
