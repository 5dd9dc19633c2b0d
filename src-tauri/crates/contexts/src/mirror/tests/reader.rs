//! Somebody reads all the while.

use std::sync::atomic::AtomicBool;
use std::thread;

use super::*;

const VERSIONS: usize = 60;

/// A reader that looks twice, as one who wants to be sure does, never sees the halves of two versions.
#[test]
fn nobody_sees_the_halves_of_two_versions() {
    let mut rig = Rig::new();
    let write = |rig: &Rig, version: usize| {
        let files = format!("ca.pem={version} cert.pem={version} key.pem={version}");
        rig.write(HOST, "prod", &format!("tcp://h:{version}"), &files);
    };
    write(&rig, 0);
    rig.pass();
    let root = rig.mirror().root(CONTAINER).clone();
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut seen = BTreeMap::new();
            while !over.load(Ordering::SeqCst) {
                let (one, two) = (root.take_inventory(), root.take_inventory());
                if one != two {
                    continue;
                }
                for found in one.contexts.values() {
                    let version = found.terms.host.replace("tcp://h:", "");
                    for file in &found.payload.tls {
                        assert_eq!(String::from_utf8_lossy(&file.bytes.0), version, "torn");
                    }
                    assert_eq!(found.payload.tls.len(), 3, "torn");
                    seen.insert(version, ());
                }
                assert!(one.odd.is_empty(), "{:?}", one.odd);
            }
            seen.len()
        });
        for version in 1..=VERSIONS {
            write(&rig, version);
            rig.pass();
        }
        over.store(true, Ordering::SeqCst);
        let seen = reader.join().expect("a reader that saw no torn context");
        assert!(seen > 1, "it saw {seen} versions");
    });
    assert!(rig.both().starts_with(&format!("prod tcp://h:{VERSIONS} ")));
}
