//! Changes that are seen on the other side while it is watched.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use mizzen_tests::figure::Figure;

use crate::corpus::Corpus;
use crate::program::Program::{Lsyncd, Mizzen, MizzenNoFsync, Unison};
use crate::program::{Folders, Program, Run, peak, processes};

const PROGRAMS: [Program; 4] = [Mizzen, MizzenNoFsync, Lsyncd, Unison];
const ROUNDS: usize = 3;

/// Of each round.
const EDITS: usize = 60;
const PAIRS: usize = 30;
const BURSTS: usize = 2;

const FILES_OF_BURST: usize = 2000;
/// Between two edits, as much as the slowest needs to come to rest.
const REST: Duration = Duration::from_millis(50);
/// How often it is looked whether something has come.
const LOOK: Duration = Duration::from_micros(100);
/// What has not come by then has been missed.
const PATIENCE: Duration = Duration::from_secs(3);
const START: Duration = Duration::from_secs(60);

const IDLE: Duration = Duration::from_secs(10);
/// Linux counts processor time in hundredths of a second for every program.
const TICKS_PER_SECOND: f64 = 100.0;

/// What came of a program's rounds.
#[derive(Default)]
struct Seen {
    edits: Vec<Duration>,
    missed: f64,
    stale: f64,
    bursts: Vec<Duration>,
    memory: Vec<f64>,
    load: Vec<f64>,
}

pub(crate) fn measure(corpus: Corpus, folders: &Folders, what: &str) {
    let there = PROGRAMS
        .into_iter()
        .filter(|it| it.lacks(Run::Watch).is_none());
    let mut all: Vec<(Program, Seen)> = there.map(|it| (it, Seen::default())).collect();
    for round in 0..ROUNDS {
        for (program, seen) in &mut all {
            let watching = Watching::start(folders, *program, round);
            watching.edit(corpus, round, seen);
            watching.edit_twice(corpus, seen);
            watching.burst(round, seen);
            watching.idle(seen);
        }
    }
    for program in PROGRAMS {
        let name = |of: &str| format!("watching {what}, {of}: {}", program.name(Run::Watch));
        let Some((_, seen)) = all.iter().find(|(it, _)| *it == program) else {
            let lacks = program.lacks(Run::Watch).unwrap_or_default();
            Figure::none(&name("all of it"), lacks).print();
            continue;
        };
        let goal = |goal| {
            if matches!(program, Mizzen | MizzenNoFsync) {
                goal
            } else {
                ""
            }
        };
        if !seen.edits.is_empty() {
            Figure::of_times(&name("one edit"), goal("≤ 5 ms"), &seen.edits).print();
        }
        let count = |number: f64| format!("{number}");
        let of = format!("edits missed of {}", ROUNDS * EDITS);
        Figure::new(&name(&of), goal("0"), &[seen.missed], count).print();
        let of = format!("stale after two edits of one length, of {}", ROUNDS * PAIRS);
        Figure::new(&name(&of), goal("0"), &[seen.stale], count).print();
        if !seen.bursts.is_empty() {
            Figure::of_times(&name("2000 new files"), goal("≤ 0.15 s"), &seen.bursts).print();
        }
        let show = |mib: f64| format!("{mib:.0} MiB");
        Figure::new(&name("memory"), "", &seen.memory, show).print();
        let show = |percent: f64| format!("{percent:.2} %");
        Figure::new(
            &name("processor while idle"),
            goal("0.0 %"),
            &seen.load,
            show,
        )
        .print();
    }
}

/// A program that watches.
struct Watching {
    child: Child,
    source: PathBuf,
    copy: PathBuf,
}

impl Watching {
    /// Starts it and waits until a first change has come.
    fn start(folders: &Folders, program: Program, round: usize) -> Self {
        let mut command = folders.command(program, Run::Watch);
        let child = command.stdout(Stdio::null()).spawn().unwrap();
        let (source, copy) = (folders.source(), folders.copy(program));
        let watching = Self {
            child,
            source,
            copy,
        };
        let contents = format!("{round} {}\n", program.name(Run::Watch));
        let place = Path::new("started.txt");
        fs::write(watching.source.join(place), &contents).unwrap();
        let came = watching.wait_for(START, place, contents.as_bytes());
        assert!(came, "{} does not start", program.name(Run::Watch));
        // It may have come in the first pass, before all is watched.
        sleep(Duration::from_secs(1));
        watching
    }

