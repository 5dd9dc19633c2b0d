//! What container a session needs; pure.

use std::path::PathBuf;
use std::time::Duration;

use mizzen_docker::{ContainerSpec, Mount, SpecError, Tmpfs, User};

use crate::identity::Identity;
use crate::labels;
use crate::para::ParaDirs;
use crate::provision::{HOME, SUPERVISOR_PATH};
use crate::record::{ContainerRef, HomeVolume, Record};
use crate::workspace::WorkspaceKind;

/// How long the supervisor has to end its services before the engine kills.
pub(crate) const STOP_GRACE: Duration = Duration::from_secs(10);

/// Where the supervisor keeps its sockets.
const RUNTIME_DIR: &str = "/run/mizzen";

const RUNTIME_BYTES: u64 = 16 << 20;
/// Holds mount points only.
const MASK_BYTES: u64 = 64 << 10;

/// Where the project folder appears beside a workspace that mirrors it.
const HOST: &str = "/host";

/// Below which the seed's own agent writes.
const PARA: &str = "/workspace/.para";

/// Where the workspace appears.
const WORKSPACE: &str = "/workspace";

/// Describes the container of a session, on a network of the same name.
pub(crate) fn container_spec(
    owner: &Identity,
    record: &Record,
    container: &ContainerRef,
) -> Result<ContainerSpec, SpecError> {
    let user = User::new(record.user.uid, record.user.gid)?;
    let engine_name = container.engine_name(&record.name);
    let mut spec = ContainerSpec::new(&record.image, &engine_name, user);
    spec.labels = labels::make(owner, &record.name, &record.project, &container.nonce);
    if record.workspace != WorkspaceKind::Bind {
        let kind = record.workspace.word().to_owned();
        spec.labels.insert(labels::WORKSPACE.to_owned(), kind);
    }
    spec.env = [("PARA_SESSION_NAME", record.name.as_str()), ("HOME", HOME)]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
    spec.entrypoint = Some(vec![SUPERVISOR_PATH.to_owned()]);
    spec.command = Some(match record.workspace {
        WorkspaceKind::Bind | WorkspaceKind::Sync => Vec::new(),
        WorkspaceKind::Mirror => ["run", "--mirror"].map(str::to_owned).into(),
    });
    spec.working_dir = Some(WORKSPACE.to_owned());
    spec.hostname = Some(hostname(record.name.as_str()));
    spec.mounts = mounts(owner, record, container);
    let own = |target: &str, size_bytes, mode| Tmpfs {
        target: target.to_owned(),
        size_bytes,
        mode,
        owner: Some(user),
    };
    spec.tmpfs = vec![own(RUNTIME_DIR, RUNTIME_BYTES, 0o700)];
    if container.carried {
        let files = (labels::FILES.to_owned(), labels::CARRIED.to_owned());
        spec.labels.extend([files]);
        // The supervisor leads from here to the status directory; nothing of it gets into the workspace's volume.
        spec.tmpfs.push(own(PARA, MASK_BYTES, 0o755));
    }
    spec.network = Some(engine_name);
    spec.limits = mizzen_docker::Limits {
        memory_bytes: record.limits.memory_bytes,
        cpus: record.limits.cpus,
        pids: record.limits.pids,
    };
    spec.stop_timeout = Some(STOP_GRACE);
    Ok(spec)
}

/// The workspace, the seed's mounts, and a mask that hides every other session's files under `.para`.
fn mounts(owner: &Identity, record: &Record, container: &ContainerRef) -> Vec<Mount> {
    let para = ParaDirs::of(&record.project, &record.name);
    let in_workspace = format!("/workspace/.para/state/docker/{}", record.name);
    let bind = |source: PathBuf, target: &str, read_only: bool| Mount::Bind {
        source,
        target: target.to_owned(),
        read_only,
    };
    let labels = labels::make(owner, &record.name, &record.project, &container.nonce);
    let volume = |name: String, target: &str, empty: bool| Mount::Volume {
        name,
        target: target.to_owned(),
        labels: labels.clone(),
        empty,
    };
    let workspace = match record.workspace_volume(owner) {
        // What an image has there is nobody's work.
        Some(name) => volume(name, WORKSPACE, true),
        None => bind(record.project.clone(), WORKSPACE, false),
    };
    let mask = |target: &str| Mount::Tmpfs {
        target: target.to_owned(),
        read_only: true,
        size_bytes: MASK_BYTES,
        mode: 0o755,
    };
    let mut mounts = vec![workspace];
    if !container.carried {
        mounts.extend([
            mask(PARA),
            bind(para.status.clone(), "/para/status", false),
            bind(para.shared.clone(), "/para/shared", true),
            // The seed's own agent writes at these paths.
            bind(para.status, &in_workspace, false),
            bind(para.shared, "/workspace/.para/state/docker/shared", true),
        ]);
    }
    if record.workspace == WorkspaceKind::Mirror {
        mounts.push(bind(record.project.clone(), HOST, false));
        mounts.push(mask("/host/.para"));
    }
    mounts.extend(HomeVolume::ALL.map(|home| {
        let name = home.engine_name(owner, &record.name);
        volume(name, home.target(), false)
    }));
    mounts
}

