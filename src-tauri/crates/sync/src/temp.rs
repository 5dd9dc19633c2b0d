//! Names of what is no entry yet, or not any more.

use mizzen_sync_core::Name;

/// No entry has such a name: looks pass over it.
const PREFIX: &str = ".mizzen-tmp-";

/// What stands under such a name, beside the place that it is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Temp {
    /// Tells the cycles of all links apart.
    pub(crate) token: u64,
    /// The number of the change.
    pub(crate) change: usize,
    pub(crate) part: Part,
}

/// What of a change it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// What is to take the place or, after the exchange, what stood there.
    New,
    /// What stood there and goes.
    Old,
    /// An entry, by its position, of a directory that goes bit by bit.
    OldChild(usize),
}

/// Whether a name is none of an entry.
pub(crate) fn is_one(name: &Name) -> bool {
    name.as_bytes().starts_with(PREFIX.as_bytes())
}

impl Temp {
    pub(crate) fn name(self) -> Vec<u8> {
        let Self {
            token,
            change,
            part,
        } = self;
        let name = match part {
            Part::New => format!("{PREFIX}{token:016x}-{change}"),
            Part::Old => format!("{PREFIX}{token:016x}-{change}-old"),
            Part::OldChild(position) => format!("{PREFIX}{token:016x}-{change}-{position}"),
        };
        name.into_bytes()
    }

    /// What a name says, if it is one of these.
    pub(crate) fn parse(name: &Name) -> Option<Self> {
        let name = std::str::from_utf8(name.as_bytes()).ok()?;
        let mut words = name.strip_prefix(PREFIX)?.split('-');
        let token = u64::from_str_radix(words.next()?, 16).ok()?;
        let change = words.next()?.parse().ok()?;
        let part = match words.next() {
            None => Part::New,
            Some("old") => Part::Old,
            Some(position) => Part::OldChild(position.parse().ok()?),
        };
        let temp = Self {
            token,
            change,
            part,
        };
        (temp.name() == name.as_bytes()).then_some(temp)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_say_what_they_are() {
        let name = |bytes: &[u8]| Name::new(bytes).unwrap();
        for part in [Part::New, Part::Old, Part::OldChild(0), Part::OldChild(17)] {
            let temp = Temp {
                token: 0xabc,
                change: 3,
                part,
            };
            let named = name(&temp.name());
            assert!(is_one(&named));
            assert_eq!(Temp::parse(&named), Some(temp));
        }
        for other in [
            &b".mizzen-tmp-"[..],
            b".mizzen-tmp-xyz-1",
            b".mizzen-tmp-0000000000000abc-1-2-3",
            b".mizzen-tmp-abc-1",
            b".mizzen-tmp-0000000000000abc-+1",
            b".mizzen-tmp-\xff",
        ] {
            assert!(is_one(&name(other)));
            assert_eq!(Temp::parse(&name(other)), None, "{}", other.escape_ascii());
        }
        assert!(!is_one(&name(b".mizzen")));
    }
}
