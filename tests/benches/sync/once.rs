//! One pass over two folders.

use std::fs;
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use mizzen_tests::figure::Figure;
use serde_json::Value;

use crate::corpus::Corpus;
use crate::program::Program::{
    Cp, DockerCp, GitStatus, IntoContainer, IntoContainerNoFsync, Mizzen, MizzenNoFsync, Rsync,
    TarThroughExec, TarThroughExecThenSync, Unison,
};
use crate::program::{Folders, Program, Run, peak};

/// How often a process is asked for its memory.
const LOOK: Duration = Duration::from_millis(2);
/// The large file, and where it is changed.
pub(crate) const LARGE: usize = 256 * 1024 * 1024;
const PLACE: usize = 100 * 1024 * 1024;

/// One row of the cases.
pub(crate) struct Work {
    pub(crate) name: &'static str,
    pub(crate) programs: &'static [Program],
    /// The median of our times is to be so many times those of others.
    pub(crate) goals: &'static [(Program, &'static str)],
    /// What a person does before each round.
    pub(crate) before: fn(Corpus, &Path, usize),
    pub(crate) is_first: bool,
    pub(crate) measure: Measure,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Measure {
    Time,
    /// Time, and what Mizzen says that it carried.
    TimeAndBytes,
    /// The most memory of one process.
    Memory,
}

/// What is done with each corpus, in this order.
pub(crate) const WORKS: [Work; 3] = [
    Work {
        name: "first copy",
        programs: &[Mizzen, MizzenNoFsync, Cp, Rsync, Unison],
        goals: &[(Cp, "≤ 1.2")],
        before: |_, _, _| {},
        is_first: true,
        measure: Measure::Time,
    },
    Work {
        name: "no change",
        programs: &[Mizzen, Rsync, Unison, GitStatus],
        goals: &[(Rsync, "≤ 0.5")],
        before: |_, _, _| {},
        is_first: false,
        measure: Measure::Time,
    },
    Work {
        name: "1 % changed",
        programs: &[Mizzen, MizzenNoFsync, Rsync, Unison],
        goals: &[(Rsync, "≤ 0.6")],
        before: |corpus, source, round| corpus.change(source, round),
        is_first: false,
        measure: Measure::Time,
    },
];

/// What is done last: not everything is where it was.
pub(crate) const RENAME: Work = Work {
    name: "half of it renamed",
    programs: &[Mizzen, MizzenNoFsync, Rsync, Unison],
    goals: &[],
    before: |_, source, _| rename(source, ["right", "moved"]),
    is_first: false,
    measure: Measure::TimeAndBytes,
};

/// The same with a container.
pub(crate) const RENAME_IN_CONTAINER: Work = Work {
    programs: &[IntoContainer, IntoContainerNoFsync],
    ..RENAME
};

/// Gives what has one of the names the other one.
fn rename(source: &Path, names: [&str; 2]) {
    let [one, other] = names.map(|name| source.join(name));
    let (from, to) = if one.exists() {
        (one, other)
    } else {
        (other, one)
    };
    fs::rename(from, to).unwrap();
}

/// What is done with a corpus and a container.
pub(crate) const CONTAINER: [Work; 3] = [
    Work {
        name: "first copy",
        programs: &[
            IntoContainer,
            IntoContainerNoFsync,
            DockerCp,
            TarThroughExec,
            TarThroughExecThenSync,
        ],
        goals: &[
            (DockerCp, "< 1"),
            (TarThroughExec, "< 1"),
            (TarThroughExecThenSync, "< 1"),
        ],
        before: |_, _, _| {},
        is_first: true,
        measure: Measure::Time,
    },
    Work {
        name: "no change",
        programs: &[IntoContainer],
        goals: &[],
        before: |_, _, _| {},
        is_first: false,
        measure: Measure::Time,
    },
    Work {
        name: "1 % changed",
        programs: &[IntoContainer, IntoContainerNoFsync],
        goals: &[],
        before: |corpus, source, round| corpus.change(source, round + 100),
        is_first: false,
        measure: Measure::TimeAndBytes,
    },
];

/// What is done with one file, and with a container besides.
pub(crate) const ONE_FILE: [(&str, Work); 4] = [
    ("", EDIT),
    (
        ", to a container",
        Work {
            programs: &[IntoContainer, IntoContainerNoFsync],
            ..EDIT
        },
    ),
    ("", FILE_RENAME),
    (
        ", to a container",
        Work {
            programs: &[IntoContainer, IntoContainerNoFsync],
            ..FILE_RENAME
        },
    ),
];

const FILE_RENAME: Work = Work {
    name: "it is renamed",
    programs: &[Mizzen, MizzenNoFsync, Rsync, Unison],
    goals: &[],
    before: |_, source, _| rename(source, ["large", "renamed"]),
    is_first: false,
    measure: Measure::TimeAndBytes,
};

