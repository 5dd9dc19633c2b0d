//! Figures of the mirror of Docker contexts and of the engines behind them, for `cargo xtask bench contexts`.
#![allow(clippy::unwrap_used, reason = "a bench ends where its rig fails")]

mod engines;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use mizzen_core::view::ContextsQuestion;
use mizzen_tests::figure::Figure;
use mizzen_tests::own;
use mizzen_tests::own_core::{OwnCore, tiny_image};
use sha2::Digest as _;

/// As many as a person has, and more than anybody.
const CONTEXTS: [usize; 2] = [10, 500];
/// Single changes, from one side and the other in turns.
const CHANGES: usize = 40;
/// Longer than a look at both sides takes, so that each change is met at rest.
const APART: Duration = Duration::from_millis(700);
/// Between two looks at the other side.
const POLL: Duration = Duration::from_millis(1);
/// For what idles: lets the start settle, and then each sample's window.
const SETTLE: Duration = Duration::from_secs(5);
/// Holds one look at everything, which comes every 30 s.
const WINDOW: Duration = Duration::from_secs(30);
const WINDOWS: usize = 2;

#[tokio::main]
async fn main() {
    engines::figures().await;
    for count in CONTEXTS {
        figures(count).await;
    }
}

async fn figures(count: usize) {
    let home = tempfile::tempdir().unwrap();
    let sides = [".docker", ".docker-cai"].map(|side| home.path().join(side));
    for number in 0..count {
        write(&sides[0], &name(number), "tcp://10.0.0.1:2376");
        write_tls(&sides[0], &name(number));
    }
    let rig = OwnCore::start_for(home.path().to_owned(), &tiny_image().unwrap())
        .await
        .unwrap();
    let begun = Instant::now();
    rig.client
        .ask_contexts(ContextsQuestion::Setup)
        .await
        .unwrap();
    let first = begun.elapsed();
    assert!(
        meta(&sides[1], &name(count - 1)).exists(),
        "setup carries all over"
    );
    Figure::of_times(
        &format!("{count} contexts with keys, met for the first time"),
        "",
        &[first],
    )
    .print();
    let mut delays = Vec::new();
    for change in 0..CHANGES {
        tokio::time::sleep(APART).await;
        let (from, to) = (&sides[change % 2], &sides[(change + 1) % 2]);
        let name = name(change % count);
        let changed = Instant::now();
        let text = write(from, &name, &format!("tcp://10.0.0.2:{}", 3000 + change));
        while fs::read(meta(to, &name)).ok().as_deref() != Some(text.as_bytes()) {
            std::thread::sleep(POLL);
        }
        delays.push(changed.elapsed());
    }
    let of = format!("a change of one of {count} contexts, seen on the other side");
    Figure::of_times(&of, "p95 < 1 s", &delays).print();
    tokio::time::sleep(SETTLE).await;
    let loads = own::loads(WINDOWS, WINDOW).await;
    let of = format!("{count} contexts at rest: processor of the core");
    Figure::new(&of, "0.0 %", &loads, |percent| format!("{percent:.2} %")).print();
    rig.end().await;
}

fn name(number: usize) -> String {
    format!("context-{number:03}")
}

fn id(name: &str) -> String {
    sha2::Sha256::digest(name)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

fn meta(side: &Path, name: &str) -> PathBuf {
    side.join("contexts/meta").join(id(name)).join("meta.json")
}

/// Writes a context as the CLI does, and says what.
fn write(side: &Path, name: &str, host: &str) -> String {
    let text = format!(
        r#"{{"Name":"{name}","Metadata":{{}},"Endpoints":{{"docker":{{"Host":"{host}","SkipTLSVerify":false}}}}}}"#
    );
    let path = meta(side, name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    mizzen_fsx::write_unsynced(path, text.as_bytes(), 0o644).unwrap();
    text
}

fn write_tls(side: &Path, name: &str) {
    let folder = side.join("contexts/tls").join(id(name)).join("docker");
    fs::create_dir_all(&folder).unwrap();
    for pem in ["ca.pem", "cert.pem", "key.pem"] {
        mizzen_fsx::write_unsynced(folder.join(pem), &[b'x'; 1800], 0o600).unwrap();
    }
}
