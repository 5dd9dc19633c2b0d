//! What a side at the other end may say, and what comes of it.

use std::fs;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::mpsc::channel;
use std::thread;

use mizzen_sync_core::{Change, Digest, Edit, File, RelPath};
use proptest::prelude::*;

use super::delta::{Cuts, Run, SUMS_MAX};
use super::frames::{Frames, Reader, Writer};
use super::message::{Cause, View};
use super::place::{self, Edited};
use super::wanted::{Left, Wanted};
use super::*;
use crate::apply::{Durability, FromRoot, PartHere};
use crate::root::Root;
use crate::scan::Links;
use crate::trash::Retention;

fn side() -> OpenSide {
    OpenSide {
        path: "/workspace".into(),
        size_max: 1 << 30,
        links: Links::Portable,
        look_for_secrets: true,
        durability: Durability::None,
    }
}

fn path(text: &str) -> RelPath {
    RelPath::new(text.as_bytes()).expect("a path")
}

fn node(sketch: &[&str]) -> Node {
    let edit = |text: &&str| {
        let file = File {
            digest: Digest(*blake3::hash(text.as_bytes()).as_bytes()),
            size: text.len() as u64,
            mtime: 0,
            executable: false,
        };
        Edit {
            path: path(text),
            entry: Some(Node::File(file)),
        }
    };
    let edits: Vec<Edit> = sketch.iter().map(edit).collect();
    Node::replaced(Some(&Node::empty_dir()), &edits).expect("a tree")
}

fn paths(tree: &Node) -> Vec<String> {
    let all = mizzen_sync_core::differences(None, Some(tree));
    let mut found = Vec::new();
    fn tell(at: &RelPath, node: &Node, found: &mut Vec<String>) {
        match node {
            Node::Dir(dir) => dir
                .iter()
                .for_each(|(name, node)| tell(&at.join(name), node, found)),
            _ => found.push(at.to_string()),
        }
    }
    for edit in &all {
        tell(&edit.path, edit.entry.as_ref().expect("new"), &mut found);
    }
    found
}

/// An end that says what it likes: one answer, or bytes, for each question after the first.
fn told_by(answers: Vec<Vec<u8>>) -> RemoteEndpoint {
    let (ours, theirs) = UnixStream::pair().expect("sockets");
    thread::spawn(move || {
        let mut asked = Reader::new(theirs.try_clone().expect("a socket"));
        let mut to = theirs;
        let done = message(&Told::Done);
        for answer in std::iter::once(done).chain(answers) {
            asked.next()?;
            to.write_all(&answer)?;
        }
        // It says no more, and what follows is read, so that nobody waits.
        to.shutdown(std::net::Shutdown::Write)?;
        while asked.next().is_ok() {}
        io::Result::Ok(())
    });
    RemoteEndpoint::open(ours.try_clone().expect("a socket"), ours, side()).expect("a folder")
}

#[test]
fn an_end_that_asks_for_one_file_for_ever_is_given_up() {
    let folder = tempfile::tempdir().expect("a folder");
    let root = Root::open(folder.path().to_owned()).expect("a root");
    let new = node(&["a"]);
    let file = *new.get(&path("a")).and_then(Node::as_file).expect("a file");
    let want = message(&Told::Want(vec![Wanted::new(&path("a"), &file)]));
    for (answer, why) in [
        (want.repeat(usize::from(ASKED_MAX) + 1), "again and again"),
        (message(&Told::Want(Vec::new())), "it asks for nothing"),
    ] {
        let mut endpoint = told_by(vec![answer]);
        let given_up = endpoint.apply(CycleId(1), &plan_of(&new), &FromRoot(&root));
        let given_up = given_up.unwrap_err().to_string();
        assert!(given_up.contains(why), "{given_up}");
    }
}

fn message(told: &Told) -> Vec<u8> {
    let bytes = postcard::to_allocvec(told).expect("bytes");
    let length = u32::try_from(bytes.len()).expect("short").to_le_bytes();
    [&[1][..], &length, &bytes].concat()
}

fn view(edits: Vec<Edited>) -> Told {
    Told::Looked(View {
        stands: true,
        edits,
        hashed: 0,
        withheld: Vec::new(),
        polling: Some("\u{1b}[2Jlost".into()),
        root: None,
    })
}

fn edited(at: &str, entry: Option<Node>) -> Edited {
    let path = path(at);
    place::edited(&[Edit { path, entry }]).remove(0)
}

