//! Which two folders these are, whatever they are called in here: `/host` is another one in each container.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use mizzen_fsx::{At, PathError, write_atomic};
use mizzen_sync::LinkId;
use mizzen_sync::told::Trouble;

use super::settings::Settings;

/// Present while a person wants that nothing is carried, also over a restart.
const PAUSED: &str = "paused";

/// Where a folder lies outside of all mounts.
#[derive(Debug, PartialEq, Eq)]
struct Spot {
    /// The file system's number, while it is mounted.
    device: String,
    /// What the kernel calls it, also the next time.
    source: String,
    /// From its root on.
    path: PathBuf,
}

/// Tells this pair from all others; why the two cannot be kept in step, if they cannot.
///
/// A folder is told by its file system, its path there and its inode: one that another took the place of is another side,
/// and then nothing is deleted when they meet first.
pub(super) fn identify(settings: &Settings) -> Result<LinkId, Trouble> {
    let Settings { host, workspace } = settings;
    let folders = [host, workspace];
    let missing = |folder: &Path, error: &io::Error| {
        let why = format!("{} cannot be used: {error}", folder.display());
        Trouble::new(&why, &mount_hint(settings))
    };
    for folder in folders {
        match fs::metadata(folder) {
            Ok(found) if found.is_dir() => {}
            Ok(_) => return Err(missing(folder, &io::ErrorKind::NotADirectory.into())),
            Err(error) => return Err(missing(folder, &error)),
        }
    }
    let found = fs::metadata(host).map_err(|error| missing(host, &error))?;
    if found.uid() == 0 {
        let why = format!(
            "{} belongs to root, which nothing here runs as",
            host.display()
        );
        let hint = "On the host, give the folder to yourself: chown -R USER FOLDER; then start the container anew.";
        return Err(Trouble::new(&why, hint));
    }
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let [here, there] = folders.map(|folder| spot(&mounts, folder));
    if are_nested(&here, &there) {
        let [host, workspace] = folders.map(|folder| folder.display());
        let why = format!("{host} and {workspace} are one folder, or one lies in the other");
        let hint = "Mount a volume, or another folder, for the workspace.";
        return Err(Trouble::new(&why, hint));
    }
    let inode = found.ino().to_le_bytes();
    Ok(LinkId::new([
        here.source.as_bytes(),
        here.path.as_os_str().as_bytes(),
        &inode,
        workspace.as_os_str().as_bytes(),
    ]))
}

/// How both are mounted.
fn mount_hint(Settings { host, workspace }: &Settings) -> String {
    let [host, workspace] = [host, workspace].map(|folder| folder.display());
    format!(
        "Start the container with a folder at {host} and a volume at {workspace}: docker run -v \"$PWD\":{host} -v work:{workspace} …"
    )
}

fn are_nested(one: &Spot, other: &Spot) -> bool {
    one.device == other.device
        && (one.path.starts_with(&other.path) || other.path.starts_with(&one.path))
}

/// Finds a folder in `/proc/self/mountinfo`; proc(5) has its columns.
fn spot(mounts: &str, folder: &Path) -> Spot {
    let below = |line: &str| {
        let (place, what) = line.split_once(" - ")?;
        let mut place = place.split(' ').skip(2);
        let (device, root, point) = (place.next()?, place.next()?, place.next()?);
        let (root, point) = (unescaped(root), unescaped(point));
        let rest = folder.strip_prefix(&point).ok()?;
        let spot = Spot {
            device: device.to_owned(),
            source: what.to_owned(),
            // Without a slash at its end, where nothing follows.
            path: root.join(rest).components().collect(),
        };
        Some((point.components().count(), spot))
    };
    let all = mounts.lines().filter_map(below);
    // Of two on one place, the later one hides the other.
    let innermost = all.max_by_key(|(depth, _)| *depth);
    let unknown = || Spot {
        device: String::new(),
        source: String::new(),
        path: folder.to_owned(),
    };
    innermost.map_or_else(unknown, |(_, spot)| Spot {
        // Its first two words: the options that follow may change.
        source: spot
            .source
            .splitn(3, ' ')
            .take(2)
            .collect::<Vec<_>>()
            .join(" "),
        ..spot
    })
}

/// Blanks and the like stand there as `\040`.
fn unescaped(text: &str) -> PathBuf {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let code = after.get(..3).filter(|_| *first == b'\\');
        let code = code.and_then(|digits| std::str::from_utf8(digits).ok());
        match code.and_then(|digits| u8::from_str_radix(digits, 8).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[3..];
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    OsString::from_vec(bytes).into()
}

/// Whether a person wants that nothing is carried.
pub(super) fn is_paused(settings: &Settings) -> bool {
    settings.state().join(PAUSED).exists()
}

/// Keeps that for the next start.
pub(super) fn set_paused(settings: &Settings, paused: bool) -> Result<(), PathError> {
    let state = settings.state();
    let file = state.join(OsStr::new(PAUSED));
    if paused {
        fs::create_dir_all(&state).at(&state)?;
        return write_atomic(&file, b"");
    }
    match fs::remove_file(&file) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error).at(&file),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOUNTS: &str = "\
1 0 0:50 / / rw - overlay overlay rw,lowerdir=/a
2 1 8:1 /home/me/my\\040shop /host rw,relatime - ext4 /dev/sda1 rw
3 1 8:1 /var/lib/docker/volumes/work/_data /workspace rw master:1 - ext4 /dev/sda1 rw,noatime
4 2 8:1 /home/me/my\\040shop/out /inner rw - ext4 /dev/sda1 rw
5 1 9:1 / /twice rw - ext4 /dev/sdb1 rw
6 5 9:2 /later /twice rw - ext4 /dev/sdc1 rw
";

    fn at(folder: &str) -> (String, String, String) {
        let spot = spot(MOUNTS, Path::new(folder));
        let path = spot.path.to_string_lossy().into_owned();
        (spot.device, spot.source, path)
    }

    #[test]
    fn a_folder_is_found_outside_of_the_container() {
        let is = |device: &str, source: &str, path: &str| {
            (device.to_owned(), source.to_owned(), path.to_owned())
        };
        assert_eq!(at("/host"), is("8:1", "ext4 /dev/sda1", "/home/me/my shop"));
        assert_eq!(
            at("/host/sub"),
            is("8:1", "ext4 /dev/sda1", "/home/me/my shop/sub")
        );
        assert_eq!(at("/tmp"), is("0:50", "overlay overlay", "/tmp"));
        assert_eq!(at("/twice"), is("9:2", "ext4 /dev/sdc1", "/later"));
    }

    #[test]
    fn two_that_lie_in_each_other_are_told_however_they_are_mounted() {
        let nested = |one: &str, other: &str| {
            let [one, other] = [one, other].map(|folder| spot(MOUNTS, Path::new(folder)));
            are_nested(&one, &other)
        };
        assert!(nested("/host", "/inner"));
        assert!(nested("/inner", "/host"));
        assert!(nested("/host", "/host"));
        assert!(!nested("/host", "/workspace"));
        assert!(!nested("/host", "/tmp"));
    }
}
