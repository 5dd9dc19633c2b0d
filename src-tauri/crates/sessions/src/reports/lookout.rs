//! One thread that looks at the status directories of all sessions, when the file system hints and, as a safety net, now
//! and then. A report that says nothing new wakes nobody else.
//!
//! A look reads at most 256 KiB, and takes some milliseconds at the worst that a container can put there; whoever makes it
//! take longer is looked at less often, and all others have their turn in between.
//! A look that panics is a problem of that one session.

use std::collections::BTreeMap;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;

use super::Heard;
use super::looker::{Found, Looker};
use crate::sessions::Clock;

/// The safety net under lost hints: a heartbeat comes every 5 s and its hint is waited for, and 15 s old is fresh.
const POLL: Duration = Duration::from_secs(7);
/// Between two looks at one directory: a container that writes a thousand times a second is shown four times.
const SPACING: Duration = Duration::from_millis(250);
/// After a torn file.
const SOON: Duration = Duration::from_millis(50);
/// The share of this thread's time that one directory may take: a twentieth.
const SHARE: u32 = 20;
/// Between two rounds: what is hinted at meanwhile is one round.
const GAP: Duration = Duration::from_millis(20);

/// Said of a session whose directory could not be looked at by a fault of ours.
const FAULT: &str = "The container's reports cannot be read by a fault in Mizzen, which its log tells of; it is tried again.";

/// Where sessions have their status directories followed. The thread begins with the first one, and ends with this.
pub(crate) struct Lookout {
    clock: Clock,
    next: AtomicU64,
    /// Taken for as long as it takes to start a thread.
    orders: Mutex<Option<Sender<Order>>>,
}

/// A directory that is followed; dropped, it is not any more.
pub(crate) struct Following {
    number: u64,
    orders: Sender<Order>,
}

/// Says that a directory is to be looked at soon.
#[derive(Clone)]
pub(crate) struct Hint {
    number: u64,
    orders: Sender<Order>,
}

/// What the thread is told.
enum Order {
    Follow(u64, Box<Post>),
    Look(u64),
    Leave(u64),
}

/// One directory, and who hears of it.
struct Post {
    looker: Looker,
    tell: mpsc::Sender<Heard>,
    turn: Turn,
}

/// When a directory is to be looked at.
struct Turn {
    due: Instant,
    /// No look before.
    rests_until: Instant,
}

/// What is to come after a look.
#[derive(Clone, Copy)]
enum Next {
    /// A hint, or the poll.
    Hint,
    /// Another look, since what was found was not heard.
    Again,
    /// Another look soon, at a file that may be on its way.
    Soon,
    /// The poll, whatever is hinted at: each such look is a panic in the log.
    Poll,
}

impl Lookout {
    pub(crate) fn new(clock: Clock) -> Self {
        Self {
            clock,
            next: AtomicU64::new(0),
            orders: Mutex::new(None),
        }
    }

    /// Takes a place in the round.
    ///
    /// # Errors
    /// The system has no thread to give.
    pub(crate) fn join(&self) -> io::Result<Following> {
        let mut orders = self.orders.lock().unwrap_or_else(PoisonError::into_inner);
        let orders = match &*orders {
            Some(orders) => orders.clone(),
            None => orders.insert(start(self.clock.clone())?).clone(),
        };
        Ok(self.place(orders))
    }

    /// The same beside the round, for a directory that may keep whoever looks at it waiting for long.
    ///
    /// # Errors
    /// The system has no thread to give.
    pub(crate) fn alone(&self) -> io::Result<Following> {
        Ok(self.place(start(self.clock.clone())?))
    }

    fn place(&self, orders: Sender<Order>) -> Following {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        Following { number, orders }
    }
}

impl Following {
    pub(crate) fn hint(&self) -> Hint {
        Hint {
            number: self.number,
            orders: self.orders.clone(),
        }
    }

    /// Looks from now on, and tells what is new.
    pub(crate) fn begin(&self, looker: Looker, tell: mpsc::Sender<Heard>) {
        let post = Post {
            looker,
            tell,
            turn: Turn::now(Instant::now()),
        };
        // The thread lives as long as somebody can give it orders.
        let _ = self.orders.send(Order::Follow(self.number, Box::new(post)));
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        let _ = self.orders.send(Order::Leave(self.number));
    }
}

impl Hint {
    pub(crate) fn give(&self) {
        let _ = self.orders.send(Order::Look(self.number));
    }
}

fn start(clock: Clock) -> io::Result<Sender<Order>> {
    let (orders, told) = channel();
    thread::Builder::new()
        .name("reports".to_owned())
        .spawn(move || keep_looking(&told, &clock))?;
    Ok(orders)
}

/// Goes round until nobody can give orders any more.
fn keep_looking(orders: &Receiver<Order>, clock: &Clock) {
    let mut posts = BTreeMap::new();
    let mut rests_until = Instant::now();
    loop {
        let due = posts.values().map(|post: &Post| post.turn.due).min();
        let order = match due {
            Some(due) => orders.recv_timeout(due.saturating_duration_since(Instant::now())),
            None => orders.recv().map_err(RecvTimeoutError::from),
        };
        let order = match order {
            Ok(order) => Some(order),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => return,
        };
        thread::sleep(rests_until.saturating_duration_since(Instant::now()));
        for order in order.into_iter().chain(orders.try_iter()) {
            obey(&mut posts, order);
        }
        if round(&mut posts, clock) {
            rests_until = Instant::now() + GAP;
        }
    }
}

