//! What both sides agreed on last: one file for each context, private to its owner.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use mizzen_fsx::{At as _, PathError, write_atomic};
use serde::{Deserialize, Serialize};

use super::plan::{Agreed, Version};
use super::{Side, make_private};
use crate::inventory::Found;
use crate::payload::{Payload, Terms};
use crate::store::context_id;

/// Kept for every context that both sides held.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Record {
    payload: Payload,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    unsure: Option<Side>,
}

pub(crate) struct Archive {
    dir: PathBuf,
    records: BTreeMap<String, (Record, Agreed)>,
}

impl Archive {
    /// Reads all of it. What cannot be read is ignored: the sides are then met as if for the first time, and nothing is
    /// deleted.
    pub(crate) fn open(state: &Path) -> Result<Self, PathError> {
        let dir = state.join("archive");
        make_private(&dir)?;
        let mut records = BTreeMap::new();
        for entry in dir.read_dir().at(&dir)? {
            let path = entry.at(&dir)?.path();
            if path.extension().is_none_or(|extension| extension != "json") {
                continue;
            }
            match read(&path) {
                Some((name, record)) => {
                    records.insert(name, record);
                }
                None => tracing::warn!(path = %path.display(), "not readable, ignored"),
            }
        }
        Ok(Self { dir, records })
    }

    pub(crate) fn agreed(&self) -> BTreeMap<String, Agreed> {
        let all = self.records.iter();
        all.map(|(name, (_, agreed))| (name.clone(), *agreed))
            .collect()
    }

    pub(crate) fn payload(&self, name: &str) -> Option<&Payload> {
        self.records.get(name).map(|(record, _)| &record.payload)
    }

    pub(crate) fn unsure(&self, name: &str) -> Option<Side> {
        self.records.get(name)?.0.unsure
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// Both sides hold this.
    pub(crate) fn keep(&mut self, found: &Found) -> Result<(), PathError> {
        let record = Record {
            payload: found.payload.clone(),
            unsure: None,
        };
        let agreed = Agreed {
            version: found.version(),
            unsure: None,
        };
        self.write(found.terms.name.clone(), record, agreed)
    }

    /// Whatever a side lacks of this context from now on, it may be a pass that was ended.
    pub(crate) fn doubt(&mut self, name: &str, side: Side) -> Result<(), PathError> {
        let Some((mut record, mut agreed)) = self.records.get(name).cloned() else {
            return Ok(());
        };
        record.unsure = Some(side);
        agreed.unsure = Some(side);
        self.write(name.to_owned(), record, agreed)
    }

    pub(crate) fn forget(&mut self, name: &str) -> Result<(), PathError> {
        self.records.remove(name);
        let path = self.path(name);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error).at(&path),
            _ => Ok(()),
        }
    }

    fn write(&mut self, name: String, record: Record, agreed: Agreed) -> Result<(), PathError> {
        let text = serde_json::to_vec(&record).expect("BUG: a record is plain values");
        write_atomic(self.path(&name), &text)?;
        self.records.insert(name, (record, agreed));
        Ok(())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.join(context_id(name)).with_extension("json")
    }
}

fn read(path: &Path) -> Option<(String, (Record, Agreed))> {
    let record: Record = serde_json::from_slice(&fs::read(path).ok()?).ok()?;
    let terms = Terms::read(&record.payload.meta.0).ok()?;
    let version = Version {
        print: record.payload.print(),
        reach: terms.reach(&record.payload),
    };
    let agreed = Agreed {
        version,
        unsure: record.unsure,
    };
    (terms.name == record.payload.name).then_some((terms.name, (record, agreed)))
}
