//! Every kind of step, as the sides say, and what becomes of files on the way.

use std::os::unix::fs::MetadataExt;
use std::sync::{Arc, Mutex};

use mizzen_sync_core::{Change, File, Node};

use super::*;
use crate::trash::Recall;

const ENTRIES: [&str; 8] = [
    "",
    "e=1",
    "e=22",
    "e=1*",
    "e->a",
    "e->b",
    "e/",
    "e/a=1 e/d/b=333",
];

#[test]
fn each_entry_is_made_replaced_and_taken_away() {
    for before in ENTRIES {
        for after in ENTRIES {
            let (here, there) = (Side::new(before), Side::new(after));
            let (seen, held) = (here.scan().tree(), here.all_contents());
            let applied = here.follow(&there).unwrap();
            assert!(applied.failed.is_empty(), "{before} {after}: {applied:?}");
            assert_eq!(here.words(), there.words(), "{before} {after}");
            assert!(
                here.all_contents().is_superset(&held),
                "{before} {after}: what was there is kept"
            );
            let told = Node::overlaid(Some(&seen), &applied.done).unwrap();
            assert!(told.same(&there.scan().tree()), "{before} {after}");
            assert_eq!(here.tidy(), Leftovers::default(), "{before} {after}");
        }
    }
}

#[test]
fn all_gets_on_disk_one_by_one_or_at_once() {
    for files in [1, 30] {
        let there = Side::new("d/old=1");
        (0..files).for_each(|number| there.put(&format!("d/{number}={number}")));
        let mut here = Side::new("d/old=0");
        here.options.durability = Durability::Data;
        here.follow(&there).unwrap();
        assert_eq!(here.words(), there.words());
    }
}

#[test]
fn the_whole_disk_is_waited_for_once_where_nothing_goes() {
    for (before, expected) in [("", [1, 2]), ("d/0=old", [2, 0])] {
        let there = Side::new("");
        (0..30).for_each(|number| there.put(&format!("d/{number}={number}")));
        let mut here = Side::new(before);
        here.options.durability = Durability::Data;
        let syncs = Arc::new(Mutex::new([0, 0]));
        let counted = syncs.clone();
        here.tap = Tap::new(move |op, _| {
            let mut syncs = counted.lock().unwrap();
            match op {
                Op::SyncFileSystem => syncs[0] += 1,
                Op::Sync => syncs[1] += 1,
                _ => {}
            }
            Ok(())
        });
        here.follow(&there).unwrap();
        assert_eq!(*syncs.lock().unwrap(), expected, "{before}");
    }
}

#[test]
fn files_keep_their_times_and_what_they_were_allowed() {
    let there = Side::new("new=1 run=1* private=22 opened=22*");
    let special = fs::Permissions::from_mode(0o6777);
    fs::set_permissions(there.path("run"), special).unwrap();
    let mut here = Side::new("private=1 opened=1");
    here.options.umask = 0o027;
    for (name, mode) in [("private", 0o600), ("opened", 0o646)] {
        fs::set_permissions(here.path(name), fs::Permissions::from_mode(mode)).unwrap();
    }
    there.age();
    here.follow(&there).unwrap();
    for (name, mode) in [
        ("new", 0o640),
        ("run", 0o750),
        ("private", 0o600),
        ("opened", 0o757),
    ] {
        let (facts, other) = (here.path(name), there.path(name));
        let (facts, other) = (facts.metadata().unwrap(), other.metadata().unwrap());
        assert_eq!(facts.mode() & 0o7777, mode, "{name}");
        assert_eq!(facts.modified().unwrap(), other.modified().unwrap());
    }
}

#[test]
fn a_hole_stays_a_hole() {
    let (here, there) = (Side::new(""), Side::new(""));
    let file = fs::File::create(there.path("sparse")).unwrap();
    file.set_len(8 << 20).unwrap();
    here.follow(&there).unwrap();
    let facts = here.path("sparse").metadata().unwrap();
    assert_eq!(facts.len(), 8 << 20);
    assert_eq!(facts.blocks(), 0);
}