fn obey(posts: &mut BTreeMap<u64, Post>, order: Order) {
    match order {
        Order::Follow(number, post) => drop(posts.insert(number, *post)),
        Order::Leave(number) => drop(posts.remove(&number)),
        Order::Look(number) => {
            if let Some(post) = posts.get_mut(&number) {
                post.turn.hint();
            }
        }
    }
}

/// Looks at what is due; whether anything was.
fn round(posts: &mut BTreeMap<u64, Post>, clock: &Clock) -> bool {
    let now = Instant::now();
    let is_due = |post: &&mut Post| post.turn.due <= now;
    let mut due: Vec<_> = posts.values_mut().filter(is_due).collect();
    due.sort_by_key(|post| post.turn.due);
    let any = !due.is_empty();
    for post in due {
        post.look(Instant::now(), clock);
    }
    any
}

impl Post {
    fn look(&mut self, now: Instant, clock: &Clock) {
        // What a panic leaves of the looker is forgotten.
        let looked = catch_unwind(AssertUnwindSafe(|| self.looker.look(now, clock())));
        let next = match looked {
            Ok(Found::Torn) => Next::Soon,
            Ok(Found::Nothing) => Next::Hint,
            Ok(Found::News(heard)) => self.tell(*heard, Next::Hint),
            Err(_told_by_the_hook) => {
                self.looker.forget();
                self.tell(Heard::Problem(FAULT.to_owned()), Next::Poll)
            }
        };
        self.turn.took(now, now.elapsed(), next);
    }

    fn tell(&mut self, heard: Heard, then: Next) -> Next {
        match self.tell.try_send(heard) {
            // Whoever has left takes its place with it.
            Ok(()) | Err(TrySendError::Closed(_)) => then,
            Err(TrySendError::Full(_)) => {
                self.looker.forget();
                Next::Again
            }
        }
    }
}

impl Turn {
    fn now(now: Instant) -> Self {
        Self {
            due: now,
            rests_until: now,
        }
    }

    fn hint(&mut self) {
        self.due = self.due.min(self.rests_until);
    }

    /// A look that began then took so long.
    fn took(&mut self, began: Instant, took: Duration, next: Next) {
        let (rest, again_in) = match next {
            Next::Hint => (SPACING, POLL),
            Next::Again => (SPACING, SPACING),
            Next::Soon => (SOON, SOON),
            Next::Poll => (POLL, POLL),
        };
        self.rests_until = began + rest.max(took * SHARE);
        self.due = self.rests_until.max(began + again_in);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    use jiff::Timestamp;
    use tokio::sync::mpsc;

    use super::{Clock, Duration, Heard, Instant, Looker, Next, POLL, Post, Turn, round};

    const MILLI: Duration = Duration::from_millis(1);

    /// Looks within a second at a directory that is hinted at each millisecond, each of which takes so long.
    fn looks(took: Duration, next: Next) -> usize {
        let begun = Instant::now();
        let mut turn = Turn::now(begun);
        let looks = (0..1000).map(|milli| begun + MILLI * milli).filter(|now| {
            turn.hint();
            let is_due = turn.due <= *now;
            if is_due {
                turn.took(*now, took, next);
            }
            is_due
        });
        looks.count()
    }

    #[test]
    fn row_23_a_thousand_reports_a_second_are_looked_at_four_times() {
        assert_eq!(looks(Duration::ZERO, Next::Hint), 4);
        assert_eq!(looks(Duration::ZERO, Next::Again), 4);
        assert_eq!(looks(Duration::ZERO, Next::Soon), 20);
    }

    #[test]
    fn whoever_makes_a_look_take_long_takes_a_twentieth_of_the_time() {
        for took in [5, 10, 20, 50] {
            for next in [Next::Hint, Next::Soon] {
                let looks = looks(MILLI * took, next);
                let share = looks * took as usize;
                assert!(share <= 60, "{looks} looks of {took} ms");
            }
        }
    }

    #[test]
    fn without_hints_there_is_a_look_all_the_same() {
        let begun = Instant::now();
        let mut turn = Turn::now(begun);
        turn.took(begun, Duration::ZERO, Next::Hint);
        assert_eq!(turn.due, begun + POLL);
        turn.hint();
        assert!(turn.due < begun + POLL);
    }

    #[test]
    fn a_look_that_panics_is_one_sessions_problem_and_is_tried_again() {
        let panics = AtomicBool::new(true);
        let clock: Clock = Arc::new(move || {
            assert!(!panics.swap(false, Ordering::Relaxed), "a test's");
            Timestamp::now()
        });
        let dir = tempfile::tempdir().unwrap();
        let report = br#"{"timestamp":"1","status":"running"}"#;
        mizzen_fsx::write_atomic(dir.path().join("status.json"), report).unwrap();
        let (mut posts, mut told) = (BTreeMap::new(), Vec::new());
        for number in 0..2 {
            let (tell, hears) = mpsc::channel(1);
            let looker = Looker::open(dir.path(), None, Arc::default()).unwrap();
            let turn = Turn::now(Instant::now());
            posts.insert(number, Post { looker, tell, turn });
            told.push(hears);
        }
        let mut hears = |number: usize| told[number].try_recv().unwrap();
        round(&mut posts, &clock);
        let problem = hears(0);
        assert!(matches!(&problem, Heard::Problem(why) if why.contains("its log")));
        assert!(matches!(hears(1), Heard::Report { .. }));
        // No hint brings it before the poll does.
        let turn = &mut posts.get_mut(&0).unwrap().turn;
        let due = turn.due;
        turn.hint();
        assert_eq!(turn.due, due);
        *turn = Turn::now(Instant::now());
        round(&mut posts, &clock);
        assert!(matches!(hears(0), Heard::Report { .. }));
    }
}
