//! Joining a session's folder with its workspace.

use std::path::PathBuf;
use std::time::Duration;

use mizzen_docker::VolumeFact;
use mizzen_sessions::{NONCE_LABEL, SyncedWorkspace};
use mizzen_sync::told::Trouble;
use mizzen_sync::{
    Both, End, EndpointError, Folders, FoldersError, INTERVAL, Joining, LinkId, LinkOptions,
    LocalOptions, OpenSide, RemoteEndpoint, RuleSource, RulesError,
};

use super::standing;

/// New entries of the folder are everybody's to read, as an editor would make them.
const UMASK: u32 = 0o022;
/// Where the workspace lies in the container.
const WORKSPACE: &str = "/workspace";

/// What it takes to join both sides.
pub(super) struct Opening {
    pub(super) session: String,
    pub(super) project: PathBuf,
    /// What links remember lies below.
    pub(super) state: PathBuf,
    pub(super) id: LinkId,
    /// Git's ignore file for all repositories.
    pub(super) git_global: Option<PathBuf>,
}

/// What tells a session's workspace from all others.
pub(super) fn link_id(workspace: &SyncedWorkspace, volume: &VolumeFact) -> LinkId {
    let key = workspace.session.key();
    let texts = [workspace.owner.as_str(), &key].into_iter();
    let project = workspace.project.as_os_str().as_encoded_bytes();
    let texts = texts.chain(which(volume)).map(str::as_bytes);
    LinkId::new(std::iter::once(project).chain(texts))
}

/// What tells a volume from all others. One that was made again, even under its old name, is another one: what was agreed
/// on with the old one must not be read as deletions of the new one.
///
/// A volume wears the nonce of the container that it was made for. One that somebody else made is told by its time: some
/// engines tell another one whenever its root changes, and then nothing is known of it, and nothing deleted.
fn which(volume: &VolumeFact) -> [&str; 3] {
    let name = volume.name.as_str();
    match volume.labels.get(NONCE_LABEL) {
        Some(nonce) => [name, "nonce", nonce],
        None => [
            name,
            "time",
            volume.created_at.as_deref().unwrap_or_default(),
        ],
    }
}

impl Opening {
    /// Joins both sides, of which `remote` opens the one in the container; answers also how often all is looked at.
    pub(super) fn open(
        self,
        remote: impl FnOnce(OpenSide) -> Result<RemoteEndpoint, EndpointError>,
    ) -> Result<(Folders, Duration), Trouble> {
        let rules = RuleSource::new(&self.project, None, self.git_global).map_err(no_rules)?;
        let settings = rules
            .settings()
            .map_err(|error| no_rules(RulesError::from(error)))?;
        let local = LocalOptions::of(&settings, UMASK);
        let side = OpenSide::like(&local, WORKSPACE.into());
        let options = LinkOptions::of(&settings, true);
        let container = || Ok(Box::new(remote(side)?) as _);
        let names = self.project.display().to_string();
        let opened = Folders::join(Joining {
            ends: Both {
                host: End::Here(self.project),
                container: End::There(Box::new(container)),
            },
            names: Both {
                host: names,
                container: format!("session {}", self.session),
            },
            id: self.id,
            reversed: None,
            state: &self.state,
            options,
            local: &local,
            ruler: rules.into(),
        });
        let folders = opened.map_err(|error| not_joined(&error, &self.session))?;
        for aside in &folders.set_aside {
            let (file, why) = (aside.file.display(), &aside.why);
            tracing::warn!(session = self.session, %file, %why, "what both sides agreed on is not known any more");
        }
        Ok((folders, settings.interval.unwrap_or(INTERVAL)))
    }
}

fn no_rules(error: RulesError) -> Trouble {
    let hint = match &error {
        RulesError::Root(_) => "Put the project folder back; sync goes on by itself.",
        RulesError::Settings(_) | RulesError::Files(_) => {
            "Mend the file that is named; sync goes on by itself."
        }
    };
    Trouble::new(&error.to_string(), hint)
}

