//! Disks that take two ways to write one letter for the same name, as those of macOS do: "é" as one letter, and "é" as a
//! letter and its accent.

mod disk;

use std::fs;
use std::path::{Path, PathBuf};

use fuser::BackgroundSession;

use crate::alone::is_alone;
use crate::pair::{Pair, Watching, remove, rename, until};
use disk::{Lists, mount};

/// A pair whose `b` lies on such a disk.
struct Spelling {
    _mounted: BackgroundSession,
    pair: Pair,
}

/// Words in which é is one letter.
fn one(words: &str) -> String {
    words.replace('E', "\u{e9}")
}

/// The same, in which it is two.
fn two(words: &str) -> String {
    words.replace('E', "e\u{301}")
}

impl Spelling {
    fn new(lists: Lists) -> Self {
        let pair = Pair::new();
        let held_by = pair.path("held");
        fs::create_dir(&held_by).expect("a folder");
        let mounted = mount(&pair.path("b"), &held_by, lists);
        Self {
            _mounted: mounted,
            pair,
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.pair.path(name)
    }

    /// Both come in step, as far as they can; what is said.
    fn once(&self, code: i32) -> String {
        let said = self.pair.once();
        assert_eq!(said.code, code, "{said:?}");
        said.stdout
    }

    /// What both hold is this, and nothing is left to do.
    fn rests(&self, a: &str, b: &str) {
        self.check(a, b);
        let said = self.once(0);
        assert!(said.contains("nothing to do"), "{said}");
        self.check(a, b);
    }

    fn check(&self, a: &str, b: &str) {
        assert_eq!(self.both(), [a, b].map(in_order));
    }

    fn both(&self) -> [Vec<String>; 2] {
        ["a", "b"].map(|side| {
            let mut words = self.pair.words(side);
            words.sort();
            words
        })
    }

    /// As a person does who wants another spelling: most systems do nothing when they are asked for that at once.
    fn spell(&self, from: &str, to: &str) {
        let aside = self.path(from).with_file_name("aside");
        rename(&self.path(from), &aside);
        rename(&aside, &self.path(to));
    }
}

fn in_order(words: &str) -> Vec<String> {
    let words = words.split_whitespace();
    let mut words: Vec<String> = words
        .map(|word| word.as_bytes().escape_ascii().to_string())
        .collect();
    words.sort();
    words
}

#[test]
fn of_two_spellings_of_a_name_the_second_is_a_problem_and_nothing_is_overwritten() {
    let test =
        "spelling::of_two_spellings_of_a_name_the_second_is_a_problem_and_nothing_is_overwritten";
    if !is_alone(test) {
        return;
    }
    for lists in [Lists::AsGiven, Lists::Apart] {
        let both = Spelling::new(lists);
        both.pair
            .put(&two("a/E=1 a/dE/x=3 a/new/E=6 a/new/other=8"));
        both.pair.put(&one("a/E=2 a/dE/X=4 a/new/E=7"));
        let a = [
            two("E=1 dE/ dE/x=3 new/ new/E=6 new/other=8"),
            one("E=2 dE/ dE/X=4 new/E=7"),
        ];
        let (a, b) = (a.join(" "), &a[0]);
        for round in 0..3 {
            let said = both.once(1);
            both.check(&a, b);
            for name in ["E", "dE", "new/E"].map(one) {
                let told = said
                    .lines()
                    .find(|line| line.contains(&format!("  {name}  ")));
                let told = told.unwrap_or_else(|| panic!("{name}: {said}"));
                assert!(told.contains("rename one of them"), "{said}");
            }
            assert!(round == 0 || !said.contains("copied"), "{said}");
        }
        // A twin of what was there before is one as well.
        let both = Spelling::new(lists);
        both.pair.put(&one("a/E=1"));
        both.once(0);
        both.pair.put(&two("a/E=2"));
        for _ in 0..2 {
            let said = both.once(1);
            assert!(said.contains("rename one of them"), "{said}");
            let held = both.both();
            assert_eq!(held[0], in_order(&(one("E=1 ") + &two("E=2"))));
            assert!(held[1].len() == 1 && held[1][0].ends_with("=1"), "{held:?}");
        }
        // A person keeps one of them.
        both.spell(&("a/".to_owned() + &two("E")), "a/other");
        both.once(0);
        let held = both.both();
        assert_eq!(held[0], in_order(&one("other=2 E=1")));
    }
}

#[test]
fn another_spelling_of_a_name_comes_through_to_a_disk_that_keeps_it() {
    let test = "spelling::another_spelling_of_a_name_comes_through_to_a_disk_that_keeps_it";
    if !is_alone(test) {
        return;
    }
    let both = Spelling::new(Lists::AsGiven);
    both.pair.put(&one("a/E=1 a/dE/x=2 a/dE/E=3 a/kept=0"));
    both.once(0);
    let all = one("E=1 dE/ dE/x=2 dE/E=3 kept=0");
    both.rests(&all, &all);
    both.spell(&one("a/E"), &two("a/E"));
    both.spell(&one("a/dE"), &two("a/dE"));
    both.once(0);
    let all = two("E=1 dE/ dE/x=2 kept=0 ") + &two("dE/") + &one("E=3");
    both.rests(&all, &all);
    // What is spelt otherwise there only is not renamed here.
    both.spell(&two("b/E"), &one("b/E"));
    both.once(0);
    both.rests(&all, &all.replacen(&two("E=1"), &one("E=1"), 1));
    // But it is renamed where it gets another name.
    both.spell(&one("b/E"), "b/plain");
    both.once(0);
    let all = all.replacen(&two("E=1"), "plain=1", 1);
    both.rests(&all, &all);
}

#[test]
fn a_name_that_the_disk_spells_otherwise_stays_what_it_was_called() {
    let test = "spelling::a_name_that_the_disk_spells_otherwise_stays_what_it_was_called";
    if !is_alone(test) {
        return;
    }
    let both = Spelling::new(Lists::Apart);
    let rests = |words: &str| both.rests(&one(words), &two(words));
    both.pair
        .put(&one("a/E=1 a/dE/x=2 a/dE/E/y=3 a/goes=4 a/E2=5"));
    both.once(0);
    rests("E=1 E2=5 dE/ dE/E/ dE/E/y=3 dE/x=2 goes=4");
    // Edits of either side, in place, by another file, and under either spelling.
    both.pair.put(&one("a/E=11 a/dE/E/y=33"));
    both.once(0);
    rests("E=11 E2=5 dE/ dE/E/ dE/E/y=33 dE/x=2 goes=4");
    both.pair.put(&two("b/E=111 b/dE/x=22"));
    both.pair.put(&one("b/new=55"));
    rename(&both.path("b/new"), &both.path(&one("b/E2")));
    both.once(0);
    rests("E=111 E2=55 dE/ dE/E/ dE/E/y=33 dE/x=22 goes=4");
    // What goes, comes and is moved on either.
    remove(&both.path(&two("b/E2")));
    rename(&both.path(&one("a/dE")), &both.path("a/plain"));
    both.pair.put(&one("a/fE/E=6"));
    both.once(0);
    rests("E=111 fE/ fE/E=6 goes=4 plain/ plain/E/ plain/E/y=33 plain/x=22");
    remove(&both.path(&one("a/fE")));
    rename(&both.path("b/plain/x"), &both.path("b/plain/z"));
    both.once(0);
    rests("E=111 goes=4 plain/ plain/E/ plain/E/y=33 plain/z=22");
    // What a person makes there comes as that disk spells it.
    both.pair.put(&one("b/gE=7"));
    both.once(0);
    let others = "E=111 goes=4 plain/ plain/E/ plain/E/y=33 plain/z=22 ";
    let (a, b) = (one(others) + &two("gE=7"), two(others) + &two("gE=7"));
    both.rests(&a, &b);
    // What was seen may be forgotten: what was agreed on says how it is called.
    for entry in fs::read_dir(both.path("home")).expect("a folder") {
        forget_seen(&entry.expect("an entry").path());
    }
    both.rests(&a, &b);
}

/// Removes what was kept of looks.
fn forget_seen(at: &Path) {
    if at.is_dir() {
        for entry in fs::read_dir(at).expect("a folder") {
            forget_seen(&entry.expect("an entry").path());
        }
    } else if at
        .file_name()
        .is_some_and(|name| name.to_string_lossy().contains("seen"))
    {
        fs::remove_file(at).expect("ours");
    }
}

#[test]
fn while_it_is_watched_a_name_in_two_spellings_is_one_name() {
    let test = "spelling::while_it_is_watched_a_name_in_two_spellings_is_one_name";
    if !is_alone(test) {
        return;
    }
    for lists in [Lists::AsGiven, Lists::Apart] {
        let both = Spelling::new(lists);
        let there = |words: &str| match lists {
            Lists::AsGiven => one(words),
            Lists::Apart => two(words),
        };
        both.pair.put(&one("a/E=1 a/dE/x=2"));
        both.once(0);
        let watching = Watching::start(&both.pair, &["--watch", "--interval", "100000"]);
        let comes = |what: &str, words: &str| {
            let expected = [one(words), there(words)].map(|words| in_order(&words));
            until(what, || both.both() == expected);
        };
        both.pair.put(&one("a/new=3 a/fE=4"));
        comes("new here", "E=1 dE/ dE/x=2 fE=4 new=3");
        both.pair.put(&one("b/fE=44"));
        comes("an edit there", "E=1 dE/ dE/x=2 fE=44 new=3");
        both.pair.put(&two("b/fE=444 b/dE/x=22"));
        comes("under the other spelling", "E=1 dE/ dE/x=22 fE=444 new=3");
        both.pair.put(&one("a/E=11"));
        comes("an edit here", "E=11 dE/ dE/x=22 fE=444 new=3");
        remove(&both.path(&two("b/fE")));
        comes("a removal there", "E=11 dE/ dE/x=22 new=3");
        remove(&both.path(&one("a/E")));
        comes("a removal here", "dE/ dE/x=22 new=3");
        drop(watching);
        // It may have been stopped before it had noted the last.
        both.once(0);
        both.rests(&one("dE/ dE/x=22 new=3"), &there("dE/ dE/x=22 new=3"));
    }
}
