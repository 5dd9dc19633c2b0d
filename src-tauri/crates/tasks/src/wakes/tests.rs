use tokio::sync::mpsc;

use super::*;

const fn clocks(awake: u64, always: u64) -> Clocks {
    Clocks {
        awake: Duration::from_millis(awake),
        always: Duration::from_millis(always),
    }
}

#[test]
fn only_a_clock_that_went_on_while_the_other_stood_tells_of_a_sleep() {
    for (what, before, now, slept) in [
        ("an hour awake", (0, 50), (3_600_000, 3_600_050), false),
        ("a night", (1000, 1000), (1010, 30_000_000), true),
        ("a doze", (0, 0), (10, 2500), true),
        ("a blink", (0, 0), (10, 2010), false),
        ("slept before", (1000, 90_000), (2000, 91_000), false),
        ("a wall clock put forward", (0, 0), (5000, 3_605_000), true),
        ("a wall clock put back", (0, 9_000_000), (5000, 10), false),
    ] {
        let (before, now) = (clocks(before.0, before.1), clocks(now.0, now.1));
        assert_eq!(now.slept_since(before), slept, "{what}");
    }
}

/// A machine whose clocks turn to what it is told.
struct Told(Clocks, mpsc::Receiver<Clocks>);

impl Machine for Told {
    fn clocks(&self) -> Clocks {
        self.0
    }

    async fn turn(&mut self) {
        match self.1.recv().await {
            Some(next) => self.0 = next,
            None => std::future::pending().await,
        }
    }
}

#[tokio::test]
async fn each_wake_is_told_once() {
    let (tell, told) = mpsc::channel(1);
    let (woken, mut wakes) = watch::channel(0);
    let owner = Owner::root("test");
    owner.spawn("wakes", follow(Told(clocks(0, 0), told), woken));
    for (awake, always) in [(1000, 1000), (2000, 60_000), (3000, 61_000), (4000, 90_000)] {
        tell.send(clocks(awake, always)).await.unwrap();
    }
    wakes.wait_for(|times| *times == 2).await.unwrap();
    // Awake from here on: taken by the time that the next one is.
    for always in [91_000, 92_000, 93_000] {
        tell.send(clocks(always - 86_000, always)).await.unwrap();
    }
    assert_eq!(*wakes.borrow(), 2);
}

/// The machine that this runs on does not sleep meanwhile.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn the_kernel_is_asked_to_tell_and_its_clocks_go_forward_together() {
    let machine = machine::This::new();
    assert!(machine.is_told(), "the kernel tells of a wake");
    let before = machine.clocks();
    assert!(before.always >= before.awake && before.awake > Duration::ZERO);
    assert!(!machine.clocks().slept_since(before));
}
