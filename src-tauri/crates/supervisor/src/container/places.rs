//! Where things are in a container, and whether they can be used.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use rustix::fs::{Access, access};

pub(crate) const WORKSPACE: &str = "/workspace";

/// Private directories for sockets, best first. The first is a tmpfs that the core mounts.
pub(crate) const RUNTIME: [&str; 2] = ["/run/mizzen", "/tmp/mizzen"];

/// Where the core mounts the session's status directory, or has it made where nothing can be mounted.
const STATUS: &str = "/para/status";
/// The directory that a project's sessions share.
pub(crate) const SHARED: &str = "/para/shared";

/// The directory for sockets: ours alone, made when it is missing.
pub(crate) fn runtime_dir(uid: u32) -> Option<PathBuf> {
    RUNTIME
        .iter()
        .map(PathBuf::from)
        .find(|dir| is_private(dir, uid).unwrap_or(false))
}

/// code-server's socket.
pub(crate) fn code_server_socket(runtime: &Path) -> PathBuf {
    runtime.join("code-server.sock")
}

/// Makes the status directory appear where other agents write, where no mount does.
pub(crate) fn link_status() -> io::Result<()> {
    let Ok(session) = std::env::var("PARA_SESSION_NAME") else {
        return Ok(());
    };
    link_below(
        Path::new(WORKSPACE),
        &session,
        [STATUS, SHARED].map(Path::new),
    )
}

fn link_below(workspace: &Path, session: &str, [status, shared]: [&Path; 2]) -> io::Result<()> {
    let below = workspace.join(".para/state/docker");
    if !status.is_dir() || below.join(session).exists() {
        return Ok(());
    }
    fs::create_dir_all(&below)?;
    for (from, to) in [
        (below.join(session), status),
        (below.join("shared"), shared),
    ] {
        match symlink(to, from) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

/// The status directory: the mount, or the place below the workspace where other agents write.
pub(crate) fn status_dir() -> Option<PathBuf> {
    let session = std::env::var("PARA_SESSION_NAME").ok();
    let below = session.map(|name| Path::new(WORKSPACE).join(".para/state/docker").join(name));
    std::iter::once(PathBuf::from(STATUS))
        .chain(below)
        .find(|dir| dir.is_dir())
}

/// Why nobody can work in a workspace, in words; none when one can.
pub(crate) fn workspace_problem(workspace: &Path) -> Option<String> {
    let path = workspace.display();
    match fs::metadata(workspace) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Some(format!("{path} does not exist"))
        }
        Err(error) => Some(format!("{path} cannot be looked at: {error}")),
        Ok(found) if !found.is_dir() => Some(format!("{path} is not a directory")),
        Ok(found) => match access(
            workspace,
            Access::READ_OK | Access::WRITE_OK | Access::EXEC_OK,
        ) {
            Ok(()) => None,
            Err(error) => Some(format!(
                "{path} cannot be written: {} (it belongs to {}:{}, mode {:o})",
                io::Error::from(error),
                found.uid(),
                found.gid(),
                found.permissions().mode() & 0o7777
            )),
        },
    }
}

/// Where commands start: the workspace, or the root when it is missing or closed to us.
pub(crate) fn start_dir() -> &'static Path {
    let workspace = Path::new(WORKSPACE);
    let enters = workspace.is_dir() && access(workspace, Access::EXEC_OK).is_ok();
    if enters { workspace } else { Path::new("/") }
}

/// A program on `PATH`, or at a path.
pub(crate) fn find_program(name: &str) -> Option<PathBuf> {
    let runs = |path: &PathBuf| path.is_file() && access(path, Access::EXEC_OK).is_ok();
    if name.contains('/') {
        return Some(PathBuf::from(name)).filter(runs);
    }
    let paths = std::env::var_os("PATH").unwrap_or_else(|| "/usr/local/bin:/usr/bin:/bin".into());
    std::env::split_paths(&paths)
        .map(|dir| dir.join(name))
        .find(runs)
}

/// Whether a directory is ours and closed to others. A link, or what somebody else put there
/// first, is not.
fn is_private(dir: &Path, uid: u32) -> io::Result<bool> {
    match DirBuilder::new().mode(0o700).create(dir) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    let found = fs::symlink_metadata(dir)?;
    if !found.is_dir() || found.uid() != uid {
        return Ok(false);
    }
    fs::set_permissions(dir, fs::Permissions::from_mode(0o700))?;
    Ok(access(dir, Access::WRITE_OK | Access::EXEC_OK).is_ok())
}

#[cfg(test)]
mod tests {
    use super::{fs, is_private, link_below, symlink, workspace_problem};

    #[test]
    fn a_private_directory_is_made_and_closed_to_others() {
        use super::{MetadataExt, PermissionsExt};
        let root = tempfile::tempdir().unwrap();
        let me = fs::metadata(root.path()).unwrap().uid();
        let dir = root.path().join("mizzen");
        assert!(is_private(&dir, me).unwrap());
        fs::set_permissions(&dir, fs::Permissions::from_mode(0o777)).unwrap();
        assert!(is_private(&dir, me).unwrap());
        assert_eq!(
            fs::metadata(&dir).unwrap().permissions().mode() & 0o777,
            0o700
        );
        assert!(
            !is_private(&dir, me + 1).unwrap(),
            "somebody else's is not ours"
        );
        symlink(&dir, root.path().join("link")).unwrap();
        assert!(!is_private(&root.path().join("link"), me).unwrap());
        assert!(is_private(&root.path().join("no/where"), me).is_err());
    }

    #[test]
    fn the_status_directory_appears_where_other_agents_write() {
        let root = tempfile::tempdir().unwrap();
        let (status, shared) = (root.path().join("status"), root.path().join("shared"));
        let workspace = root.path().join("workspace");
        let link = || link_below(&workspace, "web", [&status, &shared]);
        link().unwrap();
        assert!(!workspace.exists(), "nothing to show");
        fs::create_dir(&status).unwrap();
        for _ in 0..2 {
            link().unwrap();
            let shown = workspace.join(".para/state/docker/web");
            assert_eq!(fs::read_link(shown).unwrap(), status);
        }
        // A mount stands there already.
        fs::create_dir_all(workspace.join(".para/state/docker/api")).unwrap();
        link_below(&workspace, "api", [&status, &shared]).unwrap();
        assert!(fs::read_link(workspace.join(".para/state/docker/api")).is_err());
    }

    #[test]
    fn a_workspace_that_is_none_is_explained() {
        let root = tempfile::tempdir().unwrap();
        assert_eq!(workspace_problem(root.path()), None);
        let missing = workspace_problem(&root.path().join("gone")).unwrap();
        assert!(missing.ends_with("gone does not exist"), "{missing}");
        let file = root.path().join("file");
        fs::File::create(&file).unwrap();
        assert!(
            workspace_problem(&file)
                .unwrap()
                .ends_with("is not a directory")
        );
    }
}
