//! A link that is kept in step by a thread.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::time::{Duration, Instant};

use super::*;
use crate::link::{Order, Word};
use crate::told::{Stand, State};

const SOON: Duration = Duration::from_secs(20);

struct Kept {
    orders: Sender<Order>,
    told: Receiver<CameTo>,
}

/// What a cycle came to, as far as it matters here.
#[derive(PartialEq)]
enum CameTo {
    ItsEnd,
    Conflicts,
    EmptiedRoot,
    Nothing,
}

impl CameTo {
    fn of(cycle: &Result<Cycle, CycleError>) -> Self {
        match cycle {
            Ok(cycle) if !cycle.conflicts.is_empty() => Self::Conflicts,
            Ok(_) => Self::ItsEnd,
            Err(CycleError::Halted(Halt::RootEmptied(_))) => Self::EmptiedRoot,
            Err(_) => Self::Nothing,
        }
    }
}

/// Keeps a fixture's sides in step until its orders end.
fn keep(fixture: &Fixture) -> Kept {
    keep_every(fixture, Duration::from_secs(300))
}

fn keep_every(fixture: &Fixture, interval: Duration) -> Kept {
    let (orders, received) = mpsc::channel();
    let (tell, told) = mpsc::channel();
    let (mut link, ordered) = (fixture.link(), orders.clone());
    thread::spawn(move || {
        let told = |cycle: &_| match tell.send(CameTo::of(cycle)) {
            Ok(()) => ControlFlow::Continue(()),
            Err(_) => ControlFlow::Break(()),
        };
        link.keep(interval, &ordered, &received, told)
    });
    Kept { orders, told }
}

impl Kept {
    /// Waits for the outcome of a cycle.
    fn until(&self, wanted: impl Fn(&CameTo) -> bool) {
        while !wanted(&self.told.recv_timeout(SOON).expect("a cycle must come")) {}
    }
}

fn reads(path: &Path, expected: &str) -> bool {
    fs::read_to_string(path).is_ok_and(|found| found == expected)
}

#[test]
fn everything_is_looked_at_time_and_again() {
    let fixture = Fixture::new(Mode::TwoWaySafe);
    let kept = keep_every(&fixture, Duration::from_millis(10));
    // Nothing changes, and nobody asks.
    for _ in 0..3 {
        kept.until(|came_to| *came_to == CameTo::ItsEnd);
    }
}

#[test]
fn everything_is_looked_at_however_busy_a_side_is() {
    let fixture = Fixture::new(Mode::TwoWaySafe);
    fixture.write("host/a", "0");
    let (orders, received) = mpsc::channel();
    let (mut cycles, mut whole, end) = (0, 0, Instant::now() + SOON);
    let mut link = fixture.link();
    let told = |cycle: &Result<Cycle, CycleError>| {
        whole += u32::from(cycle.as_ref().is_ok_and(|cycle| cycle.is_whole));
        cycles += 1;
        // Each cycle brings the next one about.
        fixture.write("host/a", &cycles.to_string());
        match whole < 3 && Instant::now() < end {
            true => ControlFlow::Continue(()),
            false => ControlFlow::Break(()),
        }
    };
    link.keep(Duration::from_millis(500), &orders, &received, told)
        .unwrap();
    assert_eq!(whole, 3, "of {cycles} cycles");
}

#[test]
fn a_change_on_either_side_comes_to_the_other_by_itself() {
    let fixture = Fixture::new(Mode::TwoWaySafe);
    fixture.write("host/a", "1");
    let kept = keep(&fixture);
    kept.until(|came_to| *came_to == CameTo::ItsEnd);
    fixture.write("container/new/b", "2");
    kept.until(|_| reads(&fixture.path("host/new/b"), "2"));
    fixture.write("host/new/b", "3");
    kept.until(|_| reads(&fixture.path("container/new/b"), "3"));
    remove(&fixture.path("host/new"));
    kept.until(|_| !fixture.path("container/new").exists());
}

#[test]
fn a_halted_link_goes_on_when_a_person_agrees() {
    let fixture = Fixture::new(Mode::TwoWaySafe);
    fixture.write("host/a", "1");
    let kept = keep(&fixture);
    kept.until(|_| fixture.path("container/a").exists());
    remove(&fixture.path("container/a"));
    kept.until(|came_to| *came_to == CameTo::EmptiedRoot);
    assert!(fixture.path("host/a").exists());
    kept.orders.send(Order::Consent).unwrap();
    kept.until(|_| !fixture.path("host/a").exists());
    fixture.write("host/b", "1");
    kept.until(|_| fixture.path("container/b").exists());
}

