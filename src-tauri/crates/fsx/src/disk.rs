use std::path::Path;

/// The kind of disk that a path lies on, where others may change it without a word to this system.
///
/// None for all others, and where nobody can say.
#[cfg(target_os = "linux")]
pub fn disk_without_events(path: impl AsRef<Path>) -> Option<&'static str> {
    name(rustix::fs::statfs(path.as_ref()).ok()?.f_type)
}

/// The same of a directory that is open.
#[cfg(target_os = "linux")]
pub fn disk_of_handle(handle: impl std::os::fd::AsFd) -> Option<&'static str> {
    name(rustix::fs::fstatfs(handle).ok()?.f_type)
}

/// Whether an open directory lies on a kind of disk that may have but one answer for all files to who may execute them.
#[cfg(target_os = "linux")]
pub fn may_have_one_mode(handle: impl std::os::fd::AsFd) -> bool {
    let kind = rustix::fs::fstatfs(handle).map(|facts| facts.f_type);
    // Systems differ in the number's type.
    let kind: Option<u32> = kind.ok().and_then(|kind| kind.try_into().ok());
    // FAT, exFAT, NTFS in two ways, SMB in three, 9P, FUSE, VirtualBox.
    const KINDS: [u32; 10] = [
        0x4d44,
        0x2011_bab0,
        0x5346_544e,
        0x7366_746e,
        0x517b,
        0xff53_4d42,
        0xfe53_4d42,
        0x0102_1997,
        0x6573_5546,
        0x786f_4256,
    ];
    kind.is_some_and(|kind| KINDS.contains(&kind))
}

/// The kind of disk that a path lies on, where others may change it without a word to this system.
///
/// Other systems do not say.
#[cfg(not(target_os = "linux"))]
pub fn disk_without_events(_path: impl AsRef<Path>) -> Option<&'static str> {
    None
}

#[cfg(target_os = "linux")]
fn name(kind: impl TryInto<u32>) -> Option<&'static str> {
    // Systems differ in the number's type.
    Some(match kind.try_into().ok()? {
        0x6969 => "NFS",
        0x517b | 0xff53_4d42 | 0xfe53_4d42 => "SMB",
        0x0102_1997 => "9P",
        0x00c3_6400 => "Ceph",
        0x5346_414f => "AFS",
        0x6573_5546 => "FUSE",
        0x786f_4256 => "VirtualBox",
        _ => return None,
    })
}

#[cfg(target_os = "linux")]
#[cfg(test)]
mod tests {
    #[test]
    fn a_disk_of_this_machine_tells_of_every_change() {
        assert_eq!(super::disk_without_events("/proc"), None);
        assert_eq!(super::disk_without_events("/no/such/folder"), None);
        assert_eq!(super::name(0x0102_1997_u32), Some("9P"));
    }
}
