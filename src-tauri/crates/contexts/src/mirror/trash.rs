//! What was overwritten or deleted, for thirty days: one file each, private to its owner.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};
use mizzen_fsx::{At as _, PathError, write_atomic};
use serde::{Deserialize, Serialize};

use super::{Side, make_private};
use crate::payload::{Payload, Print};

const KEPT: SignedDuration = SignedDuration::from_hours(30 * 24);
/// Versions of one context; a container that changes it without end must not fill the disk.
const VERSIONS_MAX: usize = 30;
/// All versions together, whatever they are called.
const BYTES_MAX: u64 = 256 << 20;
/// Ends the name of a version that a container wrote.
const FROM_CONTAINER: &str = "-c";

/// One version of a context.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Trashed {
    pub(crate) at: Timestamp,
    pub(crate) side: Side,
    pub(crate) reason: String,
    /// Whether a container wrote it: of too many, these go first.
    #[serde(default)]
    pub(crate) from_container: bool,
    pub(crate) payload: Payload,
}

pub(crate) struct Trash {
    dir: PathBuf,
    bytes_max: u64,
}

impl Trash {
    pub(crate) fn open(state: &Path) -> Result<Self, PathError> {
        let dir = state.join("trash");
        make_private(&dir)?;
        Ok(Self {
            dir,
            bytes_max: BYTES_MAX,
        })
    }

    /// Keeps a version and names it. The same one of the same moment is kept once.
    pub(crate) fn keep(&self, trashed: &Trashed) -> Result<String, PathError> {
        let text = serde_json::to_vec(trashed).expect("BUG: what is kept is plain values");
        let at = trashed.at.as_millisecond();
        let name = Print::of([trashed.payload.name.as_bytes()]).short();
        let mut id = format!("{at:013}-{name}-{}", Print::of([&*text]).short());
        if trashed.from_container {
            id += FROM_CONTAINER;
        }
        write_atomic(self.path(&id), &text)?;
        self.limit(&name, &id)?;
        self.limit_bytes(&id)?;
        Ok(id)
    }

    /// Brings a version back to light; none when there is none of that name.
    pub(crate) fn read(&self, id: &str) -> Result<Option<Trashed>, PathError> {
        if !is_id(id) {
            return Ok(None);
        }
        let path = self.path(id);
        match fs::read(&path) {
            Ok(text) => serde_json::from_slice(&text).map(Some).at(&path),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).at(&path),
        }
    }

    /// All that can be read, the last first.
    pub(crate) fn list(&self) -> Result<Vec<(String, Trashed)>, PathError> {
        let mut ids = self.ids()?;
        ids.sort_by(|a, b| b.cmp(a));
        let read = |id: String| self.read(&id).ok().flatten().map(|trashed| (id, trashed));
        Ok(ids.into_iter().filter_map(read).collect())
    }

    /// Lets go of versions of a context, so that there are not too many.
    fn limit(&self, name: &str, newest: &str) -> Result<(), PathError> {
        let mut ids = self.going(newest)?;
        ids.retain(|id| id.split('-').nth(1) == Some(name));
        let over = (ids.len() + 1).saturating_sub(VERSIONS_MAX);
        ids[..over].iter().try_for_each(|id| self.remove(id))
    }

    /// The same of all contexts together.
    fn limit_bytes(&self, newest: &str) -> Result<(), PathError> {
        let weigh = |id: &str| -> Result<u64, PathError> {
            let path = self.path(id);
            Ok(path.metadata().at(&path)?.len())
        };
        let mut bytes = weigh(newest)?;
        let mut going = Vec::new();
        for id in self.going(newest)? {
            let size = weigh(&id)?;
            bytes += size;
            going.push((id, size));
        }
        for (id, size) in going {
            if bytes <= self.bytes_max {
                break;
            }
            self.remove(&id)?;
            bytes -= size;
        }
        Ok(())
    }

    /// All in the order in which they go: what containers wrote before what a person did, the oldest of each first. The
    /// newest stays, however large it is.
    fn going(&self, newest: &str) -> Result<Vec<String>, PathError> {
        let mut ids = self.ids()?;
        ids.retain(|id| id != newest);
        ids.sort_by_cached_key(|id| (!id.ends_with(FROM_CONTAINER), id.clone()));
        Ok(ids)
    }

    fn remove(&self, id: &str) -> Result<(), PathError> {
        let path = self.path(id);
        fs::remove_file(&path).at(&path)
    }

    /// Lets go of what has been here for long enough.
    pub(crate) fn prune(&self, now: Timestamp) -> Result<(), PathError> {
        let oldest = (now - KEPT).as_millisecond();
        for id in self.ids()? {
            let at = id
                .split_once('-')
                .and_then(|(at, _)| at.parse::<i64>().ok());
            if at.is_some_and(|at| at < oldest) {
                self.remove(&id)?;
            }
        }
        Ok(())
    }

    fn ids(&self) -> Result<Vec<String>, PathError> {
        let mut ids = Vec::new();
        for entry in self.dir.read_dir().at(&self.dir)? {
            let name = entry.at(&self.dir)?.file_name();
            let id = name.to_str().and_then(|name| name.strip_suffix(".json"));
            ids.extend(id.filter(|id| is_id(id)).map(str::to_owned));
        }
        Ok(ids)
    }

    fn path(&self, id: &str) -> PathBuf {
        self.dir.join(format!("{id}.json"))
    }
}

