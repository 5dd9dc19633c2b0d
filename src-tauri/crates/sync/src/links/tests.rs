use std::fs;
use std::path::Path;

use mizzen_fsx::write_atomic;

use super::*;
use crate::endpoint::LocalOptions;
use crate::link::{End, Folders, Joining, LinkOptions};
use crate::rule_source::RuleSource;
use crate::settings::SyncSettings;
use crate::{Dirty, LinkId};

fn join(root: &Path) -> Folders {
    let settings = SyncSettings::default();
    let [one, other] = ["one", "other"].map(|name| root.join(name));
    for folder in [&one, &other] {
        fs::create_dir_all(folder).unwrap();
    }
    Folders::join(Joining {
        ends: Both {
            host: End::Here(one.clone()),
            container: End::Here(other),
        },
        names: Both {
            host: "one".to_owned(),
            container: "other".to_owned(),
        },
        id: LinkId::new([b"pair".as_slice()]),
        reversed: None,
        state: &root.join("state"),
        options: LinkOptions::of(&settings, false),
        local: &LocalOptions::of(&settings, 0o022),
        ruler: RuleSource::new(&one, None, None).unwrap().into(),
    })
    .unwrap()
}

fn only(root: &Path) -> KnownLink {
    let mut links = known_links(&root.join("state")).unwrap();
    assert_eq!(links.len(), 1);
    links.remove(0)
}

#[test]
fn a_link_is_listed_and_forgotten_but_not_while_it_is_kept_or_its_trash_is_wanted() {
    let dir = tempfile::tempdir().unwrap();
    let (root, state) = (dir.path(), dir.path().join("state"));
    assert_eq!(known_links(&state).unwrap(), []);
    let mut folders = join(root);
    write_atomic(root.join("one/f"), b"text").unwrap();
    let all = || Both {
        host: Dirty::All,
        container: Dirty::All,
    };
    folders.link.cycle(&all(), false).unwrap();
    let known = only(root);
    assert_eq!(
        known.names.as_ref().map(|it| it.container.as_str()),
        Some("other")
    );
    assert!(
        known.in_use && known.bytes > 0 && known.kept_until.is_none(),
        "{known:?}"
    );
    let refused = forget_link(&state, &known.id, true);
    assert!(matches!(refused, Err(ForgetError::Lock(_))), "{refused:?}");

    write_atomic(root.join("one/f"), b"other").unwrap();
    folders.link.cycle(&all(), false).unwrap();
    drop(folders);
    let known = only(root);
    assert!(!known.in_use && known.kept_until.is_some(), "{known:?}");
    let refused = forget_link(&state, &known.id, false);
    assert!(matches!(refused, Err(ForgetError::Kept(_))), "{refused:?}");
    assert_eq!(only(root), known, "a look and a refusal change nothing");

    forget_link(&state, &known.id, true).unwrap();
    assert_eq!(known_links(&state).unwrap(), []);
    let gone = forget_link(&state, &known.id, true);
    assert!(matches!(gone, Err(ForgetError::Lock(_))), "{gone:?}");
}

#[test]
fn what_is_no_link_is_not_listed() {
    let dir = tempfile::tempdir().unwrap();
    write_atomic(dir.path().join("web.paused"), b"").unwrap();
    fs::create_dir(dir.path().join("empty")).unwrap();
    assert_eq!(known_links(dir.path()).unwrap(), []);
}

#[test]
fn a_trash_that_cannot_be_emptied_keeps_no_two_folders_apart() {
    let dir = tempfile::tempdir().unwrap();
    drop(join(dir.path()));
    let place = dir.path().join("state").join(only(dir.path()).id);
    let no_cycle = place.join("trash/host").join(CycleId(1).to_string());
    write_atomic(&no_cycle, b"a file of somebody's").unwrap();
    drop(join(dir.path()));
    assert!(no_cycle.exists());
}
