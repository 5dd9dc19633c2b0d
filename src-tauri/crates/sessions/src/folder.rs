//! The project folder: whether it may be a workspace, and whose it is.

use std::io;
use std::path::{Path, PathBuf};

use crate::error::{ErrorKind, SessionError};
use crate::machine::Phase;

/// A folder that may be a workspace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Folder {
    /// Absolute, without links.
    pub(crate) path: PathBuf,
    /// Whose it is, and so who `coder` is; never root.
    pub(crate) user: FolderUser,
}

/// Whom a folder belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct FolderUser {
    pub(crate) uid: u32,
    pub(crate) gid: u32,
}

/// Folders that no container may see as its workspace.
pub(crate) struct OffLimits<'a> {
    pub(crate) home: Option<&'a Path>,
    pub(crate) state_dir: &'a Path,
}

/// Looks at a folder and refuses what cannot or must not be a workspace.
pub(crate) fn inspect(dir: &Path, off_limits: &OffLimits<'_>) -> Result<Folder, SessionError> {
    let shown = dir.display();
    if !dir.is_absolute() {
        let message = format!("The project folder must be an absolute path, and `{shown}` is not.");
        return Err(refuse(ErrorKind::Usage, message, "Give its full path."));
    }
    let path = dir
        .canonicalize()
        .map_err(|error| unreadable(dir, &error))?;
    let meta = path.metadata().map_err(|error| unreadable(dir, &error))?;
    if !meta.is_dir() {
        return Err(refuse(
            ErrorKind::Usage,
            format!("`{shown}` is not a folder."),
            "Give the project's folder.",
        ));
    }
    if path.to_str().is_none() {
        let hint = "Rename the folder.";
        return Err(refuse(
            ErrorKind::Usage,
            format!("The path of `{shown}` is not valid UTF-8."),
            hint,
        ));
    }
    refuse_off_limits(&path, off_limits)?;
    std::fs::read_dir(&path).map_err(|error| unreadable(dir, &error))?;
    let user = system::owner(&path, &meta)?;
    Ok(Folder { path, user })
}

/// A container that saw the home directory or Mizzen's own state would see every secret of its person.
fn refuse_off_limits(path: &Path, off_limits: &OffLimits<'_>) -> Result<(), SessionError> {
    let policy = |message: String| {
        Err(refuse(
            ErrorKind::Policy,
            message,
            "Give a project folder of its own.",
        ))
    };
    let shown = path.display();
    if path.parent().is_none() {
        return policy(format!(
            "`{shown}` is the root of a file system, which no session may see."
        ));
    }
    let same = |other: &Path| other.canonicalize().unwrap_or_else(|_| other.to_owned());
    if off_limits
        .home
        .map(same)
        .is_some_and(|home| home.starts_with(path))
    {
        return policy(format!(
            "`{shown}` is or holds your home directory, which no session may see."
        ));
    }
    let state = same(off_limits.state_dir);
    if state.starts_with(path) || path.starts_with(&state) {
        return policy(format!(
            "`{shown}` overlaps Mizzen's own state, which no session may see."
        ));
    }
    Ok(())
}

fn unreadable(dir: &Path, error: &io::Error) -> SessionError {
    let shown = dir.display();
    match error.kind() {
        io::ErrorKind::NotFound => refuse(
            ErrorKind::Usage,
            format!("There is no folder `{shown}`."),
            "Check the path, or make the folder first.",
        ),
        io::ErrorKind::PermissionDenied => refuse(
            ErrorKind::Policy,
            format!("The folder `{shown}` cannot be read by you."),
            "Change its permissions, or choose another folder.",
        ),
        _ => refuse(
            ErrorKind::Failed,
            format!("The folder `{shown}` cannot be read: {error}."),
            "Check the disk.",
        ),
    }
}

fn refuse(kind: ErrorKind, message: String, hint: impl Into<String>) -> SessionError {
    SessionError::new(kind, message, hint).in_phase(Phase::Check)
}

#[cfg(target_os = "linux")]
mod system {
    use std::fs::Metadata;
    use std::os::unix::fs::MetadataExt;
    use std::path::Path;

    use super::{FolderUser, refuse};
    use crate::error::{ErrorKind, SessionError};

    /// Read, write and enter, for the owner.
    const OWNER_ALL: u32 = 0o700;

    pub(super) fn owner(path: &Path, meta: &Metadata) -> Result<FolderUser, SessionError> {
        let shown = path.display();
        let (uid, gid) = (meta.uid(), meta.gid());
        if uid == 0 || gid == 0 {
            let who = if uid == 0 { "root" } else { "the group root" };
            let message = format!("`{shown}` belongs to {who}, and a session never runs as root.");
            return Err(refuse(
                ErrorKind::Policy,
                message,
                format!("Give it to a user: chown -R 1000:1000 {shown}"),
            ));
        }
        if meta.mode() & OWNER_ALL != OWNER_ALL {
            let message = format!("The owner of `{shown}` (uid {uid}) may not read and write it.");
            return Err(refuse(
                ErrorKind::Policy,
                message,
                format!("Allow it: chmod u+rwx {shown}"),
            ));
        }
        Ok(FolderUser { uid, gid })
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    use std::fs::Metadata;
    use std::path::Path;

    use super::FolderUser;
    use crate::error::SessionError;

    /// The virtual machine of Docker Desktop maps every user of the container to the person who runs it.
    pub(super) fn owner(_path: &Path, _meta: &Metadata) -> Result<FolderUser, SessionError> {
        Ok(FolderUser {
            uid: 1000,
            gid: 1000,
        })
    }
}

#[cfg(target_os = "linux")]
#[cfg(test)]
mod tests;
