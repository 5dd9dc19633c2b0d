//! What is put into a container between its making and its start: users, a home, the supervisor.
//!
//! One tar, unpacked by the engine with the owners it names, also into volumes. Nothing here touches the world.

use std::io;

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

/// What a container needs before it starts.
pub(crate) struct Provision<'a> {
    /// Who `coder` is.
    pub(crate) user: FolderUser,
    /// The image's `/etc/passwd`; empty when it has none.
    pub(crate) passwd: &'a str,
    /// The image's `/etc/group`; empty when it has none.
    pub(crate) group: &'a str,
    /// Whether the home's volumes are new, so that default settings hurt nobody.
    pub(crate) fresh_home: bool,
    /// The supervisor, when the image has not ours.
    pub(crate) supervisor: Option<&'a [u8]>,
}

/// Makes the tar to unpack at `/`.
pub(crate) fn tar(provision: &Provision<'_>) -> io::Result<Vec<u8>> {
    let ours = provision.user;
    let root = FolderUser { uid: 0, gid: 0 };
    let mut tar = tar::Builder::new(Vec::new());
    let passwd = passwd_with_coder(provision.passwd, ours);
    file(&mut tar, "etc/passwd", 0o644, root, passwd.as_bytes())?;
    let group = group_with_coder(provision.group, ours);
    file(&mut tar, "etc/group", 0o644, root, group.as_bytes())?;
    for dir in HOME_DIRS {
        let header = header(tar::EntryType::Directory, 0o755, ours, 0);
        append(&mut tar, header, &format!("{dir}/"), &[])?;
    }
    if provision.fresh_home {
        file(&mut tar, EDITOR_SETTINGS_PATH, 0o644, ours, EDITOR_SETTINGS)?;
    }
    if let Some(bytes) = provision.supervisor {
        file(
            &mut tar,
            SUPERVISOR_PATH.trim_start_matches('/'),
            0o755,
            root,
            bytes,
        )?;
    }
    tar.into_inner()
}

fn file(
    tar: &mut tar::Builder<Vec<u8>>,
    path: &str,
    mode: u32,
    owner: FolderUser,
    bytes: &[u8],
) -> io::Result<()> {
    append(
        tar,
        header(tar::EntryType::Regular, mode, owner, bytes.len()),
        path,
        bytes,
    )
}

fn append(
    tar: &mut tar::Builder<Vec<u8>>,
    mut header: tar::Header,
    path: &str,
    bytes: &[u8],
) -> io::Result<()> {
    tar.append_data(&mut header, path, bytes)
}

fn header(kind: tar::EntryType, mode: u32, owner: FolderUser, size: usize) -> tar::Header {
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_uid(owner.uid.into());
    header.set_gid(owner.gid.into());
    header.set_mtime(0);
    header.set_size(size as u64);
    header
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

/// Text of the one file that a download of the engine holds; empty when it is something else.
///
/// The tar comes from a container and is never unpacked: only the first regular entry is read.
pub(crate) fn only_file(download: &[u8]) -> String {
    let mut archive = tar::Archive::new(download);
    let Some(Ok(mut entry)) = archive
        .entries()
        .ok()
        .and_then(|mut entries| entries.next())
    else {
        return String::new();
    };
    let mut text = String::new();
    if entry.header().entry_type() != tar::EntryType::Regular
        || io::Read::read_to_string(&mut entry, &mut text).is_err()
    {
        return String::new();
    }
    text
}

#[cfg(test)]
mod tests;
