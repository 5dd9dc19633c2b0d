//! What is remembered of a session, and what was about to be done to it.

use std::path::PathBuf;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::folder::FolderUser;
use crate::identity::Identity;
use crate::limits::Limits;
use crate::machine::Wanted;
use crate::name::SessionName;
use crate::workspace::WorkspaceKind;

/// One session in the registry.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Record {
    /// Its name, in the case it was given.
    pub(crate) name: SessionName,
    /// Project folder, without links.
    pub(crate) project: PathBuf,
    /// Engine it lives on.
    pub(crate) engine: String,
    /// What that engine called itself when it last had something of this session; none where it was not told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) engine_id: Option<String>,
    /// When it was made.
    pub(crate) created_at: Timestamp,
    /// Who `coder` is in its container.
    pub(crate) user: FolderUser,
    /// Limits in force.
    pub(crate) limits: Limits,
    /// How its workspace reaches the container.
    #[serde(default = "WorkspaceKind::of_old")]
    pub(crate) workspace: WorkspaceKind,
    /// The branch that its workspace's repository was made on; none without one.
    #[serde(default)]
    pub(crate) branch: Option<String>,
    /// Whether history has yet to be brought there or back.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) history_is_due: bool,
    /// What the volume of its workspace may hold that is nowhere else, once its container has ended; none when all is here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) only_there: Option<String>,
    /// Image that was asked for; none means Mizzen's own.
    pub(crate) requested_image: Option<String>,
    /// Image its container was made from; empty before the first.
    pub(crate) image: String,
    /// What the person last asked for.
    pub(crate) wanted: Wanted,
    /// What was begun and is not known to be over.
    pub(crate) intent: Option<Intent>,
    /// Its container, made or about to be.
    pub(crate) container: Option<ContainerRef>,
}

/// Work that leaves something half-made when it is cut off.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub(crate) enum Intent {
    /// The session is being made: cut off, it goes without a trace.
    Create {
        /// Volumes that did not exist before.
        new_volumes: Vec<String>,
    },
    /// A container is being made for a session that stays: cut off, only the container goes.
    Make,
    /// Everything is being taken away: cut off, it is taken away at the next start.
    Remove {
        /// Also the volumes.
        volumes: bool,
    },
}

/// A container by the intent that made it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ContainerRef {
    /// Label of the container, on disk before the engine hears of it.
    pub(crate) nonce: String,
    /// Full id; none while the engine has not answered.
    pub(crate) id: Option<String>,
    /// Whether its status directory is its own and comes over the wire, since its engine mounts nothing of this machine.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) carried: bool,
}

impl ContainerRef {
    /// A container that is yet to be made.
    pub(crate) fn intended(carried: bool) -> Self {
        Self {
            nonce: crate::identity::random_token(),
            id: None,
            carried,
        }
    }

    /// Name of the container, and of its network: the nonce keeps them apart from those of other owners.
    pub(crate) fn engine_name(&self, session: &SessionName) -> String {
        let short = &self.nonce[..8.min(self.nonce.len())];
        format!("mizzen-{session}-{short}")
    }
}

/// A volume of a session's home; it outlives containers, so the owner and not the nonce is in its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HomeVolume {
    /// `~/.config`
    Config,
    /// `~/.local`
    Local,
}

impl HomeVolume {
    pub(crate) const ALL: [Self; 2] = [Self::Config, Self::Local];

    /// Name of the volume.
    pub(crate) fn engine_name(self, owner: &Identity, session: &SessionName) -> String {
        let what = match self {
            Self::Config => "config",
            Self::Local => "local",
        };
        let short = &owner.as_str()[..8.min(owner.as_str().len())];
        format!("mizzen-{}-{short}-{what}", session.key())
    }

    /// Where it is mounted.
    pub(crate) fn target(self) -> &'static str {
        match self {
            Self::Config => "/home/coder/.config",
            Self::Local => "/home/coder/.local",
        }
    }
}

impl Record {
    /// Whether an engine of this id is another one than the session's.
    pub(crate) fn is_not_on(&self, engine_id: Option<&str>) -> bool {
        let known = self.engine_id.as_deref().zip(engine_id);
        known.is_some_and(|(ours, theirs)| ours != theirs)
    }

    /// Whether its container's status directory comes over the wire.
    pub(crate) fn is_carried(&self) -> bool {
        let container = self.container.as_ref();
        container.is_some_and(|container| container.carried)
    }