fn done(done: &[(&str, bool)]) -> Told {
    Told::Applied(Done {
        done: done
            .iter()
            .map(|(at, is_there)| (Place::from(&path(at)), *is_there))
            .collect(),
        failed: vec![(Place::from(&path("d/b")), Cause::System("no\nroom".into()))],
        files: 1,
        bytes: 2,
        reused: 0,
        cycle: None,
        ended: None,
    })
}

fn plan_of(new: &Node) -> Plan {
    let changes = new
        .as_dir()
        .expect("a root")
        .iter()
        .map(|(name, node)| Change {
            path: RelPath::root().join(name),
            old: None,
            new: Some(node.clone()),
        });
    Plan {
        changes: changes.collect(),
    }
}

#[test]
fn what_the_rules_keep_back_is_not_seen_whatever_is_told() {
    let tree = node(&[
        "a",
        ".git/config",
        "deep/.git/config",
        ".env",
        "target/x",
        "deep/b",
    ]);
    let later = node(&["hooks/evil"]);
    let answers = [
        message(&Told::Done),
        message(&view(vec![edited("", Some(tree))])),
        message(&view(vec![
            edited("deep/.git", Some(later)),
            edited("target", None),
            edited("deep/c", node(&["c"]).get(&path("c")).cloned()),
        ])),
    ];
    let mut endpoint = told_by(answers.into());
    let rules = RuleTexts {
        ignore: vec!["target/".into()],
        ..RuleTexts::default()
    };
    endpoint.obey(&rules).unwrap();
    let looked = endpoint.look(&Dirty::All, None).unwrap();
    assert_eq!(paths(&looked.tree.unwrap()), ["a", "deep/b"]);
    assert_eq!(looked.polling.unwrap(), "[2Jlost");
    let looked = endpoint.look(&Dirty::All, None).unwrap();
    assert_eq!(paths(&looked.tree.unwrap()), ["a", "deep/b", "deep/c"]);
}

#[test]
fn nothing_is_handed_over_that_is_not_in_the_plan() {
    let folder = tempfile::tempdir().unwrap();
    mizzen_fsx::write_atomic(folder.path().join("secret"), b"secret").unwrap();
    let root = Root::open(folder.path().to_owned()).unwrap();
    let secret = node(&["secret"]);
    let file = *secret.get(&path("secret")).and_then(Node::as_file).unwrap();
    let answers = [
        message(&Told::Want(vec![Wanted::new(&path("secret"), &file)])),
        message(&done(&[])),
    ];
    let mut endpoint = told_by(answers.into());
    let plan = plan_of(&node(&["a"]));
    let error = endpoint
        .apply(CycleId(1), &plan, &FromRoot(&root))
        .unwrap_err();
    assert!(error.to_string().contains("not in the plan"), "{error}");
}

#[test]
fn what_is_said_to_be_there_already_must_make_sense() {
    let folder = tempfile::tempdir().unwrap();
    mizzen_fsx::write_atomic(folder.path().join("a"), b"a").unwrap();
    let root = Root::open(folder.path().to_owned()).unwrap();
    let new = node(&["a"]);
    let file = *new.get(&path("a")).and_then(Node::as_file).unwrap();
    let left = |first, average, sums| Left {
        first,
        cuts: Cuts::Found,
        average,
        sums: vec![[0; 8]; sums],
    };
    for (left, is_refused) in [
        (left(2, 0, 0), true),
        (left(u64::MAX, 4096, 1), true),
        (left(0, 0, 1), true),
        (left(0, u32::MAX, 1), true),
        (left(0, 4096, SUMS_MAX + 1), true),
        (left(1, 0, 0), false),
        (left(0, 4096, 3), false),
    ] {
        let told = format!("{} {} {}", left.first, left.average, left.sums.len());
        let want = Told::Want(vec![Wanted::rest(&path("a"), &file, left)]);
        let bytes = postcard::to_allocvec(&want).unwrap();
        let parts = bytes.chunks(200_000).collect::<Vec<_>>();
        let mut answer = Vec::new();
        for (number, part) in parts.iter().enumerate() {
            let length = u32::try_from(part.len()).unwrap().to_le_bytes();
            answer.push(u8::from(number + 1 == parts.len()));
            answer.extend(length);
            answer.extend_from_slice(part);
        }
        let mut endpoint = told_by(vec![answer, message(&done(&[]))]);
        let error = endpoint.apply(CycleId(1), &plan_of(&new), &FromRoot(&root));
        let error = error.unwrap_err().to_string();
        assert_eq!(error.contains("cannot be"), is_refused, "{told}: {error}");
    }
}

