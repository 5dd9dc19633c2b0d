//! The local socket itself: a Unix socket in a private directory, a named pipe on Windows.

use std::io;

use interprocess::local_socket::tokio::prelude::*;
use interprocess::local_socket::tokio::{Listener, Stream};
use interprocess::local_socket::{ListenerOptions, Name};

use crate::dirs::Dirs;

/// Listens. The caller holds the core's lock: whatever lies at the socket's path is stale.
pub(crate) fn listen(dirs: &Dirs) -> io::Result<Listener> {
    platform::clear_stale(dirs)?;
    platform::protect(ListenerOptions::new().name(platform::name(dirs)?))?.create_tokio()
}

pub(crate) async fn connect(dirs: &Dirs) -> io::Result<Stream> {
    Stream::connect(platform::name(dirs)?).await
}

/// Whether the peer is our own user. The directory's mode already keeps others out; this holds
/// when somebody loosened it.
pub(crate) fn is_own_user(stream: &Stream) -> bool {
    platform::is_own_user(stream)
}

#[cfg(unix)]
mod platform {
    use std::fs;
    use std::os::unix::fs::FileTypeExt;

    use interprocess::local_socket::{GenericFilePath, ToFsName};
    use interprocess::os::unix::local_socket::ListenerOptionsExt;

    use interprocess::local_socket::traits::StreamCommon;

    use super::{Dirs, ListenerOptions, Name, Stream, io};

    pub(super) fn name(dirs: &Dirs) -> io::Result<Name<'static>> {
        dirs.control_socket().to_fs_name::<GenericFilePath>()
    }

    pub(super) fn clear_stale(dirs: &Dirs) -> io::Result<()> {
        let path = dirs.control_socket();
        match fs::symlink_metadata(&path) {
            Ok(meta) if meta.file_type().is_socket() => fs::remove_file(&path),
            Ok(_) => Err(io::Error::new(
                io::ErrorKind::AlreadyExists,
                format!("{} is not a socket", path.display()),
            )),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// On Linux the mode is set on the socket before it is bound; elsewhere the directory's has to do.
    pub(super) fn protect(options: ListenerOptions<'_>) -> io::Result<ListenerOptions<'_>> {
        if cfg!(target_os = "linux") {
            Ok(options.mode(0o600))
        } else {
            Ok(options)
        }
    }

    pub(super) fn is_own_user(stream: &Stream) -> bool {
        let own = rustix::process::geteuid().as_raw();
        stream
            .peer_creds()
            .is_ok_and(|peer| peer.euid() == Some(own))
    }
}

#[cfg(windows)]
mod platform {
    use interprocess::local_socket::{GenericNamespaced, ToNsName};
    use interprocess::os::windows::local_socket::ListenerOptionsExt;
    use interprocess::os::windows::security_descriptor::SecurityDescriptor;
    use sha2::{Digest, Sha256};

    use super::{Dirs, ListenerOptions, Name, Stream, io};

    /// Pipe names are global: the runtime directory, which is the user's own, makes ours unique.
    pub(super) fn name(dirs: &Dirs) -> io::Result<Name<'static>> {
        let digest = Sha256::digest(dirs.control_socket().as_os_str().as_encoded_bytes());
        let short: String = digest
            .iter()
            .take(8)
            .map(|byte| format!("{byte:02x}"))
            .collect();
        format!("mizzen-{short}").to_ns_name::<GenericNamespaced>()
    }

    /// A pipe ends with its process.
    pub(super) fn clear_stale(_dirs: &Dirs) -> io::Result<()> {
        Ok(())
    }

    /// Owner and system only: Windows' default lets everyone read.
    pub(super) fn protect(options: ListenerOptions<'_>) -> io::Result<ListenerOptions<'_>> {
        let owner_only = widestring::u16cstr!("D:P(A;;GA;;;OW)(A;;GA;;;SY)");
        Ok(options.security_descriptor(SecurityDescriptor::deserialize(owner_only)?))
    }

    /// The pipe's security descriptor has already refused everybody else.
    pub(super) fn is_own_user(_stream: &Stream) -> bool {
        true
    }
}
