//! One context out of the store: `contexts/meta/<sha256 of the name>/meta.json` and its TLS files.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use mizzen_docker::TlsFiles;
use mizzen_fsx::{At as _, PathError};
use sha2::{Digest, Sha256};

use crate::json::Json;

/// Longest file of the CLI that is read.
const FILE_CAP: u64 = 1 << 20;

/// A context's Docker endpoint.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Stored {
    /// Address as written; empty means the platform's own.
    pub(crate) host: String,
    /// Where the connection has to be TLS, what it is made from.
    pub(crate) tls: Option<TlsFiles>,
}

/// Why a file of the CLI cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// It cannot be read.
    #[error(transparent)]
    Unreadable(#[from] PathError),
    /// It is not what the CLI would accept.
    #[error("{path}: {reason}", path = path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
}

/// Reads a context by name; none when the store does not have it.
pub(crate) fn read_context(config: &Path, name: &str) -> Result<Option<Stored>, StoreError> {
    let id = context_id(name);
    let path = config.join("contexts/meta").join(&id).join("meta.json");
    let Some(meta) = read_json(&path)? else {
        return Ok(None);
    };
    let malformed = |reason: String| StoreError::Malformed {
        path: path.clone(),
        reason,
    };
    let wrong = |error: crate::json::WrongType| malformed(error.to_string());
    // The CLI lists such a context under its inner name, and can use it under neither.
    if meta.text("Name").map_err(wrong)? != name {
        return Err(malformed(
            "it names another context than its folder".to_owned(),
        ));
    }
    let endpoint = meta.field("Endpoints").entry("docker");
    if !matches!(endpoint, Json::Object(_)) {
        return Err(malformed("it has no Docker endpoint".to_owned()));
    }
    let host = endpoint.text("Host").map_err(wrong)?.to_owned();
    let skip_verify = endpoint.truth("SkipTLSVerify").map_err(wrong)?;
    let folder = config.join("contexts/tls").join(id).join("docker");
    let tls = if skip_verify || has_tls_material(&folder) {
        Some(read_tls(&folder, skip_verify)?)
    } else {
        None
    };
    Ok(Some(Stored { host, tls }))
}

/// Name of a context's folder.
pub(crate) fn context_id(name: &str) -> String {
    Sha256::digest(name)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// Whether any file is there: an update of the CLI removes and rewrites them one by one, and a
/// set that is not whole still means TLS.
fn has_tls_material(folder: &Path) -> bool {
    let mut entries = folder.read_dir().into_iter().flatten();
    entries.any(|entry| entry.is_ok())
}

/// Reads what there is of a folder's TLS files.
pub(crate) fn read_tls(folder: &Path, skip_verify: bool) -> Result<TlsFiles, StoreError> {
    let part = |name: &str| read_file(&folder.join(name));
    Ok(TlsFiles {
        ca: part("ca.pem")?,
        cert: part("cert.pem")?,
        key: part("key.pem")?,
        skip_verify,
    })
}

/// Names of the folders in a folder, at most so many; none when there is no such folder.
pub(crate) fn folders(of: &Path, most: usize) -> Result<Vec<String>, StoreError> {
    let entries = match of.read_dir() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        read => read.at(of)?,
    };
    let is_folder = |entry: &std::fs::DirEntry| entry.file_type().is_ok_and(|kind| kind.is_dir());
    let folders = entries.flatten().filter(is_folder);
    let names = folders.filter_map(|entry| entry.file_name().into_string().ok());
    Ok(names.take(most).collect())
}

/// The name that a context's folder says it is of; none when it says nothing.
pub(crate) fn name_in(folder: &Path) -> Result<Option<String>, StoreError> {
    let path = folder.join("meta.json");
    let json = read_json(&path)?;
    let name = json
        .map(|json| json.text("Name").map(str::to_owned))
        .transpose();
    name.map_err(|error| StoreError::Malformed {
        path,
        reason: error.to_string(),
    })
}

/// Reads the context that the CLI's configuration names; empty when it names none.
pub(crate) fn current_context(config: &Path) -> Result<String, StoreError> {
    let path = config.join("config.json");
    let Some(json) = read_json(&path)? else {
        return Ok(String::new());
    };
    let name = json.text("currentContext").map(str::to_owned);
    name.map_err(|error| StoreError::Malformed {
        path,
        reason: error.to_string(),
    })
}

/// Reads a file as a JSON object; none when there is no file.
fn read_json(path: &Path) -> Result<Option<Json>, StoreError> {
    let Some(text) = read_file(path)? else {
        return Ok(None);
    };
    let malformed = |reason: String| StoreError::Malformed {
        path: path.to_owned(),
        reason,
    };
    match serde_json::from_slice(&text) {
        Ok(json @ Json::Object(_)) => Ok(Some(json)),
        Ok(_) => Err(malformed("it is not a JSON object".to_owned())),
        Err(error) => Err(malformed(error.to_string())),
    }
}

fn read_file(path: &Path) -> Result<Option<Vec<u8>>, PathError> {
    match path.metadata() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        // A pipe would hang the read, as it hangs the CLI.
        Ok(meta) if !meta.is_file() => return refused("not a regular file").at(path),
        found => found.map(drop).at(path)?,
    }
    let mut text = Vec::new();
    let file = File::open(path).at(path)?;
    file.take(FILE_CAP + 1).read_to_end(&mut text).at(path)?;
    if text.len() as u64 > FILE_CAP {
        return refused("too large").at(path);
    }
    Ok(Some(text))
}

fn refused<T>(reason: &str) -> io::Result<T> {
    Err(io::Error::new(io::ErrorKind::InvalidData, reason))
}