#[test]
fn pieces_that_are_not_there_are_no_answer() {
    let file = File {
        digest: Digest([0; 32]),
        size: 20_000,
        mtime: 0,
        executable: false,
    };
    let mut old = tempfile::tempfile().unwrap();
    old.write_all(&[7; 19_999]).unwrap();
    let run = |first: u32, count: u32| {
        let run = Run { first, count };
        [&[8, 8, 0, 0, 0][..], &run.to_bytes(), &[3, 0, 0, 0, 0]].concat()
    };
    // All of it is one piece and a rest.
    for (answer, has_old, comes) in [
        (run(0, 1), true, true),
        (run(0, 2), true, true),
        (run(1, 2), true, false),
        (run(u32::MAX, u32::MAX), true, false),
        ([run(0, 2), run(0, 2)].concat(), true, true),
        ([&run(0, 2)[..13], &run(0, 1)].concat(), true, false),
        (run(0, 1), false, false),
    ] {
        let endpoint = told_by(vec![answer]);
        let here = PartHere {
            first: 0,
            old: has_old.then_some(&old),
        };
        let mut got = Vec::new();
        let supplied = {
            let contents = endpoint.contents();
            contents
                .supplier()
                .supply_rest(&path("a"), &file, &here, &mut got)
        };
        assert_eq!(supplied.is_ok(), comes, "{supplied:?}");
        assert!(got.len() <= 20_000);
    }
}

#[test]
fn what_was_done_is_what_the_plan_says() {
    let new = node(&["a", "d/b", "d/c"]);
    let carried_out = |told: Told| {
        let folder = tempfile::tempdir().expect("a folder");
        let root = Root::open(folder.path().to_owned()).expect("a root");
        told_by(vec![message(&told)]).apply(CycleId(1), &plan_of(&new), &FromRoot(&root))
    };
    let applied = carried_out(done(&[("a", true), ("d", true)])).unwrap();
    assert_eq!(applied.done[0].entry.as_ref(), new.get(&path("a")));
    assert_eq!(paths(applied.done[1].entry.as_ref().unwrap()), ["c"]);
    assert_eq!(applied.failed[0].why.to_string(), "noroom");
    for lie in [("x", true), ("x", false), ("d/c", true), ("", true)] {
        let error = carried_out(done(&[lie])).unwrap_err();
        assert!(
            error.to_string().contains("not in the plan"),
            "{lie:?}: {error}"
        );
    }
}

#[test]
fn a_stream_that_ends_wakes_the_link_and_is_told() {
    let (ours, theirs) = UnixStream::pair().unwrap();
    let serving = thread::spawn(move || {
        let mut asked = Reader::new(theirs.try_clone().expect("a socket"));
        let to = Writer::new(theirs);
        for _ in 0..2 {
            asked.next()?;
            to.message(&Told::Done)?;
        }
        io::Result::Ok(())
    });
    let mut endpoint = RemoteEndpoint::open(ours.try_clone().unwrap(), ours, side()).unwrap();
    let (tell, told) = channel();
    let wake: Wake = Arc::new(move || {
        let _ = tell.send(());
    });
    endpoint.watch(wake).unwrap();
    serving.join().unwrap().unwrap();
    told.recv_timeout(std::time::Duration::from_secs(60))
        .unwrap();
    let error = endpoint.look(&Dirty::All, None).unwrap_err();
    assert!(matches!(error, EndpointError::Wire(_)), "{error}");
}

/// Keeps all for ever, at no time in particular.
const SERVED: ServeOptions = ServeOptions {
    umask: 0o022,
    retention: Retention {
        age: std::time::Duration::MAX,
        bytes: u64::MAX,
    },
    now: || 0,
};

