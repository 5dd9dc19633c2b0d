use super::*;

/// An archive with one entry of a kind and a name that the builder would refuse.
fn hostile(kind: tar::EntryType, path: &str, link: &str) -> Vec<u8> {
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(0o4777);
    header.set_size(if kind.is_file() { 4 } else { 0 });
    header.as_gnu_mut().expect("a GNU header").name[..path.len()].copy_from_slice(path.as_bytes());
    if !link.is_empty() {
        header.set_link_name(link).expect("a link");
    }
    header.set_cksum();
    let mut bytes = header.as_bytes().to_vec();
    if kind.is_file() {
        bytes.extend(b"evil");
        bytes.resize(1024, 0);
    }
    bytes.extend([0; 1024]);
    bytes
}

#[test]
fn what_goes_in_comes_out() {
    let mut tar = TarBuilder::new();
    tar.dir("/home", 0o755, (1, 2)).expect("a folder");
    tar.file("/home/a", 0o640, (1, 2), b"content")
        .expect("a file");
    let long = format!("{}/b", "d".repeat(150));
    tar.file(&long, 0o600, (1, 2), b"").expect("a long name");
    let files = regular_files(&tar.finish()).expect("an archive");
    let rows: Vec<_> = files
        .iter()
        .map(|f| (f.path.as_str(), f.mode, f.content.len()))
        .collect();
    assert_eq!(rows, [("home/a", 0o640, 7), (long.as_str(), 0o600, 0)]);
}

#[test]
fn equal_content_makes_equal_bytes() {
    let make = || {
        let mut tar = TarBuilder::new();
        tar.file("a", 0o644, (0, 0), b"x").expect("a file");
        tar.finish()
    };
    assert_eq!(make(), make());
}

#[test]
fn links_devices_and_paths_that_leave_are_left_out() {
    use tar::EntryType;
    for (kind, path, link) in [
        (EntryType::Symlink, "a", "/etc/shadow"),
        (EntryType::Link, "a", "/etc/shadow"),
        (EntryType::Char, "a", ""),
        (EntryType::Block, "a", ""),
        (EntryType::Fifo, "a", ""),
        (EntryType::Directory, "a", ""),
        (EntryType::Regular, "../a", ""),
        (EntryType::Regular, "a/../../b", ""),
        (EntryType::Regular, "/etc/passwd", ""),
    ] {
        let files = regular_files(&hostile(kind, path, link)).expect("an archive");
        assert_eq!(files, [], "{kind:?} {path}");
    }
    let set_uid = regular_files(&hostile(EntryType::Regular, "a", "")).expect("an archive");
    assert_eq!(set_uid[0].mode, 0o777, "the set-uid bit is dropped");
}

#[test]
fn a_size_that_lies_is_an_error() {
    let mut tar = hostile(tar::EntryType::Regular, "a", "");
    tar.truncate(512 + 2);
    regular_files(&tar).expect_err("cut short");
}
