//! `coder` becomes the owner of the host's folder, as in sessions, where the core does it from outside.
//!
//! Known here: this is root in a container that is starting; nothing else runs yet.

use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt, lchown};
use std::path::Path;

use mizzen_fsx::write_atomic;

use super::{CODER, Entry};
use crate::container::places;

const HOME: &str = "/home/coder";
const TABLES: [&str; 2] = ["/etc/passwd", "/etc/group"];

/// Gives `coder` these numbers in the container's tables, and what was the image's `coder`'s: the home, and a workspace
/// that is empty still.
pub(super) fn map(
    users: &str,
    coder: Option<Entry>,
    (uid, gid): (u32, u32),
) -> Result<Entry, String> {
    let before = coder.as_ref().map(|coder| (coder.uid, coder.gid));
    let mut coder = coder.unwrap_or_else(|| Entry {
        name: CODER.to_owned(),
        uid,
        gid,
        home: HOME.to_owned(),
        shell: "/bin/sh".to_owned(),
    });
    // Root's group is not for anybody here.
    let gid = match gid {
        0 => uid,
        gid => gid,
    };
    let cannot = |what: &str, error: &dyn std::fmt::Display| {
        format!("cannot make {CODER} the owner of the host's folder: {what}: {error}")
    };
    (coder.uid, coder.gid) = (uid, gid);
    if before != Some((uid, gid)) {
        let groups = fs::read_to_string(TABLES[1]).unwrap_or_default();
        let Entry { home, shell, .. } = &coder;
        let row = format!("{CODER}:x:{uid}:{gid}:{CODER}:{home}:{shell}");
        let tables = [
            with_row(users, uid, &row),
            with_row(&groups, gid, &format!("{CODER}:x:{gid}:")),
        ];
        for (path, table) in TABLES.into_iter().zip(tables) {
            write_table(path, &table).map_err(|error| cannot(path, &error))?;
        }
        let home = Path::new(&coder.home);
        let former = before.map(|(uid, _)| uid);
        take_over(home, former, (uid, gid)).map_err(|error| cannot(&coder.home, &error))?;
    }
    let workspace = Path::new(places::WORKSPACE);
    let former = before.map_or(0, |(uid, _)| uid);
    take_fresh(workspace, former, (uid, gid)).map_err(|error| cannot(places::WORKSPACE, &error))?;
    Ok(coder)
}

/// Whoever had that name or number goes: a file's owner must read as `coder` in a listing.
fn with_row(table: &str, id: u32, row: &str) -> String {
    let id = id.to_string();
    let is_other = |line: &&str| {
        let mut fields = line.split(':');
        fields.next() != Some(CODER) && fields.nth(1) != Some(id.as_str())
    };
    let others = table.lines().filter(is_other);
    let rows: Vec<&str> = others.chain([row]).collect();
    rows.join("\n") + "\n"
}

fn write_table(path: &str, table: &str) -> io::Result<()> {
    write_atomic(path, table.as_bytes()).map_err(|error| error.source)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o644))
}

/// Gives on what one user has in a directory. Other file systems in it are somebody's mounts.
fn take_over(dir: &Path, former: Option<u32>, to: (u32, u32)) -> io::Result<()> {
    let found = match fs::symlink_metadata(dir) {
        Ok(found) => found,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    let root = fs::symlink_metadata("/")?.dev();
    if found.dev() != root || former != Some(found.uid()) {
        return Ok(());
    }
    lchown(dir, Some(to.0), Some(to.1))?;
    if found.is_dir() {
        for entry in fs::read_dir(dir)? {
            take_over(&entry?.path(), former, to)?;
        }
    }
    Ok(())
}

/// An engine gives a new volume to whom the image's directory belongs, or to root.
fn take_fresh(workspace: &Path, former: u32, to: (u32, u32)) -> io::Result<()> {
    let Ok(found) = fs::symlink_metadata(workspace) else {
        return Ok(());
    };
    let is_fresh = found.is_dir()
        && [0, former].contains(&found.uid())
        && fs::read_dir(workspace)?.next().is_none();
    match is_fresh {
        true => lchown(workspace, Some(to.0), Some(to.1)),
        false => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::with_row;

    #[test]
    fn coder_takes_the_place_of_whoever_had_the_name_or_the_number() {
        let table = "root:x:0:0::/root:/bin/sh\ncoder:x:1000:1000::/h:/b\nme:x:4321:1::/m:/s\n";
        assert_eq!(
            with_row(table, 4321, "coder:x:4321:4321::/h:/b"),
            "root:x:0:0::/root:/bin/sh\ncoder:x:4321:4321::/h:/b\n"
        );
    }
}