#[test]
fn a_folder_that_is_not_there_is_named() {
    let (ours, theirs) = UnixStream::pair().unwrap();
    thread::spawn(move || serve(theirs.try_clone().expect("a socket"), theirs, &SERVED));
    let folder = tempfile::tempdir().unwrap();
    let missing = OpenSide {
        path: folder.path().join("missing"),
        ..side()
    };
    let opened = RemoteEndpoint::open(ours.try_clone().unwrap(), ours, missing);
    let error = opened.map(drop).unwrap_err().to_string();
    assert!(
        error.contains("missing") && error.contains("No such file"),
        "{error}"
    );
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn answers_of_any_kind_are_errors_or_answers(
        kinds in proptest::collection::vec(0..11_u8, 1..4),
        bytes in proptest::collection::vec(any::<u8>(), 0..60),
        which in 0..7,
    ) {
        let length = u32::try_from(bytes.len()).unwrap().to_le_bytes();
        let frame = |kind: &u8| [&[*kind][..], &length, &bytes].concat();
        let said: Vec<u8> = kinds.iter().flat_map(frame).collect();
        let mut endpoint = told_by(vec![said.clone()]);
        let folder = tempfile::tempdir().unwrap();
        let root = Root::open(folder.path().to_owned()).unwrap();
        match which {
            0 => drop(endpoint.look(&Dirty::All, None)),
            1 => drop(endpoint.apply(CycleId(1), &plan_of(&node(&["a", "b"])), &FromRoot(&root))),
            2 => drop(endpoint.history(&Recall::last(3))),
            4 => drop(endpoint.rules(None, true)),
            5 => drop(Far::new(io::Cursor::new(said), io::sink()).unwrap().folder("/p".as_ref())),
            3 => {
                let old = tempfile::tempfile().unwrap();
                old.set_len(5000).unwrap();
                let file = File { digest: Digest([0; 32]), size: 9000, mtime: 0, executable: false };
                let here = PartHere { first: 10, old: Some(&old) };
                let mut got = Vec::new();
                let _ = endpoint.contents().supplier().supply_rest(&path("a"), &file, &here, &mut got);
                prop_assert!(got.len() <= 8990);
            }
            _ => {
                let file = File { digest: Digest([0; 32]), size: 10, mtime: 0, executable: false };
                let mut got = Vec::new();
                let _ = endpoint.contents().supplier().supply(&path("a"), &file, &mut got);
                prop_assert!(got.len() <= 10);
            }
        }
    }
}

/// Opens and closes a link of a folder.
fn open(folder: &Path, link: &[u8], options: &'static ServeOptions) {
    let (ours, theirs) = UnixStream::pair().unwrap();
    let served = thread::spawn(move || serve(theirs.try_clone().unwrap(), theirs, options));
    let line = ours.try_clone().unwrap();
    let far = Far::new(ours.try_clone().unwrap(), ours).unwrap();
    let side = OpenSide {
        path: folder.to_owned(),
        ..side()
    };
    drop(far.open_for(crate::LinkId::new([link]), side).unwrap());
    // Our reading thread holds the stream as well.
    line.shutdown(std::net::Shutdown::Both).unwrap();
    served.join().unwrap().unwrap();
}

/// Who opens a trash clears up after cycles that have it open: not after those of another link, which may be under way.
#[test]
fn links_of_one_folder_keep_apart_what_they_displace() {
    let folder = tempfile::tempdir().unwrap();
    let open = |link: &[u8]| open(folder.path(), link, &SERVED);
    let [one, other] = [&b"one"[..], b"other"].map(|link| {
        let link = crate::LinkId::new([link]);
        folder.path().join(format!(".mizzen-tmp-trash-{link}"))
    });
    open(b"one");
    fs::create_dir(one.join("20260102T030405.000000006Z.open-00000000000000aa")).unwrap();
    let moved_aside = folder.path().join(".mizzen-tmp-00000000000000aa-0-old");
    mizzen_fsx::write_atomic(&moved_aside, b"a person's").unwrap();
    open(b"other");
    assert!(moved_aside.exists());
    assert!(other.exists());
    open(b"one");
    assert!(!moved_aside.exists());
    let kept = one.join("20260102T030405.000000006Z/0");
    assert_eq!(fs::read(kept).unwrap(), b"a person's");
}

const FOR_A_WEEK: ServeOptions = ServeOptions {
    umask: 0o022,
    retention: Retention {
        age: std::time::Duration::from_secs(7 * 24 * 60 * 60),
        bytes: u64::MAX,
    },
    now: crate::now,
};

#[test]
fn what_links_of_earlier_containers_displaced_ages_as_well() {
    let folder = tempfile::tempdir().unwrap();
    let trash = folder.path().join(".mizzen-tmp-trash-00ff");
    let [old, new] =
        ["20200101T000000.000000000Z", "21990101T000000.000000000Z"].map(|cycle| trash.join(cycle));
    for cycle in [&old, &new] {
        fs::create_dir_all(cycle).unwrap();
        mizzen_fsx::write_atomic(cycle.join("0"), b"a person's").unwrap();
    }
    let elsewhere = tempfile::tempdir().unwrap();
    let theirs = elsewhere.path().join("20200101T000000.000000000Z");
    fs::create_dir(&theirs).unwrap();
    std::os::unix::fs::symlink(
        elsewhere.path(),
        folder.path().join(".mizzen-tmp-trash-link"),
    )
    .unwrap();
    open(folder.path(), b"ours", &FOR_A_WEEK);
    assert_eq!(
        [old.exists(), new.exists(), theirs.exists()],
        [false, true, true]
    );
}