fn is_id(id: &str) -> bool {
    id.starts_with(|c: char| c.is_ascii_digit())
        && id.chars().all(|c| c.is_ascii_hexdigit() || c == '-')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::payload::Bytes;

    #[test]
    fn the_oldest_go_when_there_is_too_much_of_all() {
        let state = tempfile::tempdir().unwrap();
        let mut trash = Trash::open(state.path()).unwrap();
        trash.bytes_max = 5000;
        for number in 0..10_i64 {
            let trashed = Trashed {
                at: Timestamp::from_second(number).unwrap(),
                side: Side::Container,
                reason: String::new(),
                from_container: false,
                payload: Payload {
                    name: format!("n{number}"),
                    meta: Bytes(vec![b'x'; 1000]),
                    tls: Vec::new(),
                },
            };
            trash.keep(&trashed).unwrap();
        }
        let kept = trash.list().unwrap();
        let names: Vec<&str> = kept
            .iter()
            .map(|(_, one)| one.payload.name.as_str())
            .collect();
        assert_eq!(names, ["n9", "n8", "n7"]);
        trash.bytes_max = 0;
        let (_, newest) = kept[0].clone();
        let at = Timestamp::from_second(99).unwrap();
        trash.keep(&Trashed { at, ..newest }).unwrap();
        assert_eq!(trash.list().unwrap().len(), 1);
    }

    #[test]
    fn no_container_crowds_out_what_a_person_wrote() {
        let state = tempfile::tempdir().unwrap();
        let mut trash = Trash::open(state.path()).unwrap();
        let version = |number: i64, from_container| Trashed {
            at: Timestamp::from_second(number).unwrap(),
            side: Side::Host,
            reason: String::new(),
            from_container,
            payload: Payload {
                name: "ab".into(),
                meta: Bytes(vec![b'x'; 100]),
                tls: Vec::new(),
            },
        };
        let own = trash.keep(&version(0, false)).unwrap();
        for number in 1..100 {
            trash.keep(&version(number, true)).unwrap();
        }
        let kept = trash.list().unwrap();
        assert_eq!(kept.len(), VERSIONS_MAX);
        assert_eq!(kept[0].1.at, Timestamp::from_second(99).unwrap());
        assert_eq!(kept.last().map(|(id, _)| id), Some(&own));
        // Nor with large ones.
        trash.bytes_max = 1000;
        trash.keep(&version(100, true)).unwrap();
        assert!(trash.list().unwrap().len() < 5);
        assert!(trash.read(&own).unwrap().is_some());
    }

    #[test]
    fn what_is_kept_is_found_until_a_month_has_passed() {
        let state = tempfile::tempdir().unwrap();
        let trash = Trash::open(state.path()).unwrap();
        let at: Timestamp = "2026-03-01T00:00:00Z".parse().unwrap();
        let payload = Payload {
            name: "ab".into(),
            meta: Bytes(b"{}".to_vec()),
            tls: Vec::new(),
        };
        let trashed = Trashed {
            at,
            side: Side::Host,
            reason: "deleted".into(),
            from_container: false,
            payload: payload.clone(),
        };
        let id = trash.keep(&trashed).unwrap();
        let again = trash.keep(&trashed).unwrap();
        assert_eq!(id, again);
        trash
            .prune(at + SignedDuration::from_hours(29 * 24))
            .unwrap();
        assert_eq!(trash.list().unwrap()[0].0, id);
        assert_eq!(trash.read(&id).unwrap().unwrap().payload, payload);
        trash
            .prune(at + SignedDuration::from_hours(31 * 24))
            .unwrap();
        assert!(trash.list().unwrap().is_empty());
        for id in [id.as_str(), "../archive/x", "", "1/2"] {
            assert!(trash.read(id).unwrap().is_none(), "{id}");
        }
        // Another one stays, however often this one is changed.
        let other = Payload {
            name: "cd".into(),
            ..payload
        };
        let other = trash
            .keep(&Trashed {
                payload: other,
                ..trashed.clone()
            })
            .unwrap();
        for second in 0..40 {
            let at = at + SignedDuration::from_secs(second);
            trash
                .keep(&Trashed {
                    at,
                    ..trashed.clone()
                })
                .unwrap();
        }
        assert_eq!(trash.list().unwrap().len(), VERSIONS_MAX + 1);
        assert!(trash.read(&other).unwrap().is_some());
    }
}
