//! Files that a disk does not give back, or gives the number of another one, and files of more than 4 GiB.

use std::fs::{self, File, FileTimes};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;
use std::process::Command;

use mizzen_tests::rig::{Said, program};

use crate::alone::{is_alone, run};
use crate::pair::{Pair, remove, write};

/// Both in step, while no call of a kind that is about a place comes through.
fn once_failing(pair: &Pair, call: &str, at: &Path) -> Said {
    let mut command = Command::new("strace");
    let (trace, inject) = (format!("trace={call}"), format!("inject={call}:error=EIO"));
    command.args(["-f", "-qq", "-o", "/dev/null", "-e", &trace, "-e", &inject]);
    command.arg("-P").arg(at).arg(program("mizzen"));
    pair.dress(&mut command, &["--once"]);
    command.output().expect("strace runs").into()
}

#[test]
fn a_file_that_the_disk_does_not_give_back_is_a_problem_and_all_else_goes_on() {
    for (side, other) in [("a", "b"), ("b", "a")] {
        let pair = Pair::new();
        let bad = pair.path(&format!("{side}/d/bad"));
        pair.put(&format!("{side}/d/bad=1 {side}/good=1"));
        let check = |expected: [&str; 2]| {
            let said = once_failing(&pair, "read,pread64", &bad);
            assert_eq!(said.code, 1, "{said:?}");
            let told = said.stdout.lines().find(|line| line.contains("  d/bad  "));
            assert!(
                told.is_some_and(|told| told.contains("problem")),
                "{said:?}"
            );
            assert_eq!([side, other].map(|it| pair.words(it).join(" ")), expected);
        };
        check(["d/ d/bad=1 good=1", "d/ good=1"]);
        assert_eq!(pair.once().code, 0);
        // What both had stays on both.
        pair.put(&format!("{side}/d/bad=22 {side}/good=22"));
        check(["d/ d/bad=22 good=22", "d/ d/bad=1 good=22"]);
        assert_eq!(pair.once().code, 0);
        assert_eq!(pair.words("a"), pair.words("b"));
    }
}

#[test]
fn a_folder_that_the_disk_does_not_list_is_a_problem_and_nothing_in_it_goes() {
    for (side, letter) in [("a", "A"), ("b", "B")] {
        let pair = Pair::new();
        pair.put("a/d/one=1 a/two=2");
        assert_eq!(pair.once().code, 0);
        pair.put("a/two=22 b/d/new=3");
        let said = once_failing(&pair, "getdents64", &pair.path(&format!("{side}/d")));
        assert_eq!(said.code, 1, "{said:?}");
        let told = format!("problem  {letter}  d  ");
        assert!(said.stdout.contains(&told), "{told}: {said:?}");
        assert_eq!(pair.words("a"), ["d/", "d/one=1", "two=22"]);
        assert_eq!(pair.words("b"), ["d/", "d/new=3", "d/one=1", "two=22"]);
        assert_eq!(pair.once().code, 0);
        assert_eq!(pair.words("a"), pair.words("b"));
    }
}

#[test]
fn a_file_that_takes_the_number_the_size_and_the_times_of_another_is_seen() {
    if !is_alone("files::a_file_that_takes_the_number_the_size_and_the_times_of_another_is_seen") {
        return;
    }
    let pair = Pair::new();
    let (image, side) = (pair.path("image"), pair.path("b"));
    File::create(&image)
        .and_then(|file| file.set_len(16 << 20))
        .expect("a file");
    run("mkfs.ext4", &["-q"], &[&image]);
    run("mount", &["-o", "loop"], &[&image, &side]);
    remove(&side.join("lost+found"));
    let file = side.join("file");
    write(&file, b"1111");
    assert_eq!(pair.once().code, 0);
    let before = fs::metadata(&file).expect("a file");
    remove(&file);
    write(&file, b"2222");
    let times = FileTimes::new().set_modified(before.modified().expect("a time"));
    File::options()
        .write(true)
        .open(&file)
        .and_then(|file| file.set_times(times))
        .expect("ours");
    let after = fs::metadata(&file).expect("a file");
    let facts = |facts: &fs::Metadata| (facts.ino(), facts.len(), facts.mtime_nsec());
    assert_eq!(
        facts(&before),
        facts(&after),
        "the disk gives its number again"
    );
    assert_eq!(pair.once().code, 0);
    assert_eq!(pair.words("a"), ["file=2222"]);
    run("umount", &[], &[&side]);
}

#[test]
fn a_file_of_more_than_4_gib_comes_over_whole_and_stays_sparse() {
    const FAR: u64 = (4 << 30) + 50;
    const SIZE: u64 = (4 << 30) + (1 << 20);
    let pair = Pair::new();
    let [a, b] = ["a", "b"].map(|side| pair.path(&format!("{side}/large")));
    let file = File::create(&a).expect("a file");
    file.set_len(SIZE).expect("a file");
    file.write_all_at(b"near", 3).expect("room");
    file.write_all_at(b"far", FAR).expect("room");
    drop(file);
    let once = || {
        let mut command = pair.sync(&["--once", "--max-file-size", "8g"]);
        Said::from(command.output().expect("mizzen runs"))
    };
    let said = once();
    assert_eq!(said.code, 0, "{said:?}");
    let file = File::open(&b).expect("it came");
    let facts = file.metadata().expect("a file");
    assert_eq!(facts.len(), SIZE);
    assert!(facts.blocks() * 512 < 64 << 20, "{} blocks", facts.blocks());
    let read = |at| {
        let mut bytes = [0; 8];
        file.read_exact_at(&mut bytes, at).expect("as many");
        bytes
    };
    assert_eq!(
        (&read(0), &read(FAR - 2)),
        (b"\0\0\0near\0", b"\0\0far\0\0\0")
    );
    assert_eq!(read(FAR & u64::from(u32::MAX)), [0; 8]);
    assert!(once().stdout.contains("nothing to do"));
}
