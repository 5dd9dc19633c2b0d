//! What is put into a container between its making and its start: users, a home, the supervisor.
//!
//! One tar, unpacked by the engine with the owners it names, also into volumes. Nothing here touches the world.

use bytes::Bytes;
use mizzen_docker::{TarBuilder, TarError};

use crate::folder::FolderUser;

/// Where the supervisor lives in every container.
pub(crate) const SUPERVISOR_PATH: &str = "/usr/local/bin/mizzen-supervisor";
/// Home directory of `coder`.
pub(crate) const HOME: &str = "/home/coder";
/// Name of the user that everything in a container runs as.
pub(crate) const USER: &str = "coder";

/// code-server's settings for a home that has none.
const EDITOR_SETTINGS: &[u8] = include_bytes!("../../../../images/session/settings.json");
const EDITOR_SETTINGS_PATH: &str = "home/coder/.local/share/code-server/User/settings.json";

/// Directories of the home, parents first: unpacking gives each its owner, also the roots of volumes.
const HOME_DIRS: [&str; 9] = [
    "home/coder",
    "home/coder/.cache",
    "home/coder/.config",
    "home/coder/.config/claude",
    "home/coder/.local",
    "home/coder/.local/bin",
    "home/coder/.local/share",
    "home/coder/.local/share/code-server",
    "home/coder/.local/share/code-server/User",
];

/// The container's own status directory, where it cannot be mounted.
const STATUS_DIRS: [&str; 2] = ["para/status", "para/status/logs"];
/// The one that a project's containers share, which is for them to read.
const SHARED_DIR: &str = "para/shared";
const REGISTRY_PATH: &str = "para/shared/registry.json";
const LEDGER_PATH: &str = "para/status/logs/commands.jsonl";

/// An image's users and groups; each is empty when it has none.
#[derive(Default)]
pub(crate) struct UserTables {
    /// Its `/etc/passwd`.
    pub(crate) passwd: String,
    /// Its `/etc/group`.
    pub(crate) group: String,
}

/// What a container needs before it starts.
pub(crate) struct Provision<'a> {
    /// Who `coder` is.
    pub(crate) user: FolderUser,
    /// Who lives in the image.
    pub(crate) tables: &'a UserTables,
    /// Whether the workspace is a volume, whose root the engine makes its own.
    pub(crate) owns_workspace: bool,
    /// Whether the home's volumes are new, so that default settings hurt nobody.
    pub(crate) fresh_home: bool,
    /// Where nothing of the host is mounted: the list of commands that were carried out before, empty at first.
    pub(crate) carried: Option<Vec<u8>>,
    /// The supervisor, when the image has not ours.
    pub(crate) supervisor: Option<&'a [u8]>,
}

/// The owner of what a session's user may read and not write.
const ROOT: (u32, u32) = (0, 0);

/// The list of a project's containers, as a tar to unpack at `/` of one that runs already.
pub(crate) fn shared(list: &[u8]) -> Bytes {
    let mut tar = TarBuilder::new();
    tar.dir(SHARED_DIR, 0o755, ROOT)
        .and_then(|()| tar.file(REGISTRY_PATH, 0o644, ROOT, list))
        .expect("BUG: short fixed paths fit into an archive");
    tar.finish()
}

/// Makes the tar to unpack at `/`.
pub(crate) fn tar(provision: &Provision<'_>) -> Result<Bytes, TarError> {
    let ours = (provision.user.uid, provision.user.gid);
    let mut tar = TarBuilder::new();
    let passwd = passwd_with_coder(&provision.tables.passwd, provision.user);
    tar.file("etc/passwd", 0o644, ROOT, passwd.as_bytes())?;
    let group = group_with_coder(&provision.tables.group, provision.user);
    tar.file("etc/group", 0o644, ROOT, group.as_bytes())?;
    for dir in HOME_DIRS {
        tar.dir(dir, 0o755, ours)?;
    }
    if provision.owns_workspace {
        tar.dir("workspace", 0o755, ours)?;
    }
    if let Some(ledger) = &provision.carried {
        tar.dir("para", 0o755, ROOT)?;
        for dir in STATUS_DIRS {
            tar.dir(dir, 0o755, ours)?;
        }
        tar.dir(SHARED_DIR, 0o755, ROOT)?;
        tar.file(LEDGER_PATH, 0o644, ours, ledger)?;
    }
    if provision.fresh_home {
        tar.file(EDITOR_SETTINGS_PATH, 0o644, ours, EDITOR_SETTINGS)?;
    }
    if let Some(bytes) = provision.supervisor {
        tar.file(SUPERVISOR_PATH, 0o755, ROOT, bytes)?;
    }
    Ok(tar.finish())
}

/// The image's users with `coder` mapped to the folder's owner.
///
/// Whoever had that name or number goes: a file's owner must read as `coder` in a listing.
fn passwd_with_coder(image: &str, user: FolderUser) -> String {
    let FolderUser { uid, gid } = user;
    let shell = field_of(image, USER, 6)
        .or_else(|| field_of(image, "root", 6))
        .unwrap_or("/bin/sh");
    let coder = format!("{USER}:x:{uid}:{gid}:{USER}:{HOME}:{shell}");
    let base = if image.trim().is_empty() {
        "root:x:0:0:root:/root:/bin/sh"
    } else {
        image
    };
    replaced(base, uid, &coder)
}

/// The image's groups with `coder` mapped to the folder's group.
fn group_with_coder(image: &str, user: FolderUser) -> String {
    let coder = format!("{USER}:x:{}:", user.gid);
    let base = if image.trim().is_empty() {
        "root:x:0:"
    } else {
        image
    };
    replaced(base, user.gid, &coder)
}

fn field_of<'a>(table: &'a str, name: &str, field: usize) -> Option<&'a str> {
    let row = table
        .lines()
        .find(|line| line.split(':').next() == Some(name))?;
    row.split(':')
        .nth(field)
        .filter(|text| text.starts_with('/'))
}

fn replaced(table: &str, id: u32, coder: &str) -> String {
    let id = id.to_string();
    let is_other = |line: &&str| {
        let mut fields = line.split(':');
        fields.next() != Some(USER) && fields.nth(1) != Some(id.as_str())
    };
    let mut lines: Vec<&str> = table
        .lines()
        .filter(|line| !line.trim().is_empty())
        .filter(is_other)
        .collect();
    lines.push(coder);
    lines.join("\n") + "\n"
}

#[cfg(test)]
mod tests;
