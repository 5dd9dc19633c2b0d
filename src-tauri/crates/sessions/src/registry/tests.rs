use std::path::Path;

use super::{FILE, PREVIOUS, Registry, RegistryError};
use crate::record::tests::record;

fn open(dir: &Path) -> Registry {
    Registry::open(dir, "1").unwrap()
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

/// Every flip and every cut of the file: the result is this generation, the one before, or a clear refusal to
/// touch what a newer version wrote; never a panic, and never a lost text.
#[tokio::test]
async fn any_damage_falls_back_to_the_generation_before() {
    let dir = two_generations().await;
    let good = std::fs::read(dir.path().join(FILE)).unwrap();
    let flips = (0..good.len()).map(|at| {
        let mut text = good.clone();
        text[at] ^= 0x15;
        text
    });
    let cuts = (0..good.len() - 1).map(|at| good[..at].to_vec());
    for damaged in flips.chain(cuts) {
        mizzen_fsx::write_atomic(dir.path().join(FILE), &damaged).unwrap();
        let registry = match Registry::open(dir.path(), "2") {
            Ok(registry) => registry,
            Err(RegistryError::Newer { .. }) => continue,
            Err(error) => panic!("{error}"),
        };
        let aside = dir.path().join(format!("{FILE}.corrupt-2"));
        if aside.exists() {
            assert_eq!(names(&registry).await, ["web"], "the generation before");
            assert_eq!(std::fs::read(&aside).unwrap(), damaged, "the text is kept");
            std::fs::remove_file(aside).unwrap();
        } else {
            assert_eq!(
                names(&registry).await.len(),
                2,
                "damage that changes no structure"
            );
        }
    }
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