#[test]
fn a_file_that_moves_is_not_copied() {
    let here = Side::new("old/a=1 old/d/b=22 x=333 twice=4444");
    let there = Side::new("new/a=1 new/d/b=22 y=333 one=4444 two=4444");
    here.age();
    there.age();
    let inode = |name: &str| here.path(name).metadata().unwrap().ino();
    let before = [inode("old/a"), inode("old/d/b"), inode("x")];
    let applied = here.follow(&there).unwrap();
    assert_eq!((applied.files, applied.reused), (0, 5), "{applied:?}");
    assert_eq!(before, [inode("new/a"), inode("new/d/b"), inode("y")]);
    assert_eq!(here.words(), there.words());
    assert_ne!(inode("one"), inode("two"));
    let single = |name: &str| here.path(name).metadata().unwrap().nlink() == 1;
    assert!(
        ["new/a", "new/d/b", "y", "one", "two"]
            .into_iter()
            .all(single)
    );
}

#[test]
fn contents_that_are_here_are_not_asked_for() {
    let large = "x".repeat(300_000);
    for (contents, files) in [("1", 1), (&*large, 0)] {
        let here = Side::new(&format!("a={contents} run=22"));
        let there = Side::new(&format!("a={contents} b={contents} run=22* empty="));
        let applied = here.follow(&there).unwrap();
        assert_eq!((applied.files, applied.reused), (files, 2 - files));
        assert_eq!(here.words(), there.words());
    }
}

#[test]
fn what_comes_below_a_new_directory_comes_with_it() {
    let (here, there) = (Side::new(""), Side::new("d/e/a=1 d/b=1"));
    let (before, after) = (here.scan(), there.scan().tree());
    let change = |path: &str, new| Change {
        path: RelPath::new(path.as_bytes()).unwrap(),
        old: None,
        new: Some(new),
    };
    let at = |path: &str| {
        let path = RelPath::new(path.as_bytes()).unwrap();
        after.get(&path).cloned().unwrap()
    };
    let changes = vec![
        change("d", Node::empty_dir()),
        change("d/b", at("d/b")),
        change("d/e", Node::empty_dir()),
        change("d/e/a", at("d/e/a")),
    ];
    let applied = here.apply_from(&Plan { changes }, &before, &there).unwrap();
    assert_eq!(here.words(), there.words());
    assert_eq!(applied.done.len(), 1);
}

type Files = std::sync::Mutex<Vec<(RelPath, File)>>;

fn named(wish: Wish) -> (RelPath, File) {
    (wish.path, wish.file)
}

/// Is asked like somebody at the end of a wire: what for, and what was said to come.
struct OneByOne<'a>(FromRoot<'a>, Files, Files);

struct Asked<'a>(Box<dyn Supply + 'a>, &'a OneByOne<'a>);

impl Contents for OneByOne<'_> {
    fn suppliers(&self) -> usize {
        1
    }

    fn expect(&self, files: Vec<Wish>) {
        let files = files.into_iter().map(named);
        self.2.lock().expect("a test").extend(files);
    }

    fn supplier(&self) -> Box<dyn Supply + '_> {
        Box::new(Asked(self.0.supplier(), self))
    }
}

impl Supply for Asked<'_> {
    fn supply(
        &mut self,
        path: &RelPath,
        file: &File,
        to: &mut dyn std::io::Write,
    ) -> Result<(), SupplyError> {
        self.1.1.lock().unwrap().push((path.clone(), *file));
        self.0.supply(path, file, to)
    }
}