const EDIT: Work = Work {
    name: "1 KiB changed in it",
    programs: &[Mizzen, MizzenNoFsync, Rsync, Unison],
    goals: &[],
    before: |_, source, round| {
        let mut file = fs::File::options();
        let mut file = file.write(true).open(source.join("large")).unwrap();
        file.seek(SeekFrom::Start(PLACE as u64)).unwrap();
        file.write_all(&[u8::try_from(round).unwrap(); 1024])
            .unwrap();
    },
    is_first: false,
    measure: Measure::TimeAndBytes,
};

/// What is looked at of memory.
pub(crate) const MEMORY: [Work; 2] = [
    Work {
        name: "no change: memory",
        programs: &[Mizzen, Rsync, Unison],
        goals: &[],
        before: |_, _, _| {},
        is_first: false,
        measure: Measure::Memory,
    },
    Work {
        name: "first copy: memory",
        programs: &[Mizzen, Rsync, Unison],
        goals: &[],
        before: |_, _, _| {},
        is_first: true,
        measure: Measure::Memory,
    },
];

/// Does one work with all its programs, in turns.
pub(crate) fn measure(work: &Work, corpus: Corpus, folders: &Folders, what: &str, rounds: usize) {
    let there = work.programs.iter().copied();
    let there: Vec<Program> = there.filter(|it| it.lacks(Run::Once).is_none()).collect();
    for program in &there {
        if !work.is_first && *program != GitStatus && !folders.copy(*program).exists() {
            run(work, *program, folders);
        }
    }
    let mut samples = vec![Vec::new(); there.len()];
    let mut carried = Vec::new();
    for round in 0..rounds {
        (work.before)(corpus, &folders.source(), round);
        for turn in 0..there.len() {
            let at = (round + turn) % there.len();
            let (sample, bytes) = run(work, there[at], folders);
            samples[at].push(sample);
            carried.extend(bytes.filter(|_| at == 0));
        }
    }
    let of = |program| Some(&samples[there.iter().position(|it| *it == program)?]);
    for program in work.programs {
        let name = format!("{what}, {}: {}", work.name, program.name(Run::Once));
        match (of(*program), work.measure) {
            (None, _) => Figure::none(&name, program.lacks(Run::Once).unwrap_or_default()),
            (Some(of), Measure::Memory) => {
                let goal = if program.is_ours() { "≤ 64 MiB" } else { "" };
                Figure::new(&name, goal, of, |mib| format!("{mib:.0} MiB"))
            }
            (Some(of), _) => {
                let times: Vec<_> = of.iter().map(|s| Duration::from_secs_f64(*s)).collect();
                Figure::of_times(&name, "", &times)
            }
        }
        .print();
    }
    if work.measure == Measure::TimeAndBytes {
        let name = format!("{what}, {}: bytes that mizzen carried", work.name);
        Figure::new(&name, "", &carried, |bytes| {
            format!("{:.1} KiB", bytes / 1024.0)
        })
        .print();
    }
    let ours = || there.iter().copied().filter(|it| it.is_ours());
    for (program, (peer, goal)) in
        ours().flat_map(|it| work.goals.iter().map(move |goal| (it, *goal)))
    {
        let (Some(ours), Some(theirs)) = (of(program), of(peer)) else {
            continue;
        };
        let names = [program, peer].map(|it| it.name(Run::Once)).join(" / ");
        let name = format!("{what}, {}: {names}", work.name);
        let ratios: Vec<f64> = ours
            .iter()
            .zip(theirs)
            .map(|(one, two)| one / two)
            .collect();
        Figure::new(&name, goal, &ratios, |ratio| format!("{ratio:.2}")).print();
    }
}

/// Seconds or MiB of one run, and bytes that were carried, where they are told.
fn run(work: &Work, program: Program, folders: &Folders) -> (f64, Option<f64>) {
    if work.is_first {
        folders.forget(program);
    }
    let mut command = folders.command(program, Run::Once);
    command.stdout(Stdio::piped());
    // What others have left to be written is not ours to wait for.
    rustix::fs::sync();
    let started = Instant::now();
    let child = command.spawn().unwrap();
    let mut most = 0.0_f64;
    if work.measure == Measure::Memory {
        while let Some(now) = peak(&child) {
            most = most.max(now);
            std::thread::sleep(LOOK);
        }
    }
    let output = child.wait_with_output().unwrap();
    let took = started.elapsed().as_secs_f64();
    assert!(output.status.success(), "{command:?}: {}", output.status);
    let last = output.stdout.rsplit(|byte| *byte == b'\n').nth(1);
    let last = last.and_then(|line| serde_json::from_slice::<Value>(line).ok());
    let carried = last.and_then(|line| line["summary"]["transferred_bytes"].as_f64());
    let is_memory = work.measure == Measure::Memory;
    (if is_memory { most } else { took }, carried)
}
