//! Which side's changes go where.

use std::fmt;
use std::str::FromStr;

/// What a link does with changes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Mode {
    /// Changes go both ways; what both changed is a conflict.
    #[default]
    TwoWaySafe,
    /// Changes go both ways; where both changed, the host's stays and the container's goes to the trash.
    TwoWayHostWins,
    /// Changes go both ways; where both changed, the container's stays and the host's goes to the trash.
    TwoWayContainerWins,
    /// The host's changes go to the container; what the container changed itself stays as it is.
    OneWaySafe,
    /// The container is made like the host, whatever it holds; what goes is kept in the trash.
    OneWayReplica,
}

/// No mode has this name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{name}` is no sync mode; there are {}", Mode::ALL.map(Mode::name).join(", "))]
pub struct UnknownMode {
    name: String,
}

impl Mode {
    /// All of them, the usual one first.
    pub const ALL: [Self; 5] = [
        Self::TwoWaySafe,
        Self::TwoWayHostWins,
        Self::TwoWayContainerWins,
        Self::OneWaySafe,
        Self::OneWayReplica,
    ];

    /// Its name in settings and on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::TwoWaySafe => "two-way-safe",
            Self::TwoWayHostWins => "two-way-host-wins",
            Self::TwoWayContainerWins => "two-way-container-wins",
            Self::OneWaySafe => "one-way-safe",
            Self::OneWayReplica => "one-way-replica",
        }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Mode {
    type Err = UnknownMode;

    fn from_str(name: &str) -> Result<Self, UnknownMode> {
        let mode = Self::ALL.into_iter().find(|mode| mode.name() == name);
        mode.ok_or_else(|| UnknownMode {
            name: name.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modes_are_known_by_their_names() {
        for mode in Mode::ALL {
            assert_eq!(mode.to_string().parse(), Ok(mode));
        }
        let error = "mirror".parse::<Mode>().unwrap_err().to_string();
        assert!(
            error.contains("`mirror`") && error.contains("one-way-replica"),
            "{error}"
        );
    }
}
