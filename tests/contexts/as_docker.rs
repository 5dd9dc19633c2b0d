//! Writes a store as the Docker command line does, its steps in its order, without the tenth of a second that each of
//! its commands takes.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use crate::killed::id;

/// What a context is made of.
pub(crate) struct Made<'a> {
    pub(crate) name: &'a str,
    pub(crate) description: &'a str,
    pub(crate) host: &'a str,
    /// Contents of `ca.pem`, `cert.pem` and `key.pem`.
    pub(crate) tls: Option<&'a [Vec<u8>; 3]>,
}

const PEM: [&str; 3] = ["ca.pem", "cert.pem", "key.pem"];

/// One side's `contexts` folder.
pub(crate) struct AsDocker(pub(crate) PathBuf);

impl AsDocker {
    fn meta(&self, name: &str) -> PathBuf {
        self.0.join("meta").join(id(name))
    }

    fn tls(&self, name: &str) -> PathBuf {
        self.0.join("tls").join(id(name))
    }

    /// `docker context create`, or `import`; whether there was none of that name.
    pub(crate) fn create(&self, made: &Made<'_>) -> io::Result<bool> {
        if self.meta(made.name).join("meta.json").exists() {
            return Ok(false);
        }
        self.write_meta(made)?;
        self.write_tls(made)?;
        Ok(true)
    }

    /// `docker context update --docker`; whether there was one.
    pub(crate) fn update(&self, made: &Made<'_>) -> io::Result<bool> {
        if !self.describe(made)? {
            return Ok(false);
        }
        let endpoint = self.tls(made.name).join("docker");
        for pem in ["ca.pem", "key.pem", "cert.pem"] {
            there(fs::remove_file(endpoint.join(pem)))?;
        }
        there(fs::remove_dir(&endpoint))?;
        self.write_tls(made)?;
        Ok(true)
    }

    /// `docker context update --description`; whether there was one.
    pub(crate) fn describe(&self, made: &Made<'_>) -> io::Result<bool> {
        if !self.meta(made.name).join("meta.json").exists() {
            return Ok(false);
        }
        self.write_meta(made)?;
        Ok(true)
    }

    /// `docker context rm -f`; whether there was one.
    pub(crate) fn remove(&self, name: &str) -> io::Result<bool> {
        let meta = self.meta(name);
        let was_there = there(fs::remove_file(meta.join("meta.json")))?;
        there(fs::remove_dir(&meta))?;
        let tls = self.tls(name);
        for pem in PEM {
            there(fs::remove_file(tls.join("docker").join(pem)))?;
        }
        there(fs::remove_dir(tls.join("docker")))?;
        there(fs::remove_dir(tls))?;
        Ok(was_there)
    }

    fn write_meta(&self, made: &Made<'_>) -> io::Result<()> {
        let Made {
            name,
            description,
            host,
            ..
        } = made;
        let meta = format!(
            r#"{{"Name":"{name}","Metadata":{{"Description":"{description}"}},"Endpoints":{{"docker":{{"Host":"{host}","SkipTLSVerify":false}}}}}}"#
        );
        write(&self.meta(name), 0o755, "meta.json", 0o644, meta.as_bytes())
    }

    fn write_tls(&self, made: &Made<'_>) -> io::Result<()> {
        let endpoint = self.tls(made.name).join("docker");
        let files = PEM.iter().zip(made.tls.into_iter().flatten());
        files
            .into_iter()
            .try_for_each(|(pem, bytes)| write(&endpoint, 0o700, pem, 0o600, bytes))
    }
}

/// Beside its place, and then into it.
#[expect(clippy::disallowed_methods, reason = "another program's doing")]
fn write(folder: &Path, folder_mode: u32, name: &str, mode: u32, bytes: &[u8]) -> io::Result<()> {
    let temporary = folder.join(format!(".tmp-{name}1"));
    loop {
        DirBuilder::new()
            .recursive(true)
            .mode(folder_mode)
            .create(folder)?;
        let mut options = OpenOptions::new();
        let options = options.write(true).create(true).truncate(true).mode(mode);
        let written = options
            .open(&temporary)
            .and_then(|mut file| file.write_all(bytes))
            .and_then(|()| fs::rename(&temporary, folder.join(name)));
        match written {
            // The mirror took the folder away in this moment; Docker would say so, and the person would try again.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            written => return written,
        }
    }
}

/// Whether there was anything to remove; a folder in which something has appeared stays, as with Docker.
fn there(removed: io::Result<()>) -> io::Result<bool> {
    match removed {
        Ok(()) => Ok(true),
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::DirectoryNotEmpty
            ) =>
        {
            Ok(false)
        }
        Err(error) => Err(error),
    }
}
