//! Labels of our containers: what they are, whose they are, and by which intent they were made.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::identity::{Identity, is_token};
use crate::name::SessionName;
use crate::workspace::WorkspaceKind;

const APP: &str = "dev.mizzen.app";
const APP_VALUE: &str = "mizzen";
const SCHEMA: &str = "dev.mizzen.schema";
const SCHEMA_VALUE: &str = "1";
const SESSION: &str = "dev.mizzen.session";
const PROJECT: &str = "dev.mizzen.project";
pub(crate) const OWNER: &str = "dev.mizzen.owner";
/// Label of what was made for a session: which intent made it. No two have the same.
pub const NONCE_LABEL: &str = "dev.mizzen.nonce";
/// Only on a container, and only when its workspace is not the folder itself.
pub(crate) const WORKSPACE: &str = "dev.mizzen.workspace";

/// Only on a container, and only when nothing of the host is mounted in it.
pub(crate) const FILES: &str = "dev.mizzen.files";
pub(crate) const CARRIED: &str = "carried";

/// Label of an image: the hash of the supervisor it holds.
pub(crate) const SUPERVISOR: &str = "dev.mizzen.supervisor";

/// What a container's labels say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Claim {
    pub(crate) session: SessionName,
    pub(crate) project: PathBuf,
    pub(crate) nonce: String,
    pub(crate) workspace: WorkspaceKind,
    /// Its status directory comes over the wire.
    pub(crate) carried: bool,
}

/// What is to be thought of a container by its labels alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Reading {
    /// It is nothing of ours, or belongs to another owner: invisible.
    Foreign,
    /// It carries our owner's id and what it says makes no sense.
    Unreadable(&'static str),
    /// It claims to be a session of ours.
    Claims(Claim),
}

/// Labels for everything made for a session by one intent.
pub(crate) fn make(
    owner: &Identity,
    session: &SessionName,
    project: &Path,
    nonce: &str,
) -> BTreeMap<String, String> {
    [
        (APP, APP_VALUE),
        (SCHEMA, SCHEMA_VALUE),
        (SESSION, session.as_str()),
        (PROJECT, &project.to_string_lossy()),
        (OWNER, owner.as_str()),
        (NONCE_LABEL, nonce),
    ]
    .into_iter()
    .map(|(key, value)| (key.to_owned(), value.to_owned()))
    .collect()
}

/// Reads labels; anything on the engine may have written them.
pub(crate) fn read(labels: &BTreeMap<String, String>, owner: &Identity) -> Reading {
    let get = |key: &str| labels.get(key).map(String::as_str);
    if get(APP) != Some(APP_VALUE) || get(OWNER) != Some(owner.as_str()) {
        return Reading::Foreign;
    }
    if get(SCHEMA) != Some(SCHEMA_VALUE) {
        return Reading::Unreadable("it was made by another version of Mizzen");
    }
    let Some(session) = get(SESSION).and_then(|text| SessionName::parse(text).ok()) else {
        return Reading::Unreadable("its session name is malformed");
    };
    let Some(nonce) = get(NONCE_LABEL).filter(|text| is_token(text)) else {
        return Reading::Unreadable("its nonce is malformed");
    };
    let project = PathBuf::from(get(PROJECT).unwrap_or_default());
    if !project.is_absolute() {
        return Reading::Unreadable("its project folder is malformed");
    }
    let Some(workspace) = WorkspaceKind::of_word(get(WORKSPACE)) else {
        return Reading::Unreadable("its kind of workspace is unknown");
    };
    Reading::Claims(Claim {
        session,
        project,
        nonce: nonce.to_owned(),
        workspace,
        carried: get(FILES) == Some(CARRIED),
    })
}

/// The session a container claims to be, sanitised, for showing.
pub(crate) fn shown_session(labels: &BTreeMap<String, String>) -> String {
    labels
        .get(SESSION)
        .map(|text| mizzen_status::sanitise(text, 80))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{
        Claim, NONCE_LABEL, OWNER, PROJECT, Reading, SCHEMA, SESSION, WORKSPACE, make, read,
    };
    use crate::identity::Identity;
    use crate::name::SessionName;
    use crate::workspace::WorkspaceKind;

    const OURS: &str = "0011223344556677";
    const FOLDER: &str = if cfg!(windows) {
        r"C:\srv\web shop"
    } else {
        "/srv/web shop"
    };
    const NONCE_VALUE: &str = "8899aabbccddeeff";

    #[test]
    fn labels_say_what_was_written_and_only_to_their_owner() {
        let name = SessionName::parse("Web.1").unwrap();
        let labels = make(&Identity::of(OURS), &name, Path::new(FOLDER), NONCE_VALUE);
        let claim = Claim {
            session: name,
            project: FOLDER.into(),
            nonce: NONCE_VALUE.to_owned(),
            workspace: WorkspaceKind::Bind,
            carried: false,
        };
        assert_eq!(read(&labels, &Identity::of(OURS)), Reading::Claims(claim));
        assert_eq!(
            read(&labels, &Identity::of("ffffffffffffffff")),
            Reading::Foreign
        );
    }

    /// Bad input 56 of the security research: a container may wear any labels.
    #[test]
    fn forged_labels_claim_nothing() {
        let name = SessionName::parse("web").unwrap();
        let good = make(
            &Identity::of(OURS),
            &name,
            Path::new("/srv/web"),
            NONCE_VALUE,
        );
        for (key, value) in [
            (SESSION, "../../etc"),
            (SESSION, "shared"),
            (NONCE_LABEL, "1"),
            (NONCE_LABEL, "../../../../etc/x"),
            (PROJECT, "relative"),
            (PROJECT, ""),
            (SCHEMA, "2"),
            (WORKSPACE, "elsewhere"),
        ] {
            let mut forged = good.clone();
            forged.insert(key.to_owned(), value.to_owned());
            let reading = read(&forged, &Identity::of(OURS));
            assert!(
                matches!(reading, Reading::Unreadable(_)),
                "{key}={value}: {reading:?}"
            );
        }
        let mut other = good;
        other.remove(OWNER);
        assert_eq!(read(&other, &Identity::of(OURS)), Reading::Foreign);
    }
}
