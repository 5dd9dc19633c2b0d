//! A disk that takes `A.txt` and `a.txt` for one name, as those of macOS and Windows do, and cannot hold every name.

use std::fs;
use std::path::PathBuf;

use crate::alone::{is_alone, run};
use crate::pair::{Pair, Watching, rename, until};

/// A pair whose `b` lies on such a disk: exFAT is one, wherever it is.
struct Folding {
    pair: Pair,
    b: PathBuf,
    device: String,
}

impl Folding {
    fn new() -> Self {
        Self::with_files("0133")
    }

    /// Of which these bits are not set in any file's mode.
    fn with_files(mask: &str) -> Self {
        let pair = Pair::new();
        let (b, image) = (pair.path("b"), pair.path("image"));
        let file = fs::File::create(&image).expect("a file");
        file.set_len(32 << 20).expect("a file");
        run("mkfs.exfat", &[], &[&image]);
        let device = run("losetup", &["--find", "--show"], &[&image]);
        let device = device.trim().to_owned();
        let how = ["-o", &format!("fmask={mask},dmask=0022"), &device];
        run("mount.exfat-fuse", &how, &[&b]);
        pair.put("b/A=1");
        assert!(pair.path("b/a").exists(), "the disk folds");
        fs::remove_file(pair.path("b/A")).expect("ours");
        Self { pair, b, device }
    }

    /// Both come in step, as far as they can; what is said.
    fn once(&self, code: i32) -> String {
        let said = self.pair.once();
        assert_eq!(said.code, code, "{said:?}");
        said.stdout
    }

    fn check(&self, a: &str, b: &str) {
        let sides = ["a", "b"].map(|side| self.pair.words(side).join(" "));
        assert_eq!(sides, [a, b]);
    }

    fn rename(&self, from: &str, to: &str) {
        rename(&self.pair.path(from), &self.pair.path(to));
    }

    /// What was displaced since the start.
    fn trash(&self) -> usize {
        let history = self.pair.ask(&["history"]);
        assert_eq!(history.code, 0, "{history:?}");
        let lines = history.stdout.lines();
        lines
            .filter(|line| line.contains("replace") || line.contains("remove"))
            .count()
    }
}

impl Drop for Folding {
    fn drop(&mut self) {
        run("umount", &[], &[&self.b]);
        run("losetup", &["--detach", &self.device], &[]);
    }
}

#[test]
fn of_two_names_that_the_disk_takes_for_one_the_second_is_a_problem_and_nothing_is_overwritten() {
    let test = "folding::of_two_names_that_the_disk_takes_for_one_the_second_is_a_problem_and_nothing_is_overwritten";
    if !is_alone(test) {
        return;
    }
    let both = Folding::new();
    both.pair
        .put("a/A.txt=1 a/a.txt=2 a/D/x=3 a/d/X=4 a/d/x=5 a/new/B=6 a/new/b=7 a/new/b2=8");
    let a = "A.txt=1 D/ D/x=3 a.txt=2 d/ d/X=4 d/x=5 new/ new/B=6 new/b=7 new/b2=8";
    let b = "A.txt=1 D/ D/x=3 new/ new/B=6 new/b2=8";
    for round in 0..3 {
        let said = both.once(1);
        both.check(a, b);
        for name in ["a.txt", "d", "new/b"] {
            let told = said
                .lines()
                .find(|line| line.contains(&format!("  {name}  ")));
            let told = told.unwrap_or_else(|| panic!("{name}: {said}"));
            assert!(
                told.contains("B") && told.contains("rename one of them"),
                "{said}"
            );
        }
        assert!(round == 0 || !said.contains("copied"), "{said}");
    }
    // What came goes on as ever.
    both.pair.put("a/A.txt=11 b/D/x=33");
    both.once(1);
    both.check(
        "A.txt=11 D/ D/x=33 a.txt=2 d/ d/X=4 d/x=5 new/ new/B=6 new/b=7 new/b2=8",
        "A.txt=11 D/ D/x=33 new/ new/B=6 new/b2=8",
    );
    assert_eq!(both.trash(), 2);
    // A person renames one, and removes the others.
    both.rename("a/a.txt", "a/other.txt");
    both.pair.put("a/D- a/d/X- a/new/B-");
    both.once(0);
    let all = "A.txt=11 d/ d/x=5 new/ new/b=7 new/b2=8 other.txt=2";
    both.check(all, all);
    // Met first, neither takes the place of the other.
    both.pair.put("a/READ=1 b/read=2");
    both.once(1);
    both.check(
        "A.txt=11 READ=1 d/ d/x=5 new/ new/b=7 new/b2=8 other.txt=2 read=2",
        "A.txt=11 d/ d/x=5 new/ new/b=7 new/b2=8 other.txt=2 read=2",
    );
}

