//! Makes the container side: its folder, its `config.json`, and the one context that it has for itself.

use serde_json::{Map, Value, json};

use super::config::{self, Config};
use super::publish::Publisher;
use super::{MirrorError, World, make_private};
use crate::inventory::{Entry, Root};
use crate::payload::{Bytes, Payload};
use crate::store::context_id;

/// What containers reach their engine by.
pub(crate) const OWN: &str = "containai-docker";

/// What was made; what was there already stays as it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SetUp {
    /// The folder.
    pub folder: bool,
    /// Its `config.json`.
    pub config: bool,
    /// The context `containai-docker`.
    pub context: bool,
}

pub(super) fn set_up(root: &Root, socket: &str, world: &dyn World) -> Result<SetUp, MirrorError> {
    let mut done = SetUp {
        folder: !root.config.exists(),
        ..SetUp::default()
    };
    if done.folder {
        make_private(&root.config)?;
    }
    if Config::read(root) == Config::Missing {
        let members = Map::from_iter([("currentContext".to_owned(), Value::from(OWN))]);
        config::write(root, &members)?;
        done.config = true;
    }
    let publisher = Publisher::open(root, world)?;
    let store = root.open();
    let store = store.map_err(super::publish::PublishError::from)?;
    if matches!(store.read(&context_id(OWN)), Entry::Nothing) {
        publisher.put(None, &own(socket))?;
        publisher.clear()?;
        done.context = true;
    }
    Ok(done)
}

/// As the CLI would write it.
fn own(socket: &str) -> Payload {
    let docker = json!({ "Host": socket, "SkipTLSVerify": false });
    // In the CLI's order, which a map would not keep.
    let meta = format!(
        r#"{{"Name":"{OWN}","Metadata":{{"Description":"The engine that this container may use"}},"Endpoints":{{"docker":{docker}}}}}"#
    );
    Payload {
        name: OWN.to_owned(),
        meta: Bytes(meta.into_bytes()),
        tls: Vec::new(),
    }
}