#[test]
fn a_question_is_answered_between_cycles_and_what_comes_of_it_goes_over() {
    let fixture = Fixture::new(Mode::TwoWaySafe);
    fixture.write("host/a", "1");
    let kept = keep(&fixture);
    kept.until(|_| fixture.path("container/a").exists());
    // Whole at once: a file that is written over may go over empty first.
    mizzen_fsx::write_atomic(fixture.path("container/a"), b"22").unwrap();
    kept.until(|_| reads(&fixture.path("host/a"), "22"));
    let (ask, answers) = Order::ask(|link| {
        let recall = Recall {
            of: Some(RelPath::new(b"a").expect("a path")),
            ..Recall::last(1)
        };
        let last = link.history(&recall)?.pop();
        link.undo(last.expect("a cycle").id)
    });
    kept.orders.send(ask).unwrap();
    let undone = answers.recv_timeout(SOON).unwrap().unwrap();
    assert!(!undone.cycle.applied.host.done.is_empty(), "{undone:?}");
    kept.until(|_| reads(&fixture.path("container/a"), "1"));
}

#[test]
fn a_flush_is_answered_when_everything_was_looked_at() {
    let fixture = Fixture::new(Mode::TwoWaySafe);
    fixture.write("host/a", "1");
    let kept = keep(&fixture);
    kept.until(|came_to| *came_to == CameTo::ItsEnd);
    // Later, when no word of the first change comes any more, nothing has changed.
    for is_new in [true, false, false, false, false] {
        if is_new {
            fixture.write("container/b", "2");
        }
        let (flush, flushed) = Order::flush(|cycle| cycle.as_ref().is_ok_and(Cycle::is_in_step));
        kept.orders.send(flush).unwrap();
        assert_eq!(flushed.recv_timeout(SOON), Ok(true));
        assert!(reads(&fixture.path("host/b"), "2"));
    }
}

#[test]
fn who_waits_for_a_cycle_hears_of_it_after_everybody_else() {
    let fixture = Fixture::new(Mode::TwoWaySafe);
    let (ordered, orders) = mpsc::channel();
    let told = Arc::new(AtomicUsize::new(0));
    let seen = told.clone();
    let (flush, flushed) = Order::flush(move |_| seen.load(Ordering::SeqCst));
    ordered.send(flush).unwrap();
    let tell = |_: &_| {
        told.fetch_add(1, Ordering::SeqCst);
        ControlFlow::Break(())
    };
    let kept = fixture.link().keep(SOON, &ordered, &orders, tell);
    kept.unwrap();
    assert_eq!(flushed.try_recv(), Ok(1));
}

#[test]
fn a_link_in_a_pause_answers_and_does_nothing_else_until_it_is_to_go_on() {
    let fixture = Fixture::new(Mode::TwoWaySafe);
    fixture.write("host/a", "1");
    let kept = keep(&fixture);
    kept.until(|came_to| *came_to == CameTo::ItsEnd);
    kept.orders.send(Order::Pause).unwrap();
    let ask = || {
        let (ask, answers) = Order::ask(|link| link.why(&RelPath::new(b"b").unwrap()));
        kept.orders.send(ask).unwrap();
        answers.recv_timeout(SOON).unwrap().unwrap()
    };
    // Since then, no cycle is under way.
    assert_eq!(ask(), Standing::Nowhere);
    while kept.told.try_recv().is_ok() {}
    fixture.write("container/b", "2");
    for order in [Order::Changed, Order::Everything] {
        kept.orders.send(order).unwrap();
        // Each question is one more round, in which a cycle could come about.
        for _ in 0..3 {
            assert_eq!(ask(), Standing::Pending(Side::Host));
        }
    }
    assert!(kept.told.try_recv().is_err(), "no cycle in a pause");

    let (flush, flushed) = Order::flush(Result::is_ok);
    kept.orders.send(flush).unwrap();
    assert_eq!(flushed.recv_timeout(SOON), Ok(true));
    assert!(reads(&fixture.path("host/b"), "2"));
    fixture.write("container/b", "33");
    for _ in 0..3 {
        assert_eq!(ask(), Standing::Pending(Side::Host), "it is a pause still");
    }
    kept.orders.send(Order::Resume).unwrap();
    kept.until(|_| reads(&fixture.path("host/b"), "33"));
}

