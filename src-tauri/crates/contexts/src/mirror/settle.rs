//! When a store has come to rest: the CLI writes a context in several steps, and locks nothing.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::Side;
use crate::inventory::{Found, Inventory};
use crate::payload::{Payload, Print};

/// Nothing has happened for so long.
const QUIET: Duration = Duration::from_millis(250);
/// Somebody who never rests is looked at all the same.
const PATIENCE: Duration = Duration::from_secs(2);
/// An update of the CLI takes a context's TLS files away and writes them anew.
const SHRUNK: Duration = Duration::from_secs(3);

/// Hints that come close together. Times are those of one clock that only goes forward.
#[derive(Clone, Copy, Debug, Default)]
pub struct Burst {
    /// Of the first and the last hint.
    hints: Option<(Duration, Duration)>,
}

impl Burst {
    /// Something may have changed.
    pub fn hint(&mut self, now: Duration) {
        let first = self.hints.map_or(now, |(first, _)| first);
        self.hints = Some((first, now));
    }

    /// When to look; never without a hint.
    #[must_use]
    pub fn due(&self) -> Option<Duration> {
        self.hints
            .map(|(first, last)| (last + QUIET).min(first + PATIENCE))
    }

    /// It is being looked at.
    pub fn clear(&mut self) {
        self.hints = None;
    }
}

/// Contexts whose TLS files were fewer at the last look than both sides had agreed on.
#[derive(Debug, Default)]
pub(crate) struct Shrunk {
    since: BTreeMap<(Side, String), (Print, Duration)>,
}

impl Shrunk {
    /// Names that have to wait, and until when.
    pub(crate) fn look<'a>(
        &mut self,
        side: Side,
        inventory: &Inventory,
        agreed: impl Fn(&str) -> Option<&'a Payload>,
        now: Duration,
    ) -> BTreeMap<String, Duration> {
        let shrunk = |found: &&Arc<Found>| {
            let before = agreed(&found.terms.name).map_or(0, |payload| payload.tls.len());
            found.terms.is_tcp() && found.payload.tls.len() < before
        };
        let all: BTreeMap<_, _> = inventory
            .contexts
            .values()
            .filter(shrunk)
            .map(|found| (found.terms.name.clone(), found.print))
            .collect();
        self.since
            .retain(|(of, name), (print, _)| *of != side || all.get(name) == Some(print));
        let mut waiting = BTreeMap::new();
        for (name, print) in all {
            let key = (side, name.clone());
            let (_, since) = self.since.entry(key).or_insert((print, now));
            let due = *since + SHRUNK;
            if due > now {
                waiting.insert(name, due);
            }
        }
        waiting
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::payload::{Bytes, Terms, TlsFile};

    const fn ms(time: u64) -> Duration {
        Duration::from_millis(time)
    }

    #[test]
    fn a_burst_is_over_when_it_is_quiet_or_has_gone_on_for_long() {
        let mut burst = Burst::default();
        assert_eq!(burst.due(), None);
        burst.hint(ms(100));
        assert_eq!(burst.due(), Some(ms(350)));
        burst.hint(ms(300));
        assert_eq!(burst.due(), Some(ms(550)));
        for time in (300..4000).step_by(100) {
            burst.hint(ms(time));
        }
        assert_eq!(burst.due(), Some(ms(2100)));
        burst.clear();
        assert_eq!(burst.due(), None);
    }

    fn found(host: &str, files: &[&str]) -> Found {
        let meta = format!(r#"{{"Name":"ab","Endpoints":{{"docker":{{"Host":"{host}"}}}}}}"#);
        let tls = files.iter().map(|file| TlsFile {
            endpoint: "docker".into(),
            file: (*file).into(),
            bytes: Bytes(b"x".to_vec()),
        });
        let payload = Payload {
            name: "ab".into(),
            tls: tls.collect(),
            meta: Bytes(meta.clone().into()),
        };
        let terms = Terms::read(meta.as_bytes()).expect("a context");
        Found {
            print: payload.print(),
            reach: terms.reach(&payload),
            has_open_key: false,
            payload,
            terms,
        }
    }

    fn inventory(found: Found) -> Inventory {
        Inventory {
            contexts: [("ab".to_owned(), Arc::new(found))].into(),
            ..Inventory::default()
        }
    }

    #[test]
    fn a_tcp_context_that_lost_tls_files_is_waited_for() {
        let whole = found("tcp://h:1", &["ca.pem", "cert.pem", "key.pem"]).payload;
        let torn = inventory(found("tcp://h:1", &["ca.pem"]));
        let mut shrunk = Shrunk::default();
        let mut look = |inventory: &Inventory, now| {
            let waiting = shrunk.look(Side::Host, inventory, |_| Some(&whole), now);
            waiting.get("ab").copied()
        };
        assert_eq!(look(&torn, ms(1000)), Some(ms(4000)));
        assert_eq!(look(&torn, ms(3999)), Some(ms(4000)));
        assert_eq!(look(&torn, ms(4000)), None, "it stayed so: it is meant");
        // Another state begins anew, as does one that was whole in between.
        let other = inventory(found("tcp://h:1", &["ca.pem", "cert.pem"]));
        assert_eq!(look(&other, ms(4100)), Some(ms(7100)));
        let back = inventory(found("tcp://h:1", &["ca.pem", "cert.pem", "key.pem"]));
        assert_eq!(look(&back, ms(4200)), None);
        assert_eq!(look(&other, ms(8000)), Some(ms(11000)));
        // A socket needs no TLS.
        let socket = inventory(found("unix:///s", &[]));
        assert_eq!(look(&socket, ms(8100)), None);
    }
}
