//! Whoever takes part in a sync is killed at a system call, at each in turn; the next sync comes to the same end.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::net::{UnixListener, UnixStream};
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Command, Output};

use mizzen_sync::{Far, serve};
use mizzen_tests::own_core::supervisor;
use mizzen_tests::rig::program;

use crate::link::{SERVED, cycle, with_far};
use crate::pair::{Pair, noise, rename, write};

/// What changes a disk, and what waits for it: a call that only looks leaves what the next of these meets.
const CALLS: [&str; 22] = [
    "rename",
    "renameat",
    "renameat2",
    "mkdir",
    "mkdirat",
    "unlink",
    "unlinkat",
    "rmdir",
    "link",
    "linkat",
    "symlink",
    "symlinkat",
    "write",
    "writev",
    "pwrite64",
    "ftruncate",
    "fchmod",
    "utimensat",
    "fsync",
    "fdatasync",
    "syncfs",
    "copy_file_range",
];
/// Set, each call of every kind is met, which takes long; else one in so many of those that change something.
const EVERYWHERE: &str = "MIZZEN_KILL_EVERYWHERE";
const STRIDE: usize = 2;
/// Names the folder of both sides to the process that is killed.
const WORLD: &str = "MIZZEN_TEST_SYNC_IN";

/// Who is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Victim {
    /// `mizzen sync` of two folders of this machine.
    Program,
    /// The process that keeps a link with a folder at the other end of a wire.
    Near,
    /// The one that serves that folder.
    Far,
}

#[test]
fn a_sync_that_is_killed_at_any_system_call_is_finished_by_the_next() {
    at_each_call(Victim::Program);
}

#[test]
fn a_near_end_that_is_killed_at_any_system_call_is_followed_by_one_that_finishes() {
    if let Some(world) = std::env::var_os(WORLD) {
        let stream = UnixStream::connect(Path::new(&world).join("wire")).unwrap();
        let from = stream.try_clone().unwrap();
        let done = cycle(Path::new(&world), Far::new(from, stream), false);
        assert!(done.is_ok_and(|conflicts| conflicts == 1));
        return;
    }
    at_each_call(Victim::Near);
}

#[test]
fn a_far_end_that_is_killed_at_any_system_call_is_followed_by_one_that_finishes() {
    at_each_call(Victim::Far);
}

fn at_each_call(victim: Victim) {
    let pair = story(victim);
    let held = pair.written();
    let calls = calls(&pair, victim);
    let expected = ["a", "b"].map(|side| pair.words(side));
    let mut kills = 0;
    let step = if is_everywhere() { 1 } else { STRIDE };
    for call in &calls {
        for at in (1..).step_by(step) {
            pair.restore();
            if !run(&pair, victim, Some((call, at))).was_killed {
                break;
            }
            kills += 1;
            let moment = format!("{victim:?} killed at {call} {at}");
            check_lost(&pair, &held, &moment);
            let again = run(&pair, victim, None);
            assert!(again.is_well, "{moment}: {}", again.said);
            assert_eq!(
                ["a", "b"].map(|side| pair.words(side)),
                expected,
                "{moment}"
            );
            check_lost(&pair, &held, &moment);
            let left = pair.leftovers();
            assert!(left.is_empty(), "{moment}: left over: {left:?}");
        }
    }
    assert!(kills > 20, "only {kills} places to be killed at");
}

/// On a side, in a conflict or in a trash: all that people wrote is somewhere.
fn check_lost(pair: &Pair, held: &BTreeSet<Vec<u8>>, moment: &str) {
    let kept = pair.kept();
    let shown = |lost: &Vec<u8>| lost[..lost.len().min(60)].escape_ascii().to_string();
    let lost: Vec<String> = held.difference(&kept).map(shown).collect();
    assert!(lost.is_empty(), "{moment}: lost {lost:?}");
}

fn is_everywhere() -> bool {
    std::env::var_os(EVERYWHERE).is_some()
}

/// The system calls to be killed at, after a run that nobody disturbs.
fn calls(pair: &Pair, victim: Victim) -> BTreeSet<String> {
    pair.restore();
    let log = pair.path("home/calls");
    let ran = run_traced(
        pair,
        victim,
        &["-e", "trace=all", "-o", &log.display().to_string()],
    );
    assert!(ran.is_well, "{}", ran.said);
    let text = fs::read_to_string(&log).expect("a log");
    let name = |line: &str| {
        let (_, call) = line.split_once(' ')?;
        let (name, _) = call.trim_start().split_once('(')?;
        let is_one = is_everywhere() && name != "execve" || CALLS.contains(&name);
        (is_one && !name.contains(['<', '.', ' '])).then(|| name.to_owned())
    };
    text.lines().filter_map(name).collect()
}