/// A session's name as a host name, which may hold neither dots nor underscores.
fn hostname(name: &str) -> String {
    name.chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
        .collect()
}

#[cfg(test)]
mod tests {
    #[cfg(unix)]
    use expect_test::expect;

    use mizzen_docker::Mount;

    use super::{container_spec, hostname};
    use crate::identity::Identity;
    use crate::labels;
    use crate::record::ContainerRef;
    use crate::record::tests::record;
    use crate::workspace::WorkspaceKind;

    #[cfg(unix)]
    #[test]
    fn the_container_of_a_session() {
        let container = ContainerRef {
            nonce: "8899aabbccddeeff".to_owned(),
            id: None,
            carried: false,
        };
        let spec = container_spec(
            &Identity::of("0011223344556677"),
            &record("Web.1"),
            &container,
        );
        expect![[r#"
            ContainerSpec {
                image: "mizzen-session:0123456789ab",
                name: "mizzen-Web.1-8899aabb",
                user: User {
                    uid: 4321,
                    gid: 4322,
                },
                labels: {
                    "dev.mizzen.app": "mizzen",
                    "dev.mizzen.nonce": "8899aabbccddeeff",
                    "dev.mizzen.owner": "0011223344556677",
                    "dev.mizzen.project": "/srv/web",
                    "dev.mizzen.schema": "1",
                    "dev.mizzen.session": "Web.1",
                },
                env: {
                    "HOME": "/home/coder",
                    "PARA_SESSION_NAME": "Web.1",
                },
                entrypoint: Some(
                    [
                        "/usr/local/bin/mizzen-supervisor",
                    ],
                ),
                command: Some(
                    [],
                ),
                working_dir: Some(
                    "/workspace",
                ),
                hostname: Some(
                    "Web-1",
                ),
                mounts: [
                    Bind {
                        source: "/srv/web",
                        target: "/workspace",
                        read_only: false,
                    },
                    Tmpfs {
                        target: "/workspace/.para",
                        read_only: true,
                        size_bytes: 65536,
                        mode: 493,
                    },
                    Bind {
                        source: "/srv/web/.para/state/docker/Web.1",
                        target: "/para/status",
                        read_only: false,
                    },
                    Bind {
                        source: "/srv/web/.para/state/docker/shared",
                        target: "/para/shared",
                        read_only: true,
                    },
                    Bind {
                        source: "/srv/web/.para/state/docker/Web.1",
                        target: "/workspace/.para/state/docker/Web.1",
                        read_only: false,
                    },
                    Bind {
                        source: "/srv/web/.para/state/docker/shared",
                        target: "/workspace/.para/state/docker/shared",
                        read_only: true,
                    },
                    Volume {
                        name: "mizzen-web.1-00112233-config",
                        target: "/home/coder/.config",
                        labels: {
                            "dev.mizzen.app": "mizzen",
                            "dev.mizzen.nonce": "8899aabbccddeeff",
                            "dev.mizzen.owner": "0011223344556677",
                            "dev.mizzen.project": "/srv/web",
                            "dev.mizzen.schema": "1",
                            "dev.mizzen.session": "Web.1",
                        },
                        empty: false,
                    },
                    Volume {
                        name: "mizzen-web.1-00112233-local",
                        target: "/home/coder/.local",
                        labels: {
                            "dev.mizzen.app": "mizzen",
                            "dev.mizzen.nonce": "8899aabbccddeeff",
                            "dev.mizzen.owner": "0011223344556677",
                            "dev.mizzen.project": "/srv/web",
                            "dev.mizzen.schema": "1",
                            "dev.mizzen.session": "Web.1",
                        },
                        empty: false,
                    },
                ],
                tmpfs: [
                    Tmpfs {
                        target: "/run/mizzen",
                        size_bytes: 16777216,
                        mode: 448,
                        owner: Some(
                            User {
                                uid: 4321,
                                gid: 4322,
                            },
                        ),
                    },
                ],
                network: Some(
                    "mizzen-Web.1-8899aabb",
                ),
                limits: Limits {
                    memory_bytes: 1073741824,
                    cpus: 1.5,
                    pids: 512,
                },
                stop_timeout: Some(
                    10s,
                ),
                read_only_root: false,
            }
        "#]]
        .assert_debug_eq(&spec.unwrap());
    }

    #[test]
    fn a_synced_workspace_is_a_volume_and_its_container_says_so() {
        let mut record = record("web");
        record.workspace = WorkspaceKind::Sync;
        let owner = Identity::of("0011223344556677");
        let spec = container_spec(&owner, &record, &ContainerRef::intended(false)).unwrap();
        assert_eq!(spec.labels[labels::WORKSPACE], "sync");
        let [workspace, rest @ ..] = spec.mounts.as_slice() else {
            panic!("no mounts");
        };
        let Mount::Volume {
            name,
            target,
            empty,
            ..
        } = workspace
        else {
            panic!("{workspace:?}");
        };
        assert_eq!(Some(name), record.workspace_volume(&owner).as_ref());
        assert_eq!((target.as_str(), *empty), ("/workspace", true));
        let shows_the_folder = |mount: &Mount| matches!(mount, Mount::Bind { source, .. } if *source == record.project);
        assert!(!rest.iter().any(shows_the_folder), "{rest:?}");
    }

    #[test]
    fn where_no_files_are_shared_nothing_of_the_host_is_mounted() {
        let mut record = record("web");
        record.workspace = WorkspaceKind::Sync;
        let owner = Identity::of("0011223344556677");
        let spec = container_spec(&owner, &record, &ContainerRef::intended(true)).unwrap();
        let is_volume = |mount: &Mount| matches!(mount, Mount::Volume { .. });
        assert!(spec.mounts.iter().all(is_volume), "{:?}", spec.mounts);
        assert_eq!(spec.labels[labels::FILES], labels::CARRIED);
        let own = spec.tmpfs.iter().map(|tmpfs| tmpfs.target.as_str());
        assert_eq!(own.collect::<Vec<_>>(), ["/run/mizzen", "/workspace/.para"]);
        match labels::read(&spec.labels, &owner) {
            labels::Reading::Claims(claim) => assert!(claim.carried),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_mirror_shows_the_folder_beside_its_volume_and_nothing_of_other_sessions() {
        let mut record = record("web");
        record.workspace = WorkspaceKind::Mirror;
        let owner = Identity::of("0011223344556677");
        let spec = container_spec(&owner, &record, &ContainerRef::intended(false)).unwrap();
        assert_eq!(spec.labels[labels::WORKSPACE], "mirror");
        assert_eq!(spec.command.unwrap(), ["run", "--mirror"]);
        let place = |mount: &Mount| match mount {
            Mount::Bind { target, .. } => format!("bind {target}"),
            Mount::Volume { target, .. } => format!("volume {target}"),
            Mount::Tmpfs {
                target, read_only, ..
            } => format!("tmpfs {target} {read_only}"),
        };
        let places: Vec<String> = spec.mounts.iter().map(place).collect();
        for place in [
            "volume /workspace",
            "tmpfs /workspace/.para true",
            "bind /host",
            "tmpfs /host/.para true",
        ] {
            assert!(places.iter().any(|it| it == place), "{place}: {places:?}");
        }
    }

    #[test]
    fn root_never_gets_a_container() {
        let mut record = record("web");
        record.user.uid = 0;
        let owner = Identity::of("0011223344556677");
        container_spec(&owner, &record, &ContainerRef::intended(false))
            .expect_err("must be refused");
    }

    #[test]
    fn a_name_becomes_a_host_name() {
        assert_eq!(hostname("Web_shop.2"), "Web-shop-2");
    }
}
