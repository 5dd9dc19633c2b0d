//! The host's memory of its sessions: one file, written whole before the engine is called, two generations kept.
//!
//! A file that makes no sense is put aside, never overwritten. The generation before it serves; without one the
//! registry is empty and containers are recognised by their labels and the project's own files.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use mizzen_fsx::{At, PathError, write_atomic};
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;

use crate::record::Record;

/// Schema that this version writes.
const SCHEMA: u64 = 1;
const FILE: &str = "registry.json";
const PREVIOUS: &str = "registry.previous.json";

/// All records, on disk and in memory alike.
#[derive(Clone)]
pub(crate) struct Registry {
    inner: Arc<Inner>,
}

struct Inner {
    dir: PathBuf,
    /// Held over a write, so that generations follow each other in order.
    kept: Mutex<Kept>,
}

struct Kept {
    records: BTreeMap<String, Record>,
    /// Text of the newest generation on disk; empty when there is none.
    text: Vec<u8>,
}

/// Why there is no registry.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// It cannot be read or written.
    #[error("the session registry: {0}")]
    Io(#[from] PathError),
    /// A newer version of Mizzen wrote it; this one would lose what it does not know.
    #[error("{} was written by a newer Mizzen (schema {schema})", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its schema.
        schema: u64,
    },
}

#[derive(Serialize, Deserialize)]
struct File {
    schema: u64,
    sessions: BTreeMap<String, Record>,
}

/// Just enough to tell a newer file from a broken one.
#[derive(Deserialize)]
struct Head {
    schema: u64,
}

impl Registry {
    /// Opens the registry of a state directory, and says what is in it. `stamp` names a file that is put aside.
    pub(crate) fn open(
        dir: &Path,
        stamp: &str,
    ) -> Result<(Self, BTreeMap<String, Record>), RegistryError> {
        std::fs::create_dir_all(dir).at(dir)?;
        mizzen_fsx::remove_leftovers(dir.join(FILE))?;
        let newest = Generation::read(&dir.join(FILE))?;
        let kept = match newest {
            Generation::Good(records, text) => Kept { records, text },
            Generation::Absent => Kept {
                records: BTreeMap::new(),
                text: Vec::new(),
            },
            Generation::Corrupt(text) => {
                let aside = dir.join(format!("{FILE}.corrupt-{stamp}"));
                write_atomic(&aside, &text)?;
                tracing::warn!(aside = %aside.display(), "the session registry is corrupt and was put aside");
                match Generation::read(&dir.join(PREVIOUS))? {
                    Generation::Good(records, text) => Kept { records, text },
                    Generation::Absent | Generation::Corrupt(_) => Kept {
                        records: BTreeMap::new(),
                        text: Vec::new(),
                    },
                }
            }
        };
        let records = kept.records.clone();
        let inner = Inner {
            dir: dir.to_owned(),
            kept: Mutex::new(kept),
        };
        Ok((
            Self {
                inner: Arc::new(inner),
            },
            records,
        ))
    }

    /// The first record that fits.
    pub(crate) async fn find(&self, fits: impl Fn(&Record) -> bool) -> Option<Record> {
        self.inner
            .kept
            .lock()
            .await
            .records
            .values()
            .find(|record| fits(record))
            .cloned()
    }

    /// All records by key.
    pub(crate) async fn records(&self) -> BTreeMap<String, Record> {
        self.inner.kept.lock().await.records.clone()
    }

    /// Remembers a record; it is on disk when this returns.
    pub(crate) async fn put(&self, record: Record) -> Result<(), PathError> {
        self.change(move |records| {
            records.insert(record.name.key(), record);
        })
        .await
    }

    /// Forgets a record.
    pub(crate) async fn remove(&self, key: &str) -> Result<(), PathError> {
        let key = key.to_owned();
        self.change(move |records| {
            records.remove(&key);
        })
        .await
    }

    async fn change(
        &self,
        change: impl FnOnce(&mut BTreeMap<String, Record>),
    ) -> Result<(), PathError> {
        let mut kept = self.inner.kept.lock().await;
        let mut records = kept.records.clone();
        change(&mut records);
        let file = File {
            schema: SCHEMA,
            sessions: records,
        };
        let text = serde_json::to_vec_pretty(&file).expect("BUG: records are plain values");
        if text == kept.text {
            return Ok(());
        }
        let (dir, previous, next) = (
            self.inner.dir.clone(),
            std::mem::take(&mut kept.text),
            text.clone(),
        );
        let written =
            tokio::task::spawn_blocking(move || write_generations(&dir, &previous, &next));
        written.await.expect("BUG: writing does not panic")?;
        *kept = Kept {
            records: file.sessions,
            text,
        };
        Ok(())
    }
}

fn write_generations(dir: &Path, previous: &[u8], next: &[u8]) -> Result<(), PathError> {
    if !previous.is_empty() {
        write_atomic(dir.join(PREVIOUS), previous)?;
    }
    write_atomic(dir.join(FILE), next)
}

enum Generation {
    Good(BTreeMap<String, Record>, Vec<u8>),
    Corrupt(Vec<u8>),
    Absent,
}

impl Generation {
    fn read(path: &Path) -> Result<Self, RegistryError> {
        let text = match std::fs::read(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::Absent),
            Err(error) => {
                return Err(RegistryError::Io(PathError {
                    path: path.to_owned(),
                    source: error,
                }));
            }
        };
        match serde_json::from_slice::<Head>(&text) {
            Ok(Head { schema }) if schema > SCHEMA => {
                return Err(RegistryError::Newer {
                    path: path.to_owned(),
                    schema,
                });
            }
            _ => {}
        }
        match serde_json::from_slice::<File>(&text) {
            Ok(file) if consistent(&file) => Ok(Self::Good(file.sessions, text)),
            _ => Ok(Self::Corrupt(text)),
        }
    }
}

/// A key that is not its record's own would let two records be one session.
fn consistent(file: &File) -> bool {
    file.sessions
        .iter()
        .all(|(key, record)| *key == record.name.key())
}

#[cfg(test)]
mod tests;