fn not_joined(error: &FoldersError, session: &str) -> Trouble {
    let hint = match error {
        FoldersError::Rules(error) => return Trouble::of(error, &standing::agree(session)),
        FoldersError::Root(_) => "Put the project folder back; sync goes on by itself.",
        FoldersError::Links => {
            "Say `symlinks = \"portable\"` or `\"ignore\"` in mizzen.toml; sync goes on by itself."
        }
        FoldersError::Nested(..) => "Use a project folder of its own.",
        FoldersError::Lock(_) => "End the other one, or wait for it; sync goes on by itself.",
        FoldersError::State(_) | FoldersError::Trash(_) => {
            "Check the permissions of Mizzen's state folder and the space on its disk."
        }
        FoldersError::Elsewhere(_) => {
            return Trouble::new(
                &error.to_string(),
                &format!("When it stays so: mizzen restart {session}"),
            );
        }
    };
    Trouble::new(&error.to_string(), hint)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use mizzen_docker::VolumeFact;
    use mizzen_sessions::NONCE_LABEL;

    #[cfg(unix)]
    use std::time::Duration;

    use super::which;

    fn volume(nonce: Option<&str>, created_at: &str) -> VolumeFact {
        let nonce = nonce.map(|nonce| (NONCE_LABEL.to_owned(), nonce.to_owned()));
        VolumeFact {
            name: "v".to_owned(),
            labels: BTreeMap::from_iter(nonce),
            created_at: Some(created_at.to_owned()),
        }
    }

    #[test]
    fn a_volume_that_was_made_again_is_another_one() {
        let ours = volume(Some("1"), "10:00");
        // Some engines tell when its root last changed.
        let [same, again] = [volume(Some("1"), "10:01"), volume(Some("2"), "10:00")];
        assert_eq!(which(&ours), which(&same));
        assert_ne!(which(&ours), which(&again));
        let [theirs, later] = ["10:00", "10:01"].map(|at| volume(None, at));
        assert_ne!(which(&theirs), which(&later));
        assert_ne!(which(&theirs), which(&volume(Some("10:00"), "10:00")));
    }

    /// How often everything is looked at, by what a project's settings say.
    #[cfg(unix)]
    fn interval(settings: &str) -> Duration {
        use std::os::unix::net::UnixStream;
        use std::thread;

        use mizzen_sync::{LinkId, OpenSide, RemoteEndpoint, Retention, ServeOptions, serve};

        use super::Opening;

        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        for folder in ["project", "workspace"] {
            std::fs::create_dir(at(folder)).unwrap();
        }
        mizzen_fsx::write_atomic(at("project/mizzen.toml"), settings.as_bytes()).unwrap();
        let opening = Opening {
            session: "web".to_owned(),
            project: at("project"),
            state: at("state"),
            id: LinkId::new([&b"test"[..]]),
            git_global: None,
        };
        let (ours, theirs) = UnixStream::pair().unwrap();
        // It ends with this process.
        thread::spawn(move || {
            let keep = Retention {
                age: Duration::MAX,
                bytes: u64::MAX,
            };
            let options = ServeOptions {
                umask: 0o022,
                retention: keep,
                now: mizzen_sync::now,
            };
            serve(theirs.try_clone()?, theirs, &options)
        });
        let workspace = at("workspace");
        let open = |side: OpenSide| {
            let side = OpenSide {
                path: workspace,
                ..side
            };
            RemoteEndpoint::open(ours.try_clone().unwrap(), ours, side)
        };
        opening.open(open).unwrap().1
    }

    #[cfg(unix)]
    #[test]
    fn a_project_says_how_often_everything_is_looked_at_and_else_it_is_every_five_minutes() {
        let seconds = Duration::from_secs;
        assert_eq!(interval(""), seconds(300));
        assert_eq!(interval("[sync]\ninterval = 7\n"), seconds(7));
    }
}
