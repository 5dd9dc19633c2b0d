//! A folder of a real container and one of this machine, in step over a real wire.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use mizzen_sync::{
    Both, Cycle, Durability, End, Endpoint, EndpointError, Folders, Joining, LinkId, LinkOptions,
    Links, LocalOptions, OpenSide, RemoteEndpoint, RuleSource, now,
};
use mizzen_sync_core::{Brake, FOLDER_NAMES, Mode};
use mizzen_tasks::Owner;
use mizzen_wire::{StreamKind, Wire, into_blocking};
use tempfile::TempDir;

use crate::rig::{Container, Reports, UID, folder, ready};

/// A container with a folder for a workspace, and one to keep in step with it.
struct Rig {
    container: Container,
    workspace: TempDir,
    host: TempDir,
    state: TempDir,
    _reports: Reports,
}

impl Rig {
    fn new() -> Self {
        let (reports, workspace, container) = ready();
        Self {
            container,
            workspace,
            host: folder(),
            state: folder(),
            _reports: reports,
        }
    }

    /// One cycle by a link of its own.
    async fn cycle(&self, wire: &Wire) -> Cycle {
        let stream = wire.open(StreamKind::Sync).await.expect("a stream");
        let (from, to) = into_blocking(Box::new(stream));
        let (host, state) = (self.host.path().to_owned(), self.state.path().to_owned());
        let joined = tokio::task::spawn_blocking(move || {
            let container = || -> Result<Box<dyn Endpoint>, EndpointError> {
                Ok(Box::new(RemoteEndpoint::open(
                    from,
                    to,
                    OpenSide::like(&local(), "/workspace".into()),
                )?))
            };
            let id = LinkId::new([&b"test"[..]]);
            let rules = RuleSource::new(&host, None, None).expect("rules");
            let options = LinkOptions {
                mode: Mode::default(),
                brake: Brake::default(),
                guards_rules: true,
                now,
                names: FOLDER_NAMES,
            };
            let joining = Joining {
                ends: Both {
                    host: End::Here(host),
                    container: End::There(Box::new(container)),
                },
                names: Both::default(),
                id,
                reversed: None,
                state: &state,
                options,
                local: &local(),
                ruler: rules.into(),
            };
            let mut folders = Folders::join(joining).expect("a link");
            let cycle = folders.link.cycle(&Both::everything(), false);
            cycle.expect("a cycle")
        });
        joined.await.expect("a cycle")
    }
}

fn local() -> LocalOptions {
    LocalOptions {
        size_max: 1 << 30,
        links: Links::Portable,
        look_for_secrets: true,
        umask: 0o022,
        durability: Durability::None,
        memory: "".into(),
        now,
    }
}

fn write(path: &Path, text: &[u8]) {
    fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
    mizzen_fsx::write_atomic(path, text).expect("a file");
}

#[tokio::test]
async fn a_workspace_comes_in_step_both_ways() {
    let rig = Rig::new();
    let owner = Owner::root("test");
    let wire = rig.container.wire(&owner, &[]).await;
    // More than goes over at once, in one file and in many.
    let large: Vec<u8> = (0..3_000_000_u32).flat_map(u32::to_le_bytes).collect();
    write(&rig.host.path().join("large"), &large);
    for number in 0..600 {
        let text = format!("{number}");
        write(
            &rig.host
                .path()
                .join(format!("many/{}/{number}", number % 7)),
            text.as_bytes(),
        );
    }
    rig.container.exec(&[
        "bash",
        "-c",
        "mkdir -p /workspace/made && echo here > /workspace/made/there",
    ]);
    let cycle = rig.cycle(&wire).await;
    assert!(cycle.is_in_step(), "{cycle:?}");
    assert_eq!(
        fs::read(rig.host.path().join("made/there")).unwrap(),
        b"here\n"
    );
    let copied = rig.workspace.path().join("large");
    assert_eq!(fs::read(&copied).unwrap(), large);
    assert_eq!(
        fs::metadata(&copied).unwrap().uid(),
        UID,
        "the container's user made it"
    );
    assert_eq!(
        fs::read(rig.workspace.path().join("many/5/599"))
            .unwrap_or_default()
            .len(),
        0
    );
    assert_eq!(
        fs::read(rig.workspace.path().join("many/4/599")).unwrap(),
        b"599"
    );

    rig.container.exec(&["rm", "/workspace/many/4/599"]);
    write(&rig.host.path().join("made/there"), b"changed");
    let cycle = rig.cycle(&wire).await;
    assert!(cycle.is_in_step(), "{cycle:?}");
    assert_eq!(cycle.deleted, 1);
    assert!(!rig.host.path().join("many/4/599").exists());
    assert_eq!(
        fs::read(rig.workspace.path().join("made/there")).unwrap(),
        b"changed"
    );
    let again = rig.cycle(&wire).await;
    assert!(again.applied.host.done.is_empty() && again.applied.container.done.is_empty());
}
