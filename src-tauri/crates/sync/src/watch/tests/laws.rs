//! Whatever is done, and whenever somebody looks: what was told to be dirty is enough to see what is there.

use proptest::prelude::*;

use super::*;

#[derive(Clone, Debug)]
enum Op {
    Write(String, u8),
    Append(String),
    MakeDir(String),
    Link(String),
    Remove(String),
    Rename(String, String),
    Mode(String, bool),
    /// Looks at what is dirty.
    Look,
}

/// Few names, so that operations meet; some are not carried.
fn place() -> impl Strategy<Value = String> {
    let name = prop_oneof![
        6 => proptest::sample::select(vec!["a", "b", "c"]),
        1 => proptest::sample::select(vec!["ignored", "x.log", "out"]),
    ];
    proptest::collection::vec(name, 1..4).prop_map(|names| names.join("/"))
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        4 => (place(), 0..3_u8).prop_map(|(path, contents)| Op::Write(path, contents)),
        1 => place().prop_map(Op::Append),
        3 => place().prop_map(Op::MakeDir),
        1 => place().prop_map(Op::Link),
        2 => place().prop_map(Op::Remove),
        5 => (place(), place()).prop_map(|(from, to)| Op::Rename(from, to)),
        1 => (place(), any::<bool>()).prop_map(|(path, executable)| Op::Mode(path, executable)),
    ]
}

/// Does it, or nothing where it cannot be done.
#[expect(
    clippy::disallowed_methods,
    reason = "the side that writes without care"
)]
fn act(root: &Path, op: &Op) {
    let at = |path: &String| root.join(path);
    let _impossible = match op {
        Op::Write(path, contents) => fs::write(at(path), [*contents]),
        Op::Append(path) => {
            let file = OpenOptions::new().append(true).open(at(path));
            file.and_then(|mut file| file.write_all(b"more"))
        }
        Op::MakeDir(path) => fs::create_dir_all(at(path)),
        Op::Link(path) => symlink("a", at(path)),
        Op::Remove(path) => fs::remove_file(at(path)).or_else(|_| fs::remove_dir_all(at(path))),
        Op::Rename(from, to) => fs::rename(at(from), at(to)),
        Op::Mode(path, executable) => {
            let mode = if *executable { 0o755 } else { 0o644 };
            match fs::symlink_metadata(at(path)) {
                Ok(facts) if facts.is_file() => {
                    fs::set_permissions(at(path), fs::Permissions::from_mode(mode))
                }
                _ => Ok(()),
            }
        }
        Op::Look => Ok(()),
    };
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn looks_between_operations_see_all(
        ops in proptest::collection::vec(prop_oneof![4 => op(), 1 => Just(Op::Look)], 0..60),
    ) {
        let mut rig = Rig::new();
        let path = rig.path("");
        for op in &ops {
            match op {
                Op::Look => drop(rig.look()),
                op => act(&path, op),
            }
        }
        rig.check();
        prop_assert_eq!(rig.watched(), rig.seen());
    }

    #[test]
    fn looks_during_operations_see_all(ops in proptest::collection::vec(op(), 100..600)) {
        let mut rig = Rig::new();
        let path = rig.path("");
        let writer = thread::spawn(move || ops.iter().for_each(|op| act(&path, op)));
        while !writer.is_finished() {
            rig.look();
        }
        writer.join().unwrap();
        rig.check();
    }
}
