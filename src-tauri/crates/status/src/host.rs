//! The files that only the host writes.

use std::collections::BTreeMap;

use mizzen_fsx::SafeDir;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use crate::HealthEndpoint;
use crate::document::{Keep, Reading, parse_object, read_object};
use crate::fields::{self, Object};
use crate::text::{TEXT_CAP, sanitise};
use crate::words::words;
use crate::{REGISTRY_FILE, SCHEMA};

pub(crate) const SESSION_CAP: u64 = 256 * 1024;
pub(crate) const DOCKER_CAP: u64 = 64 * 1024;
pub(crate) const REGISTRY_CAP: u64 = 1024 * 1024;
/// Most containers that a registry lists.
const ENTRIES: usize = 500;

words! {
    /// Where a session stands in the eyes of tools that read `{session}.state`.
    pub enum SessionWord {
        /// In use, or kept for use.
        Active = "Active",
        /// Done, waiting for its person.
        Review = "Review",
        /// Brought to its end.
        Finished = "Finished",
        /// Given up.
        Cancelled = "Cancelled",
    }
}

impl<'de> Deserialize<'de> for SessionWord {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::from)
    }
}

/// `{session}.state`: a session for tools that know nothing of Mizzen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SessionFile {
    /// The session's name.
    pub name: String,
    /// Its branch; empty without one.
    #[serde(default)]
    pub branch: String,
    /// Its project folder on the host.
    pub worktree_path: String,
    /// When it was made, RFC 3339.
    pub created_at: String,
    /// Where it stands.
    pub status: SessionWord,
    /// The prompt it was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task_description: Option<String>,
    /// When something last happened, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_activity: Option<String>,
    /// Whether it lives in a container.
    #[serde(default)]
    pub is_docker: bool,
    /// `"Worktree"` or `{"Container": {"container_id": …}}`, as older tools wrote it.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub session_type: Value,
    /// Fields of others, kept.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// The one profile that Mizzen makes containers with: never root, without capabilities and new privileges, within limits
/// of memory, processors and processes, and with no port published.
pub const SECURITY_PROFILE: &str = "restricted";

/// `{session}.docker`: a session's container. Holds names of environment variables, no values.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DockerFile {
    /// Schema that it was written with.
    pub schema: u64,
    /// The session's name.
    pub session_name: String,
    /// The container's id.
    pub container_id: String,
    /// The container's state when this was written.
    pub status: String,
    /// Image it was made from, as it was asked for.
    pub image: String,
    /// The engine's id of that image, which stands for what is in it: `sha256:…`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image_digest: Option<String>,
    /// When the container was made, RFC 3339.
    pub created_at: String,
    /// Proves with the container's label that it is ours.
    pub nonce: String,
    /// Where the engine is: `context` and `id`.
    #[serde(default)]
    pub engine: BTreeMap<String, String>,
    /// Environment variables by name; every value is empty.
    #[serde(default)]
    pub environment: BTreeMap<String, String>,
    /// Names of its volumes.
    #[serde(default)]
    pub volumes: Vec<String>,
    /// Ports that are published; ours publish none.
    #[serde(default)]
    pub ports: Vec<String>,
    /// What it was made with, in a word: see [`SECURITY_PROFILE`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub security_profile: Option<String>,
    /// Fields of others, kept.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// `shared/registry.json`: the containers of one project.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Registry {
    /// Schema that it was written with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schema: Option<u64>,
    /// One entry per container, at most 500.
    pub containers: Vec<RegistryEntry>,
    /// When it was written, RFC 3339.
    pub last_updated: String,
    /// Fields of others, kept.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// One container of the registry.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RegistryEntry {
    /// The session's name.
    pub session_name: String,
    /// 12 to 64 hexadecimal digits.
    pub container_id: String,
    /// The container's state.
    pub status: String,
    /// When it last started, RFC 3339; none for one that never did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started_at: Option<String>,
    /// Port in the container to port on the host; we publish none.
    pub host_port_mappings: BTreeMap<String, String>,
    /// Where its health can be asked for, as seen in the container.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub health_endpoint: Option<HealthEndpoint>,
    /// Fields of others, kept.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// Reads `{session}.state`.