/// Both sides in step, and then all that can happen on both.
fn story(victim: Victim) -> Pair {
    let pair = Pair::new();
    pair.put(
        "a/edit=1 a/same=0 a/both=x a/gone=2 a/goes/x=3 a/goes/d/y=4 a/moved/x=5 a/moved/d/y=6 a/kind=7 a/kind2/x=8 \
         a/link->edit a/run=9 a/clash=10 a/theirs=11 a/partly/x=12 a/partly/d/y=13",
    );
    write(&pair.path("a/.gitignore"), b"ignored\n");
    write(&pair.path("a/both"), b"one\ntwo\nthree\n");
    write(&pair.path("a/large"), &noise(400_000, 1));
    let first = run(&pair, victim, None);
    // A text is kept for merges once somebody has changed it.
    write(&pair.path("a/both"), b"one\ntwo\nthree\nfour\n");
    let second = run(&pair, victim, None);
    assert!(!first.was_killed && !second.was_killed);
    assert_eq!(pair.words("a"), pair.words("b"));
    pair.put(
        "a/edit=22 a/new=23 a/fresh/a=24 a/fresh/d/b=25 a/fresh/d/l->b a/gone- a/run=9* a/kind- a/kind/x=26 \
         a/kind/d/y=27 a/clash=28 a/twin=23 b/theirs=29 b/from/x=30 b/goes- b/kind2- b/kind2=31 b/link->theirs \
         b/clash=322 b/new2=33 b/partly/ignored=34 a/partly- b/ignored=35",
    );
    rename(&pair.path("a/moved"), &pair.path("a/elsewhere"));
    write(&pair.path("a/both"), b"ONE\ntwo\nthree\nfour\n");
    write(&pair.path("b/both"), b"one\ntwo\nthree\nFOUR\n");
    let mut large = noise(400_000, 1);
    large.splice(1000..2000, noise(1500, 2));
    write(&pair.path("b/large"), &large);
    write(&pair.path("a/larger"), &noise(300_000, 3));
    pair.note();
    pair
}

/// What came of a run.
struct Ran {
    was_killed: bool,
    /// It did all that can be done without a person: there is one conflict.
    is_well: bool,
    said: String,
}

fn run(pair: &Pair, victim: Victim, kill: Option<(&str, usize)>) -> Ran {
    let Some((call, at)) = kill else {
        return run_traced(pair, victim, &[]);
    };
    let trace = format!("trace={call}");
    let inject = format!("inject={call}:signal=KILL:when={at}");
    run_traced(
        pair,
        victim,
        &["-o", "/dev/null", "-e", &trace, "-e", &inject],
    )
}

fn run_traced(pair: &Pair, victim: Victim, strace: &[&str]) -> Ran {
    match victim {
        Victim::Program => {
            let mut command = traced(&program("mizzen"), strace);
            pair.dress(&mut command, &["--once"]);
            of_process(&command.output().expect("strace runs"), 1)
        }
        Victim::Near => run_near(pair, strace),
        Victim::Far => run_far(pair, strace),
    }
}

fn of_process(output: &Output, well: i32) -> Ran {
    let was_killed = output.status.signal() == Some(9);
    Ran {
        was_killed,
        is_well: output.status.code() == Some(well),
        said: format!("{output:?}"),
    }
}

/// A program, under `strace` where that is given something to do.
fn traced(program: &Path, strace: &[&str]) -> Command {
    if strace.is_empty() {
        return Command::new(program);
    }
    let mut command = Command::new("strace");
    command.args(["-f", "-qq"]).args(strace).arg(program);
    command
}

/// A process that keeps the link, with the other end served here.
fn run_near(pair: &Pair, strace: &[&str]) -> Ran {
    let wire = pair.path("wire");
    crate::pair::remove(&wire);
    let listener = UnixListener::bind(&wire).expect("a socket");
    let served = std::thread::spawn(move || {
        let (stream, _) = listener.accept()?;
        serve(stream.try_clone()?, stream, &SERVED)
    });
    let mut near = traced(&std::env::current_exe().expect("this test"), strace);
    let test =
        "killed::a_near_end_that_is_killed_at_any_system_call_is_followed_by_one_that_finishes";
    near.args(["--exact", test]).env(WORLD, pair.path(""));
    let ran = of_process(&near.output().expect("strace runs"), 0);
    // One that was killed before it came is still waited for.
    let _ = UnixStream::connect(&wire);
    // It has hung up; the folder is let go of before the next one comes.
    let _ = served.join().expect("no panic");
    crate::pair::remove(&wire);
    ran
}

/// Keeps the link here, with the other end in a process of its own.
fn run_far(pair: &Pair, strace: &[&str]) -> Ran {
    let (done, ended) = with_far(&pair.path(""), traced(&supervisor(), strace), false);
    Ran {
        was_killed: ended.signal() == Some(9),
        is_well: ended.success() && matches!(done, Ok(1)),
        said: format!("{done:?}"),
    }
}