    /// Edits, in turns, one file and one that was not edited before.
    fn edit(&self, corpus: Corpus, round: usize, seen: &mut Seen) {
        for number in 0..EDITS {
            let cold = (round * EDITS + number) * 53 + 1;
            let path = corpus.path(if number % 2 == 0 { 0 } else { cold });
            // Nothing that somebody's copy holds already.
            let contents = format!("process {}, edit {number}\n", self.child.id());
            let started = Instant::now();
            fs::write(self.source.join(&path), &contents).unwrap();
            match self.wait_for(PATIENCE, &path, contents.as_bytes()) {
                true => seen.edits.push(started.elapsed()),
                false => seen.missed += 1.0,
            }
            sleep(REST);
        }
    }

    /// Edits a file and, at ever other moments after that, once more without changing its length.
    fn edit_twice(&self, corpus: Corpus, seen: &mut Seen) {
        for pair in 0..PAIRS {
            let path = corpus.path(pair * 89 + 2);
            let by = self.child.id();
            let (one, two) = (format!("one {pair}, {by}\n"), format!("two {pair}, {by}\n"));
            fs::write(self.source.join(&path), one).unwrap();
            sleep(Duration::from_micros(pair as u64 * 500));
            fs::write(self.source.join(&path), &two).unwrap();
            if !self.wait_for(PATIENCE, &path, two.as_bytes()) {
                seen.stale += 1.0;
            }
            sleep(REST);
        }
    }

    /// Writes many new files, and takes the time from the first one's beginning.
    fn burst(&self, round: usize, seen: &mut Seen) {
        for burst in 0..BURSTS {
            let dir = PathBuf::from(format!("burst-{}-{round}-{burst}", self.child.id()));
            let name = |number| dir.join(format!("new-{number}"));
            let started = Instant::now();
            fs::create_dir(self.source.join(&dir)).unwrap();
            for number in 0..FILES_OF_BURST {
                let contents = format!("{number:02500}");
                fs::write(self.source.join(name(number)), contents).unwrap();
            }
            let last = Duration::from_secs(10);
            let have_come = wait(last, || {
                let listed = fs::read_dir(self.copy.join(&dir)).into_iter().flatten();
                let names = listed.flatten().map(|entry| entry.file_name());
                let new = names.filter(|name| name.as_encoded_bytes().starts_with(b"new-"));
                new.count() == FILES_OF_BURST
            });
            let is_whole = |number| {
                let length = fs::metadata(self.copy.join(name(number))).map(|it| it.len());
                length.is_ok_and(|length| length == 2500)
            };
            let is_whole = |number| wait(last, || is_whole(number));
            if have_come && (0..FILES_OF_BURST).all(is_whole) {
                seen.bursts.push(started.elapsed());
            } else {
                seen.missed += 1.0;
            }
            sleep(Duration::from_secs(1));
        }
    }

    fn idle(&self, seen: &mut Seen) {
        let (started, before) = (Instant::now(), self.ticks());
        sleep(IDLE);
        let busy = (self.ticks() - before) / TICKS_PER_SECOND;
        seen.load
            .push(100.0 * busy / started.elapsed().as_secs_f64());
        seen.memory.extend(peak(&self.child));
    }

    /// Processor time of all its processes.
    fn ticks(&self) -> f64 {
        let of_one = |id: u32| {
            let text = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
            // The name in parentheses may hold spaces; user and system time are fields 14 and 15 of the line.
            let (_, fields) = text.rsplit_once(") ")?;
            let mut fields = fields.split(' ').skip(11).map(|it| it.parse::<f64>().ok());
            Some(fields.next()?? + fields.next()??)
        };
        processes(&self.child).into_iter().filter_map(of_one).sum()
    }

    fn wait_for(&self, patience: Duration, path: &Path, contents: &[u8]) -> bool {
        let copy = self.copy.join(path);
        wait(patience, || {
            fs::read(&copy).is_ok_and(|found| found == contents)
        })
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

fn wait(patience: Duration, has_come: impl Fn() -> bool) -> bool {
    let started = Instant::now();
    while started.elapsed() < patience {
        if has_come() {
            return true;
        }
        sleep(LOOK);
    }
    false
}