#[must_use]
pub fn read_session_file(dir: &SafeDir, session: &str, uid: Option<u32>) -> Reading<SessionFile> {
    read_object(dir, &format!("{session}.state"), SESSION_CAP, uid).and_then(typed)
}

/// Reads `{session}.docker`.
#[must_use]
pub fn read_docker_file(dir: &SafeDir, session: &str, uid: Option<u32>) -> Reading<DockerFile> {
    read_object(dir, &format!("{session}.docker"), DOCKER_CAP, uid)
        .and_then(known)
        .and_then(typed)
}

/// Reads `registry.json` in a project's `shared` directory; entries that make no sense are dropped.
#[must_use]
pub fn read_registry(dir: &SafeDir, uid: Option<u32>) -> Reading<Registry> {
    read_object(dir, REGISTRY_FILE, REGISTRY_CAP, uid)
        .and_then(known)
        .and_then(registry)
}

impl std::str::FromStr for Registry {
    type Err = Keep;

    /// Reads a registry that came another way than by a file, with the same tolerance.
    fn from_str(json: &str) -> Result<Self, Keep> {
        if json.len() as u64 > REGISTRY_CAP {
            return Err(Keep::Invalid(format!("larger than {REGISTRY_CAP} bytes")));
        }
        parse_object(json.as_bytes())
            .and_then(known)
            .and_then(registry)
    }
}

pub(crate) fn typed<T: for<'de> Deserialize<'de>>(object: Object) -> Result<T, Keep> {
    serde_json::from_value(Value::Object(object))
        .map_err(|error| Keep::Invalid(sanitise(&error.to_string(), TEXT_CAP)))
}

/// A newer schema may mean something else by the same names: never rewritten by this version.
pub(crate) fn known(object: Object) -> Result<Object, Keep> {
    match object.get("schema").and_then(Value::as_u64) {
        Some(newer) if newer > SCHEMA => Err(Keep::Newer(newer)),
        _ => Ok(object),
    }
}

pub(crate) fn registry(mut object: Object) -> Result<Registry, Keep> {
    let from = &mut object;
    let entries = fields::list(from, "containers").into_iter().take(ENTRIES);
    Ok(Registry {
        schema: fields::whole(from, "schema"),
        containers: entries.filter_map(entry).collect(),
        last_updated: fields::word(from, "last_updated").unwrap_or_default(),
        extra: object,
    })
}

fn entry(value: Value) -> Option<RegistryEntry> {
    let Value::Object(mut object) = value else {
        return None;
    };
    let from = &mut object;
    let mut ports = fields::words(from, "host_port_mappings");
    ports.retain(|inside, outside| is_port(inside) && is_port(outside));
    Some(RegistryEntry {
        session_name: fields::word(from, "session_name")?,
        container_id: fields::word(from, "container_id").filter(|id| is_container_id(id))?,
        status: fields::word(from, "status").unwrap_or_default(),
        started_at: fields::word(from, "started_at").filter(|at| !at.is_empty()),
        host_port_mappings: ports,
        health_endpoint: fields::parsed(from, "health_endpoint"),
        extra: object,
    })
}

fn is_container_id(id: &str) -> bool {
    (12..=64).contains(&id.len()) && id.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

/// `8080`, or `8080/tcp` as engines write it.
fn is_port(text: &str) -> bool {
    let number = text
        .strip_suffix("/tcp")
        .or(text.strip_suffix("/udp"))
        .unwrap_or(text);
    number.bytes().all(|b| b.is_ascii_digit()) && number.parse::<u16>().is_ok_and(|port| port > 0)
}

#[cfg(test)]
mod tests;
