use std::path::Path;

use super::{FILE, Generation, PREVIOUS, Registry, RegistryError};
use crate::record::tests::record;

fn open(dir: &Path) -> Registry {
    Registry::open(dir, "1").unwrap().0
}

async fn names(registry: &Registry) -> Vec<String> {
    registry.records().await.into_keys().collect()
}

/// A directory whose registry was written twice: `web`, then `web` and `api`.
async fn two_generations() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let registry = open(dir.path());
    registry.put(record("Web")).await.unwrap();
    registry.put(record("api")).await.unwrap();
    dir
}

#[tokio::test]
async fn records_survive_and_can_be_forgotten() {
    let dir = two_generations().await;
    let registry = open(dir.path());
    assert_eq!(registry.records().await["web"], record("Web"));
    registry.remove("api").await.unwrap();
    assert_eq!(names(&open(dir.path())).await, ["web"]);
}

/// Every flip and every cut of the file is read as something: the same records, or damage; never a panic.
#[tokio::test]
async fn any_damage_is_noticed_or_harmless() {
    let dir = two_generations().await;
    let path = dir.path().join(FILE);
    let good = std::fs::read(&path).unwrap();
    let flips = (0..good.len()).map(|at| {
        let mut text = good.clone();
        text[at] ^= 0x15;
        text
    });
    let cuts = (1..good.len() - 1).map(|at| good[..at].to_vec());
    for damaged in flips.chain(cuts) {
        std::io::Write::write_all(&mut std::fs::File::create(&path).unwrap(), &damaged).unwrap();
        match Generation::read(&path) {
            Ok(Generation::Good(records, _)) => assert_eq!(records.len(), 2, "damage of a value"),
            Ok(Generation::Corrupt(text)) => assert_eq!(text, damaged),
            Err(RegistryError::Newer { .. }) => {}
            other => panic!("{:?}", other.err()),
        }
    }
}

#[tokio::test]
async fn a_corrupt_file_is_put_aside_and_the_generation_before_serves() {
    let dir = two_generations().await;
    mizzen_fsx::write_atomic(dir.path().join(FILE), b"{\"schema\": 1, \"sess").unwrap();
    let (registry, records) = Registry::open(dir.path(), "20260102").unwrap();
    assert_eq!(records.len(), 1);
    assert_eq!(names(&registry).await, ["web"]);
    let aside = dir.path().join(format!("{FILE}.corrupt-20260102"));
    assert_eq!(std::fs::read(aside).unwrap(), b"{\"schema\": 1, \"sess");
}

#[tokio::test]
async fn with_both_generations_gone_the_registry_is_empty_and_works() {
    let dir = two_generations().await;
    for file in [FILE, PREVIOUS] {
        mizzen_fsx::write_atomic(dir.path().join(file), b"{").unwrap();
    }
    let registry = open(dir.path());
    assert!(names(&registry).await.is_empty());
    registry.put(record("new")).await.unwrap();
    assert_eq!(names(&open(dir.path())).await, ["new"]);
}

/// Bad input 64 of the security research.
#[tokio::test]
async fn a_registry_of_a_newer_version_is_not_touched() {
    let dir = two_generations().await;
    let newer = br#"{"schema": 2, "sessions": {}}"#;
    mizzen_fsx::write_atomic(dir.path().join(FILE), newer).unwrap();
    let refused = Registry::open(dir.path(), "3")
        .err()
        .expect("must be refused");
    assert!(
        matches!(refused, RegistryError::Newer { schema: 2, .. }),
        "{refused}"
    );
    assert_eq!(std::fs::read(dir.path().join(FILE)).unwrap(), newer);
}
