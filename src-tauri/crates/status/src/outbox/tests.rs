use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use jiff::Timestamp;
use mizzen_fsx::SafeDir;
use serde_json::{Value, json};

use super::disk::{Kept, Waiting};
use super::{Outbox, PAST, Refused, Shown};
use crate::{
    Ack, AckState, Command, CommandId, Exec, Order, Priority, QUEUE, Signal, read_commands,
};

/// A state directory, a status directory, and the list between them.
struct Rig {
    place: tempfile::TempDir,
    outbox: Outbox,
}

impl Rig {
    fn new() -> Self {
        let place = tempfile::tempdir().expect("a temp directory");
        fs::create_dir(place.path().join("status")).expect("a directory");
        let outbox = open(&place, "first");
        Self { place, outbox }
    }

    /// As after a kill: only the disk is left.
    fn again(&mut self) {
        self.outbox = open(&self.place, "first");
    }

    fn put(&mut self, id: &str, command: &str) -> Result<(), Refused> {
        self.outbox.put(exec(id, command), Timestamp::UNIX_EPOCH)
    }

    fn show(&mut self) -> Shown {
        let status = self.place.path().join("status");
        self.outbox
            .show(&status, None, false)
            .expect("a directory to write in")
    }

    fn file(&self) -> PathBuf {
        self.place.path().join("status/commands.json")
    }

    fn found(&self) -> Value {
        let text = fs::read(self.file()).expect("a queue");
        serde_json::from_slice(&text).expect("JSON")
    }

    fn place(&self, queue: &Value) {
        mizzen_fsx::write_atomic(self.file(), queue.to_string().as_bytes()).expect("a queue");
    }

    /// Ids that wait, and those that are done, as a container reads them.
    fn read(&self) -> (Vec<String>, Vec<String>) {
        let dir = SafeDir::open(self.place.path().join("status")).expect("a directory");
        let queue = read_commands(&dir, None).good().expect("a queue");
        let queued = queue.queued.iter().map(|it| it.id.to_string()).collect();
        (
            queued,
            queue.processed.iter().map(CommandId::to_string).collect(),
        )
    }

    fn hear(&mut self, id: &str, state: AckState) -> bool {
        let ack = Ack::new(self::id(id), state);
        self.outbox.hear(&[ack]).expect("a disk")
    }

    fn states(&self) -> Vec<(String, Option<AckState>)> {
        let asked = self.outbox.asked().into_iter();
        asked
            .map(|it| (it.id.to_string(), it.ack.map(|ack| ack.state)))
            .collect()
    }
}

fn open(place: &tempfile::TempDir, session: &str) -> Outbox {
    Outbox::open(place.path().join("state/web.json"), session).expect("a list")
}

fn id(text: &str) -> CommandId {
    CommandId::new(text).expect("an id")
}

fn exec(id: &str, command: &str) -> Command {
    let exec = Exec {
        command: command.to_owned(),
        ..Exec::default()
    };
    Command::new(self::id(id), Order::Exec(exec))
}

