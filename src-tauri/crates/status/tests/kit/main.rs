//! The conformance kit in `docs/protocol`: its golden files are read as it says, its schemas hold for them and for all
//! that our own writers write.
#![allow(clippy::unwrap_used, reason = "a test ends where its rig fails")]

mod golden;
mod read;
mod written;

use std::fs;
use std::path::{Path, PathBuf};

use jsonschema::Validator;

fn kit() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../docs/protocol")
}

fn schema(name: &str) -> Validator {
    let text = fs::read_to_string(kit().join("schema").join(name)).unwrap();
    let options = jsonschema::options().should_validate_formats(true);
    options
        .build(&serde_json::from_str(&text).unwrap())
        .unwrap()
}

/// The kinds of golden files, with the names that their readers look for and their schemas.
const KINDS: [(&str, &str, &str); 6] = [
    ("status", "status.json", "status.json"),
    ("commands", "commands.json", "commands.json"),
    ("metrics", "metrics.json", "metrics.json"),
    ("registry", "registry.json", "registry.json"),
    ("state", "feature-auth.state", "session.state.json"),
    ("docker", "feature-auth.docker", "session.docker.json"),
];
