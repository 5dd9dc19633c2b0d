//! The core's end of a direct line: a socket in the session's status directory, for as long as one handshake takes.
//!
//! Where engine and core share a kernel, the container reaches that socket through its mount. Everywhere else nobody
//! calls, and the wire stays on the exec's stdio.

use std::path::Path;

use mizzen_docker::Endpoint;
use mizzen_wire::DirectLine;

use crate::folder::FolderUser;

#[cfg(target_os = "linux")]
#[path = "direct_line/linux.rs"]
mod system;
#[cfg(not(target_os = "linux"))]
#[path = "direct_line/elsewhere.rs"]
mod system;

/// An offer to a container of this engine, when its kernel may be ours.
pub(crate) fn offer(endpoint: &Endpoint, status: &Path, user: FolderUser) -> Option<DirectLine> {
    if !matches!(endpoint, Endpoint::Unix(_)) {
        return None;
    }
    system::listen(status, user)
        .inspect_err(
            |error| tracing::debug!(%error, status = %status.display(), "no direct line to offer"),
        )
        .ok()
}

#[cfg(target_os = "linux")]
#[cfg(test)]
mod tests;