#[test]
fn what_is_decided_in_a_pause_is_no_conflict_any_more_and_nothing_else_goes_over() {
    let fixture = Fixture::new(Mode::TwoWaySafe);
    fixture.write("host/a", "host");
    fixture.write("container/a", "container");
    let kept = keep(&fixture);
    kept.until(|came_to| *came_to == CameTo::Conflicts);
    kept.orders.send(Order::Pause).unwrap();
    let (ask, answers) = Order::ask(|_| ());
    kept.orders.send(ask).unwrap();
    // No cycle is under way any more.
    answers.recv_timeout(SOON).unwrap();
    fixture.write("host/b", "new");
    let (ask, answers) = Order::ask(|link| {
        let path = RelPath::new(b"a").expect("a path");
        link.resolve(&path, Keep::Host)
    });
    kept.orders.send(ask).unwrap();
    answers.recv_timeout(SOON).unwrap().unwrap();
    kept.until(|came_to| *came_to == CameTo::ItsEnd);
    assert!(reads(&fixture.path("container/a"), "host"));
    assert!(!fixture.path("container/b").exists());
    kept.orders.send(Order::Resume).unwrap();
    kept.until(|_| fixture.path("container/b").exists());
}

#[test]
fn a_file_that_somebody_writes_is_named_while_it_waits_and_comes_once_nobody_does() {
    for side in ["host", "container"] {
        let fixture = Fixture::new(Mode::TwoWaySafe);
        fixture.write("host/other", "1");
        let busy = fixture.path(&format!("{side}/busy"));
        write(&busy, &"x".repeat(8 << 20));
        let (mut link, (orders, received)) = (fixture.link(), mpsc::channel());
        let (tell, told) = mpsc::channel();
        let ordered = orders.clone();
        thread::spawn(move || {
            let mut stand = Stand::new(State::Starting);
            link.keep(Duration::from_secs(300), &ordered, &received, |cycle| {
                stand = stand.after(cycle, "", jiff::Timestamp::UNIX_EPOCH);
                match tell.send(stand.clone()) {
                    Ok(()) => ControlFlow::Continue(()),
                    Err(_) => ControlFlow::Break(()),
                }
            })
        });
        let until = |wanted: &dyn Fn(&Stand) -> bool| {
            while !wanted(&told.recv_timeout(SOON).expect("a cycle must come")) {}
        };
        let (over, is_over) = mpsc::channel::<()>();
        let path = busy.clone();
        let writing = thread::spawn(move || {
            let mut file = fs::File::options().append(true).open(path).expect("ours");
            while is_over.try_recv() == Err(mpsc::TryRecvError::Empty) {
                file.write_all(b"y").expect("room");
            }
        });
        until(&|stand| {
            let is_told = stand.pending == 1 && stand.held.as_deref() == Some("busy");
            is_told && stand.state == State::Syncing && stand.problems == 0
        });
        drop(over);
        writing.join().unwrap();
        // A cycle that looked before the last byte may have come in step as well.
        let last = fs::read(&busy).unwrap();
        let has_last = |side| fs::read(fixture.path(side).join("busy")).is_ok_and(|it| it == last);
        until(&|stand| {
            let is_in_step = stand.state == State::InStep && stand.held.is_none();
            is_in_step && has_last("host") && has_last("container")
        });
    }
}

#[test]
fn what_a_person_asks_of_the_link_as_a_whole_is_written_down() {
    let fixture = Fixture::new(Mode::TwoWaySafe);
    let (ordered, orders) = mpsc::channel();
    // One that was paused before says nothing of it.
    ordered.send(Order::Pause).unwrap();
    for word in [Word::Resume, Word::Flush, Word::Pause] {
        ordered.send(Order::Said(word)).unwrap();
    }
    ordered.send(Order::Stop).unwrap();
    let mut link = fixture.link();
    let never = |_: &Result<Cycle, CycleError>| ControlFlow::Break(());
    link.keep(SOON, &ordered, &orders, never).unwrap();
    let audit = fs::read_to_string(fixture.path("state/audit.jsonl")).unwrap();
    let asked: Vec<String> = audit
        .lines()
        .map(|line| {
            let line: serde_json::Value = serde_json::from_str(line).unwrap();
            assert!(line["cycle"].as_str().is_some_and(|at| at.ends_with('Z')));
            line["asked"].as_str().unwrap_or_default().to_owned()
        })
        .collect();
    assert_eq!(asked, ["resume", "flush", "pause"]);
}
