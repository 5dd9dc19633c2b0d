//! The core is killed in the middle of a pass.

use std::fs;

use crate::rig::{BOTH, Person, Side};

const CONTEXTS: usize = 30;
/// How many have come over when the core is killed.
const KILLS: [usize; 3] = [1, 10, 22];

#[tokio::test]
async fn a_killed_pass_is_finished_by_the_next_core() {
    let (person, mut client) = Person::mirrored().await;
    person.context(
        Side::Host,
        &[
            "create",
            "c0",
            "--docker",
            &format!("host=tcp://h:2376,{}", person.tls("k")),
        ],
    );
    person.in_step(&client).await;
    let archive = person.home().join("c0.tar").display().to_string();
    person.context(Side::Host, &["export", "c0", &archive]);
    for round in KILLS {
        // Faster than the mirror, while no core runs.
        person.kill(&client).await;
        for number in 1..CONTEXTS {
            let name = format!("r{round}-{number}");
            copy(&person, &name);
        }
        client = person.start().await;
        let come = || {
            fs::read_dir(person.path(Side::Container).join("contexts/meta"))
                .map_or(0, Iterator::count)
        };
        let before = come();
        let started = std::time::Instant::now();
        while come() < before + round && started.elapsed() < mizzen_tests::rig::PATIENCE {
            std::thread::yield_now();
        }
        person.kill(&client).await;
        for side in BOTH {
            let listed = person.docker(side, &["context", "ls", "-q"]);
            assert_eq!(listed.code, 0, "{listed:?}");
        }
        client = person.start().await;
    }
    let files = person.in_step(&client).await;
    assert_eq!(files.len(), 4 * (1 + KILLS.len() * (CONTEXTS - 1)));
    person.check_modes(Side::Container);
    let stage = person.path(Side::Container).join("contexts/.mizzen");
    assert_eq!(fs::read_dir(stage).unwrap().count(), 0);
}

/// A copy of `c0` on the host, as `docker context import` makes it.
fn copy(person: &Person, name: &str) {
    let contexts = person.path(Side::Host).join("contexts");
    let (from, to) = (id("c0"), id(name));
    let meta = fs::read_to_string(contexts.join("meta").join(&from).join("meta.json"))
        .expect("a scratch folder");
    let meta = meta.replace("\"c0\"", &format!("\"{name}\""));
    fs::create_dir_all(contexts.join("meta").join(&to)).expect("a scratch folder");
    fs::create_dir_all(contexts.join("tls").join(&to).join("docker")).expect("a scratch folder");
    for pem in ["ca.pem", "cert.pem", "key.pem"] {
        let place = |id: &str| contexts.join("tls").join(id).join("docker").join(pem);
        fs::copy(place(&from), place(&to)).expect("a scratch folder");
    }
    let place = contexts.join("meta").join(&to).join("meta.json");
    mizzen_fsx::write_atomic_with(place, meta.as_bytes(), 0o644, None).expect("a scratch folder");
}

/// Name of a context's folder.
pub(crate) fn id(name: &str) -> String {
    use sha2::Digest as _;
    sha2::Sha256::digest(name)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}