#[test]
fn contents_are_asked_for_in_the_order_that_the_plan_says() {
    let here = Side::new("have=0 replaced=1 gone=2");
    let there = Side::new("have=0 replaced=a moved=2 copy=0 empty= z/l->a");
    for number in 0..300 {
        there.put(&format!(
            "z/{}/{}/{number}=n{number}",
            number % 7,
            number % 3
        ));
        there.put(&format!("{}=t{number}", number % 20));
    }
    let before = here.scan();
    let plan = decide(&there.scan(), &before).container;
    let root = there.root();
    let contents = OneByOne(FromRoot(&root), Files::default(), Files::default());
    let applied = apply(
        &here.root(),
        &plan,
        &before,
        &contents,
        &here.trash(),
        &here.options,
    );
    assert!(applied.unwrap().failed.is_empty());
    let [asked, expected] = [contents.1, contents.2].map(|files| files.into_inner().unwrap());
    assert!(asked.len() > 300);
    assert_eq!(asked, expected);
    assert_eq!(here.words(), there.words());
}

/// Says something, and then that it cannot go on.
struct Broken(&'static [u8]);

impl Contents for Broken {
    fn suppliers(&self) -> usize {
        1
    }

    fn supplier(&self) -> Box<dyn Supply + '_> {
        Box::new(Self(self.0))
    }
}

impl Supply for Broken {
    fn supply(
        &mut self,
        _path: &RelPath,
        _file: &File,
        to: &mut dyn std::io::Write,
    ) -> Result<(), SupplyError> {
        to.write_all(self.0).map_err(SupplyError::All)?;
        Err(SupplyError::All(io::ErrorKind::BrokenPipe.into()))
    }
}

fn follow_with(here: &Side, there: &Side, contents: &dyn Contents) -> Result<Applied, ApplyError> {
    let before = here.scan();
    let plan = decide(&there.scan(), &before).container;
    let (root, trash) = (here.root(), here.trash());
    apply(&root, &plan, &before, contents, &trash, &here.options)
}

#[test]
fn a_supplier_that_can_no_more_ends_it_and_leaves_all_as_it_was() {
    let (here, there) = (Side::new("a=1 gone=1"), Side::new("a=22 d/b=333 c=4444"));
    let words = here.words();
    let ended = follow_with(&here, &there, &Broken(b"1")).unwrap_err();
    assert_eq!(ended.source.kind(), io::ErrorKind::BrokenPipe);
    assert!(ended.applied.done.is_empty());
    assert_eq!(here.words(), words);
    assert_eq!(here.trash().history(&Recall::last(1)).unwrap(), []);
}

#[test]
fn contents_without_end_fill_no_disk() {
    let (here, there) = (Side::new(""), Side::new("a=1"));
    let applied = follow_with(&here, &there, &Broken(b"too much")).unwrap();
    assert!(matches!(
        applied.failed[..],
        [Failure {
            why: Why::ChangedThere,
            ..
        }]
    ));
    assert_eq!(here.words(), [""; 0]);
}

#[test]
fn a_root_that_is_gone_ends_it() {
    let (here, there) = (Side::new(""), Side::new("a=1"));
    let (root, before) = (here.root(), here.scan());
    let plan = decide(&there.scan(), &before).container;
    fs::remove_dir(here.path("")).unwrap();
    let other = there.root();
    let ended = apply(
        &root,
        &plan,
        &before,
        &FromRoot(&other),
        &here.trash(),
        &here.options,
    );
    let ended = ended.unwrap_err();
    assert_eq!(ended.source.kind(), io::ErrorKind::NotFound);
    assert_eq!(ended.path, here.path(""));
}

#[test]
fn what_comes_to_nothing_leaves_nothing_in_the_trash() {
    let (here, there) = (Side::new("d/ignored=1 e/f/ignored=1"), Side::new(""));
    for _ in 0..2 {
        let applied = here.follow(&there).unwrap();
        assert_eq!((applied.failed.len(), applied.cycle), (2, None));
    }
    assert_eq!(fs::read_dir(here.trash_path()).unwrap().count(), 0);
}