    /// Who must own what its container has written, where that can be told: what was carried is ours.
    pub(crate) fn reports_owner(&self) -> Option<u32> {
        let can_tell = cfg!(target_os = "linux") && !self.is_carried();
        can_tell.then_some(self.user.uid)
    }

    /// Name of the volume that holds a synced workspace. The folder is in it: a session of another folder that gets the
    /// same name later must not meet what this one left.
    pub(crate) fn workspace_volume(&self, owner: &Identity) -> Option<String> {
        self.workspace.has_volume().then(|| {
            let hash = Sha256::digest(self.project.as_os_str().as_encoded_bytes());
            let folder: String = hash[..4].iter().map(|byte| format!("{byte:02x}")).collect();
            let short = &owner.as_str()[..8.min(owner.as_str().len())];
            format!("mizzen-{}-{short}-workspace-{folder}", self.name.key())
        })
    }

    /// Names of all its volumes.
    pub(crate) fn volumes(&self, owner: &Identity) -> Vec<String> {
        let home = HomeVolume::ALL.map(|volume| volume.engine_name(owner, &self.name));
        home.into_iter()
            .chain(self.workspace_volume(owner))
            .collect()
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::{ContainerRef, HomeVolume, Identity, Intent, Record};
    use crate::folder::FolderUser;
    use crate::limits::Limits;
    use crate::machine::Wanted;
    use crate::name::SessionName;
    use crate::workspace::WorkspaceKind;

    /// Absolute on this system.
    const PROJECT: &str = if cfg!(windows) {
        r"C:\srv\web"
    } else {
        "/srv/web"
    };

    /// A record in the midst of being made.
    pub(crate) fn record(name: &str) -> Record {
        Record {
            name: SessionName::parse(name).unwrap(),
            project: PROJECT.into(),
            engine: "default".to_owned(),
            engine_id: None,
            created_at: "2026-01-02T03:04:05Z".parse().unwrap(),
            user: FolderUser {
                uid: 4321,
                gid: 4322,
            },
            limits: Limits {
                memory_bytes: 1 << 30,
                cpus: 1.5,
                pids: 512,
            },
            workspace: WorkspaceKind::Bind,
            branch: None,
            history_is_due: false,
            only_there: None,
            requested_image: None,
            image: "mizzen-session:0123456789ab".to_owned(),
            wanted: Wanted::Up,
            intent: Some(Intent::Create {
                new_volumes: vec!["v".to_owned()],
            }),
            container: Some(ContainerRef {
                nonce: "0011223344556677".to_owned(),
                id: None,
                carried: false,
            }),
        }
    }

    #[test]
    fn a_record_without_a_kind_is_one_of_a_mounted_folder() {
        let mut old = serde_json::to_value(record("web")).unwrap();
        old.as_object_mut().unwrap().remove("workspace").unwrap();
        let read: Record = serde_json::from_value(old).unwrap();
        assert_eq!(read, record("web"));
    }

    #[test]
    fn a_synced_workspace_belongs_to_one_session_of_one_folder() {
        let owner = Identity::of("0011223344556677");
        let mut web = record("Web");
        assert_eq!(web.workspace_volume(&owner), None);
        web.workspace = WorkspaceKind::Sync;
        let mut elsewhere = web.clone();
        elsewhere.project = "/srv/other".into();
        let names = [&web, &elsewhere].map(|record| record.workspace_volume(&owner).unwrap());
        let [here, there] = names.each_ref();
        assert!(here.starts_with("mizzen-web-00112233-workspace-"), "{here}");
        assert_ne!(here, there);
        assert_eq!(web.volumes(&owner).last(), Some(here));
    }

    #[test]
    fn things_on_an_engine_are_named_apart() {
        let owners = [
            Identity::of("0011223344556677"),
            Identity::of("8899aabbccddeeff"),
        ];
        let name = SessionName::parse("Web").unwrap();
        let volumes = owners
            .each_ref()
            .map(|owner| HomeVolume::Config.engine_name(owner, &name));
        assert_eq!(
            volumes,
            ["mizzen-web-00112233-config", "mizzen-web-8899aabb-config"]
        );
        assert_ne!(
            ContainerRef::intended(false).engine_name(&name),
            ContainerRef::intended(false).engine_name(&name)
        );
    }
}