#[test]
fn a_name_that_the_disk_cannot_hold_is_a_problem_and_all_else_goes_on() {
    let test = "folding::a_name_that_the_disk_cannot_hold_is_a_problem_and_all_else_goes_on";
    if !is_alone(test) {
        return;
    }
    let both = Folding::new();
    both.pair
        .put("a/10:30=1 a/why?/x=2 a/new/a|b=3 a/new/d*/y=4 a/new/z=5 a/plain=6 a/dir/w=7");
    let a = "10:30=1 dir/ dir/w=7 new/ new/a|b=3 new/d*/ new/d*/y=4 new/z=5 plain=6 why?/ why?/x=2";
    let b = "dir/ dir/w=7 new/ new/z=5 plain=6";
    for _ in 0..2 {
        let said = both.once(1);
        both.check(a, b);
        for name in ["10:30", "why?", "new/a|b", "new/d*"] {
            let told = said
                .lines()
                .find(|line| line.contains(&format!("  {name}  ")));
            let told = told.unwrap_or_else(|| panic!("{name}: {said}"));
            assert!(told.contains("B") && told.contains("rename it"), "{said}");
        }
    }
    // What is there already stays whatever it is called here by now.
    both.rename("a/plain", "a/plain?");
    both.rename("a/dir", "a/dir?");
    both.once(1);
    both.once(1);
    assert!(both.trash() > 0);
    both.check(
        "10:30=1 dir?/ dir?/w=7 new/ new/a|b=3 new/d*/ new/d*/y=4 new/z=5 plain?=6 why?/ why?/x=2",
        "new/ new/z=5",
    );
    // A person renames them.
    for (from, to) in [
        ("a/10:30", "a/10.30"),
        ("a/why?", "a/why"),
        ("a/new/a|b", "a/new/a-b"),
        ("a/new/d*", "a/new/d"),
        ("a/plain?", "a/plain"),
        ("a/dir?", "a/dir"),
    ] {
        both.rename(from, to);
    }
    both.once(0);
    let all = "10.30=1 dir/ dir/w=7 new/ new/a-b=3 new/d/ new/d/y=4 new/z=5 plain=6 why/ why/x=2";
    both.check(all, all);
}

#[test]
fn a_name_that_changes_its_case_only_does_so_on_both_sides() {
    let test = "folding::a_name_that_changes_its_case_only_does_so_on_both_sides";
    if !is_alone(test) {
        return;
    }
    let both = Folding::new();
    both.pair.put("a/A.txt=1 a/D/x=2 a/D/e/y=3 a/kept=0");
    both.once(0);
    for (here, file, dir) in [
        ("a", "a.txt", "d"),
        ("b", "A.TXT", "D"),
        ("a", "A.txt", "d"),
    ] {
        let old = both.pair.words(here);
        let old = |at: &str| {
            let is_it = |word: &&String| word.to_lowercase().starts_with(at);
            let word = old.iter().find(is_it).expect("it is there");
            word.split(['=', '/']).next().expect("a name").to_owned()
        };
        both.rename(
            &format!("{here}/{}", old("a.txt=")),
            &format!("{here}/{file}"),
        );
        both.rename(&format!("{here}/{}", old("d/")), &format!("{here}/{dir}"));
        both.once(0);
        let mut expected = [
            format!("{file}=1"),
            format!("{dir}/"),
            format!("{dir}/e/"),
            format!("{dir}/e/y=3"),
            format!("{dir}/x=2"),
            "kept=0".to_owned(),
        ];
        expected.sort();
        assert_eq!(both.pair.words("a"), expected);
        assert_eq!(both.pair.words("b"), expected);
        assert!(both.once(0).contains("nothing to do"));
    }
}

#[test]
fn while_it_is_watched_a_name_that_changes_its_case_only_is_one_name() {
    let test = "folding::while_it_is_watched_a_name_that_changes_its_case_only_is_one_name";
    if !is_alone(test) {
        return;
    }
    let both = Folding::new();
    both.pair.put("a/A.txt=1 a/D/x=2 a/kept=0");
    both.once(0);
    let watching = Watching::start(&both.pair, &["--watch", "--interval", "100000"]);
    for (from, to, expected) in [
        ("b/A.txt", "b/a.txt", "D/ D/x=2 a.txt=1 kept=0"),
        ("b/D", "b/d", "a.txt=1 d/ d/x=2 kept=0"),
        ("a/a.txt", "a/A.txt", "A.txt=1 d/ d/x=2 kept=0"),
        ("a/d", "a/D", "A.txt=1 D/ D/x=2 kept=0"),
    ] {
        both.rename(from, to);
        let holds = |side| both.pair.words(side).join(" ") == expected;
        until(to, || holds("a") && holds("b"));
    }
    // An edit under a name that is taken for another is one of that other.
    both.pair.put("b/KEPT=22");
    let is_edited = || both.pair.words("a").join(" ") == "A.txt=1 D/ D/x=2 kept=22";
    until("an edit", is_edited);
    drop(watching);
    // It may have been stopped before it had noted that.
    both.once(0);
    assert!(both.once(0).contains("nothing to do"));
}

#[test]
fn a_disk_on_which_all_files_are_executable_or_none_is_changes_nothing_about_that() {
    let test =
        "folding::a_disk_on_which_all_files_are_executable_or_none_is_changes_nothing_about_that";
    if !is_alone(test) {
        return;
    }
    for (mask, bit) in [("0022", "*"), ("0133", "")] {
        let both = Folding::with_files(mask);
        both.pair
            .put("a/run=1* a/d/text=2 a/met=3* b/met=3 b/there=4");
        both.once(0);
        let check = |a: &str| {
            let b = a.replace('*', "");
            let b = b.split(' ').map(|word| match word.contains('=') {
                true => format!("{word}{bit}"),
                false => word.to_owned(),
            });
            both.check(a, &b.collect::<Vec<_>>().join(" "));
            assert!(both.once(0).contains("nothing to do"), "{mask}: {a}");
        };
        check("d/ d/text=2 met=3* run=1* there=4");
        // An edit there leaves here what may be executed.
        both.pair.put("b/run=11 b/d/text=22 b/new=5");
        both.once(0);
        check("d/ d/text=22 met=3* new=5 run=11* there=4");
        // What is changed here stays so.
        both.pair.put("a/run=11 a/new=5*");
        both.once(0);
        check("d/ d/text=22 met=3* new=5* run=11 there=4");
    }
}
