//! Files to and from containers, as tar archives in memory: nothing is ever unpacked on the host.

use std::io::Read;
use std::path::Path;

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::Method;

use crate::containers::segment;
use crate::deadline::{CHANGE, within};
use crate::transport::url_encoded;
use crate::{DockerError, Engine};

/// Files that a downloaded archive may hold.
const FILES_CAP: usize = 10_000;

/// Builds a tar archive in memory; equal content makes equal bytes.
pub struct TarBuilder {
    builder: tar::Builder<Vec<u8>>,
}

/// A path that a tar archive cannot hold.
#[derive(Debug, thiserror::Error)]
#[error("{path} cannot be put into an archive: {source}")]
pub struct TarError {
    path: String,
    source: std::io::Error,
}

impl Default for TarBuilder {
    fn default() -> Self {
        Self::new()
    }
}

impl TarBuilder {
    /// Starts an empty archive.
    #[must_use]
    pub fn new() -> Self {
        Self {
            builder: tar::Builder::new(Vec::new()),
        }
    }

    /// Adds a folder; the owner is (uid, gid).
    pub fn dir(&mut self, path: &str, mode: u32, owner: (u32, u32)) -> Result<(), TarError> {
        self.add(path, mode, owner, tar::EntryType::Directory, &[])
    }

    /// Adds a file; the owner is (uid, gid).
    pub fn file(
        &mut self,
        path: &str,
        mode: u32,
        owner: (u32, u32),
        content: &[u8],
    ) -> Result<(), TarError> {
        self.add(path, mode, owner, tar::EntryType::Regular, content)
    }

    fn add(
        &mut self,
        path: &str,
        mode: u32,
        (uid, gid): (u32, u32),
        kind: tar::EntryType,
        content: &[u8],
    ) -> Result<(), TarError> {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(kind);
        header.set_mode(mode);
        header.set_uid(uid.into());
        header.set_gid(gid.into());
        header.set_size(content.len() as u64);
        // Any fixed time will do: the archive's bytes are hashed and cached upon.
        header.set_mtime(1);
        self.builder
            .append_data(&mut header, path.trim_start_matches('/'), content)
            .map_err(|source| TarError {
                path: path.to_owned(),
                source,
            })
    }

    /// Ends the archive.
    #[must_use]
    pub fn finish(self) -> Bytes {
        self.builder
            .into_inner()
            .expect("BUG: a Vec takes all that is written")
            .into()
    }
}

/// A regular file out of an archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TarFile {
    /// Path within the archive, without `..` and not absolute.
    pub path: String,
    /// Permission bits.
    pub mode: u32,
    /// Content.
    pub content: Vec<u8>,
}

impl Engine {
    /// Unpacks a tar archive into a folder of a container, which may be stopped; owners and modes
    /// are those of the archive.
    pub async fn upload(&self, id: &str, folder: &str, tar: Bytes) -> Result<(), DockerError> {
        const OP: &str = "copy files into the container";
        let query = url_encoded(&[("path", folder), ("noOverwriteDirNonDir", "true")]);
        let path = format!("/containers/{}/archive?{query}", segment(OP, id)?);
        let transport = self.transport();
        let sent = transport.open_with_tar(OP, Method::PUT, &path, tar);
        within(OP, CHANGE, sent).await.map(drop)
    }

    /// Reads the regular files at and below a path of a container; links, devices and the like are
    /// left out, and an archive longer than `cap` bytes is refused.
    pub async fn download(
        &self,
        id: &str,
        path: &str,
        cap: usize,
    ) -> Result<Vec<TarFile>, DockerError> {
        const OP: &str = "copy files out of the container";
        let query = url_encoded(&[("path", path)]);
        let path = format!("/containers/{}/archive?{query}", segment(OP, id)?);
        let tar = within(OP, CHANGE, async {
            let response = self.transport().open(OP, Method::GET, &path, None).await?;
            let mut body = response.into_body();
            let mut tar = BytesMut::new();
            while let Some(frame) = body.frame().await {
                let frame = frame.map_err(|e| DockerError::broken(OP, &e))?;
                if let Some(data) = frame.data_ref() {
                    tar.extend_from_slice(data);
                }
                if tar.len() > cap {
                    let message = format!("there is more than {cap} bytes of it");
                    return Err(DockerError::bad_request(OP, message));
                }
            }
            Ok(tar.freeze())
        })
        .await?;
        regular_files(&tar).map_err(|e| DockerError::server(OP, format!("broken archive: {e}")))
    }
}

/// Picks the regular files out of an archive that a container's content decides on.
fn regular_files(tar: &[u8]) -> std::io::Result<Vec<TarFile>> {
    let mut files = Vec::new();
    for entry in tar::Archive::new(tar).entries()? {
        let mut entry = entry?;
        if entry.header().entry_type() != tar::EntryType::Regular {
            continue;
        }
        let Some(path) = contained(&entry.path()?) else {
            continue;
        };
        if files.len() == FILES_CAP {
            return Err(std::io::Error::other("too many files"));
        }
        // The header's size is a claim; the archive is as long as it is.
        let mut content = Vec::new();
        entry.read_to_end(&mut content)?;
        files.push(TarFile {
            path,
            mode: entry.header().mode()? & 0o777,
            content,
        });
    }
    Ok(files)
}

/// A path that stays where it is put, as text.
fn contained(path: &Path) -> Option<String> {
    use std::path::Component;
    let inside = path
        .components()
        .all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
    if inside {
        path.to_str().map(str::to_owned)
    } else {
        None
    }
}

#[cfg(test)]
mod tests;