fn ids(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

#[test]
fn a_command_is_on_the_disk_before_it_is_taken_and_leaves_with_its_end() {
    let mut rig = Rig::new();
    assert_eq!(rig.show(), Shown::AsItWas, "nothing is written for nothing");
    assert!(!rig.file().exists());
    rig.put("a", "make all").unwrap();
    rig.put("b", "true").unwrap();
    rig.again();
    assert_eq!(rig.show(), Shown::Written);
    assert_eq!(rig.show(), Shown::AsItWas);
    assert_eq!(rig.read(), (ids(&["a", "b"]), ids(&[])));
    assert_eq!(rig.found()["commands"][1]["seq"], 2);

    assert!(rig.hear("a", AckState::Running));
    assert!(!rig.hear("a", AckState::Running), "no news");
    assert!(rig.hear("a", AckState::Failed));
    rig.again();
    rig.show();
    assert_eq!(rig.read(), (ids(&["b"]), ids(&["a"])));
    assert!(
        !rig.hear("a", AckState::Succeeded),
        "what has ended has ended"
    );
    let told = rig.states();
    assert_eq!(
        told,
        [
            ("b".to_owned(), None),
            ("a".to_owned(), Some(AckState::Failed))
        ]
    );
    assert_eq!(rig.outbox.asked()[1].what.as_deref(), Some("make all"));

    rig.put("c", "true").unwrap();
    assert_eq!(rig.outbox.asked()[0].seq, 3, "numbers rise over restarts");
}

#[test]
fn row_33_an_id_that_was_taken_is_not_taken_again() {
    let mut rig = Rig::new();
    rig.put("a", "true").unwrap();
    rig.put("a", "false").unwrap();
    rig.hear("a", AckState::Succeeded);
    rig.again();
    rig.put("a", "true").unwrap();
    assert_eq!(rig.states(), [("a".to_owned(), Some(AckState::Succeeded))]);
}

#[test]
fn rows_35_to_37_what_a_container_would_refuse_is_refused_at_once() {
    let mut rig = Rig::new();
    let mut refused = |change: &dyn Fn(&mut Exec)| {
        let mut command = exec("a", "true");
        let Order::Exec(exec) = &mut command.order else {
            panic!("a program");
        };
        change(exec);
        let refused = rig.outbox.put(command, Timestamp::UNIX_EPOCH);
        refused.unwrap_err().to_string()
    };
    let path = BTreeMap::from([("PATH".to_owned(), "/tmp".to_owned())]);
    assert_eq!(
        refused(&|exec| exec.env = path.clone()),
        "`env` may not set `PATH`"
    );
    let relative = refused(&|exec| exec.working_dir = Some("src".to_owned()));
    assert_eq!(relative, "`working_dir` is not an absolute path");
    let endless = refused(&|exec| exec.timeout_seconds = Some(0));
    assert_eq!(
        endless,
        "`timeout_seconds` is not a whole number of at least 1"
    );
    assert_eq!(refused(&|exec| exec.command.clear()), "`command` is empty");
    assert!(!rig.outbox.is_waiting());
}

#[test]
fn row_41_a_hundred_wait_and_a_signal_still_has_room() {
    let mut rig = Rig::new();
    for number in 0..QUEUE {
        rig.put(&format!("c{number}"), "true").unwrap();
    }
    let refused = rig.put("more", "true").unwrap_err();
    assert_eq!(refused.to_string(), "100 commands wait already");
    let cancel = Order::Signal(Signal::Cancel { target: id("c0") });
    rig.outbox
        .put(Command::new(id("x"), cancel), Timestamp::UNIX_EPOCH)
        .unwrap();
    rig.show();
    let (queued, _) = rig.read();
    assert_eq!(
        (queued.len(), queued[0].as_str()),
        (QUEUE, "x"),
        "signals come first"
    );
    rig.hear("x", AckState::Succeeded);
    rig.show();
    assert_eq!(
        rig.read().0.len(),
        QUEUE,
        "the last one is in the file again"
    );
}

#[test]
fn what_has_no_room_in_the_file_is_refused_and_not_lost() {
    let mut rig = Rig::new();
    let long = "x".repeat(8000);
    let mut taken = 0;
    while rig.put(&format!("c{taken}"), &long).is_ok() {
        taken += 1;
    }
    assert!((25..40).contains(&taken), "{taken}");
    let refused = rig.put("more", &long).unwrap_err();
    assert!(matches!(refused, Refused::TooLong), "{refused}");
    rig.show();
    assert_eq!(rig.read().0.len(), taken);
}

#[test]
fn the_first_in_turn_stand_first() {
    let mut rig = Rig::new();
    for (id, priority) in [
        ("low", Priority::Low),
        ("normal", Priority::Normal),
        ("high", Priority::High),
    ] {
        let mut command = exec(id, "true");
        command.priority = Some(priority);
        rig.outbox.put(command, Timestamp::UNIX_EPOCH).unwrap();
    }
    rig.show();
    assert_eq!(rig.read().0, ids(&["high", "normal", "low"]));
}

#[test]
fn row_32_a_container_that_rewrites_the_queue_neither_takes_away_nor_adds_anything_of_ours() {
    let mut rig = Rig::new();
    rig.put("a", "true").unwrap();
    rig.put("b", "true").unwrap();
    rig.show();
    let ours = rig.found();
    let changed = json!([{ "id": "a", "seq": 1, "type": "exec", "command": "evil" }]);
    for forged in [
        json!({ "commands": [], "processed": [] }),
        json!({ "commands": changed, "processed": [] }),
        json!({ "commands": ours["commands"], "processed": ["a"] }),
        json!([]),
    ] {
        rig.place(&forged);
        assert_eq!(rig.show(), Shown::Restored, "{forged}");
        assert_eq!(rig.found(), ours, "{forged}");
        assert_eq!(rig.outbox.asked().len(), 2, "{forged}");
    }
    fs::remove_file(rig.file()).unwrap();
    assert_eq!(rig.show(), Shown::Restored);
}

#[cfg(unix)]
#[test]
fn a_link_in_its_place_is_replaced_and_not_followed() {
    let mut rig = Rig::new();
    rig.put("a", "true").unwrap();
    rig.show();
    let ours = rig.found();
    std::os::unix::fs::symlink("/etc/passwd", rig.file().with_extension("link")).unwrap();
    fs::remove_file(rig.file()).unwrap();
    std::os::unix::fs::symlink("commands.link", rig.file()).unwrap();
    assert_eq!(rig.show(), Shown::Restored);
    assert_eq!(rig.found(), ours);
}

#[test]
fn what_others_have_put_there_stays_as_long_as_there_is_room_and_counts_for_nothing_here() {
    let mut rig = Rig::new();
    let theirs = json!({ "id": "theirs", "type": "later", "odd": [1] });
    rig.place(&json!({ "commands": [theirs, 7, { "id": "../x" }], "processed": ["old", 7] }));
    rig.put("ours", "true").unwrap();
    assert_eq!(rig.show(), Shown::Written);
    assert_eq!(rig.found()["commands"][1], theirs);
    assert_eq!(rig.read(), (ids(&["ours", "theirs"]), ids(&["old"])));
    assert!(!rig.hear("theirs", AckState::Running));
    assert_eq!(rig.outbox.asked().len(), 1);

    let many: Vec<Value> = (0..300)
        .map(|n| json!({ "id": format!("t{n}"), "type": "x" }))
        .collect();
    rig.place(&json!({ "commands": many, "processed": [] }));
    assert_eq!(rig.show(), Shown::Restored);
    let (queued, _) = rig.read();
    assert_eq!((queued.len(), queued[0].as_str()), (QUEUE, "ours"));
    // They go with whoever put them there.
    rig.place(&json!({ "commands": [rig.found()["commands"][0]], "processed": [] }));
    assert_eq!(rig.show(), Shown::AsItWas);
}

#[test]
fn an_agent_of_the_first_hour_tells_of_an_end_by_the_queue_itself() {
    let mut rig = Rig::new();
    rig.put("a", "true").unwrap();
    rig.put("b", "true").unwrap();
    rig.show();
    rig.place(&json!({ "commands": [], "processed": ["a", "stranger"] }));
    let status = rig.place.path().join("status");
    assert_eq!(
        rig.outbox.show(&status, None, true).unwrap(),
        Shown::Written
    );
    assert_eq!(rig.states()[1], ("a".to_owned(), Some(AckState::Succeeded)));
    assert_eq!(rig.outbox.asked()[1].ack.as_ref().unwrap().exit_code, None);
    assert_eq!(rig.read(), (ids(&["b"]), ids(&["a", "stranger"])));
}

#[test]
fn only_the_newest_ends_are_remembered() {
    let mut kept = Kept::default();
    for number in 0..PAST + 5 {
        let command = exec(&format!("c{number}"), "true");
        let ack = Ack::new(command.id.clone(), AckState::Succeeded);
        kept.waiting.push(Waiting::new(command));
        kept.hear(&ack);
    }
    assert_eq!((kept.past.len(), kept.past[0].id.as_str()), (PAST, "c5"));
    assert!(!kept.knows(&id("c4")));
}

#[test]
fn another_session_of_the_same_name_begins_with_nothing_and_so_does_a_torn_list() {
    let mut rig = Rig::new();
    rig.put("a", "true").unwrap();
    assert_eq!(open(&rig.place, "second").asked(), []);
    assert_eq!(open(&rig.place, "first").asked().len(), 1);
    let list = rig.place.path().join("state/web.json");
    mizzen_fsx::write_atomic(&list, br#"{"session":"first","#).unwrap();
    let torn = open(&rig.place, "first");
    assert_eq!(torn.asked(), []);
    let aside = rig.place.path().join("state/web.corrupt");
    assert_eq!(torn.put_aside(), Some(&*aside));
    assert_eq!(fs::read(aside).unwrap(), br#"{"session":"first","#);
}

#[test]
fn one_entry_that_makes_no_sense_takes_no_other_with_it() {
    let mut rig = Rig::new();
    for name in ["a", "b", "c"] {
        rig.put(name, "true").unwrap();
    }
    let list = rig.place.path().join("state/web.json");
    let text = fs::read_to_string(&list).unwrap();
    assert!(open(&rig.place, "first").put_aside().is_none());
    let broken = text.replacen(r#""id":"b""#, r#""id":"../b""#, 1);
    mizzen_fsx::write_atomic(&list, broken.as_bytes()).unwrap();
    let read = open(&rig.place, "first");
    let ids: Vec<_> = read.asked().iter().map(|it| it.id.to_string()).collect();
    assert_eq!(ids, ["c", "a"]);
    let aside = read.put_aside().unwrap();
    assert_eq!(fs::read_to_string(aside).unwrap(), broken);
}

#[test]
fn what_is_taken_back_has_an_end_and_a_reason() {
    let mut rig = Rig::new();
    rig.put("a", "true").unwrap();
    assert!(rig.outbox.take_back(&id("a"), "nobody runs it").unwrap());
    assert!(!rig.outbox.take_back(&id("a"), "again").unwrap());
    rig.again();
    let ack = rig.outbox.asked().remove(0).ack.unwrap();
    assert_eq!(
        (ack.state, ack.error.as_deref()),
        (AckState::Killed, Some("nobody runs it"))
    );
}

#[test]
fn a_script_and_its_words_are_one_line_that_cannot_steer_a_terminal() {
    let mut rig = Rig::new();
    let order = Order::Exec(Exec {
        command: "echo \u{1b}[2J\nnext".to_owned(),
        args: vec!["a b".to_owned()],
        shell: true,
        ..Exec::default()
    });
    rig.outbox
        .put(Command::new(id("a"), order), Timestamp::UNIX_EPOCH)
        .unwrap();
    assert_eq!(
        rig.outbox.asked()[0].what.as_deref(),
        Some("echo  next 'a b'")
    );
}
