//! What programs in the container add to its report: a line of JSON to the supervisor that runs, over a socket that only
//! its user can reach.

mod socket;
mod verb;
mod words;

use std::path::{Path, PathBuf};

use super::places;

pub(crate) use socket::serve;
pub(crate) use verb::tell;

/// Where the socket may be, best first: in the supervisor's private directory, or in an image that has no place for one,
/// hidden beside the report itself.
fn sockets(private: &[impl AsRef<Path>]) -> Vec<PathBuf> {
    let private = private.iter().map(|dir| dir.as_ref().join("report.sock"));
    let beside = places::status_dir().map(|dir| dir.join(".report.sock"));
    private.chain(beside).collect()
}
