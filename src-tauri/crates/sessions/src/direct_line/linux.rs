//! The directory is the container's to write: its entries are reached by a handle, and none is ever connected to,
//! opened for its content, or followed.

use std::io::{self, Read};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::net::UnixListener;
use std::path::Path;

use mizzen_wire::{BoxedIo, DirectLine, Offer, Token};
use rustix::fs::{
    AtFlags, FileType, Gid, Mode, OFlags, Uid, chownat, fchmod, fstat, open, openat, unlinkat,
};
use rustix::io::Errno;
use rustix::net::{
    AddressFamily, SocketAddrUnix, SocketFlags, SocketType, bind, listen as wait, socket_with,
};
use rustix::process::geteuid;
use tokio::net::UnixStream;

use crate::folder::FolderUser;

/// The socket's name in the status directory.
const NAME: &str = "direct-line.sock";

/// Callers that wait in line. The kernel turns others away, and the wire then stays on stdio.
const CALLERS: usize = 64;

/// The socket's name; gone when dropped.
struct Entry(OwnedFd);

impl Drop for Entry {
    fn drop(&mut self) {
        let _ = unlinkat(&self.0, NAME, AtFlags::empty());
    }
}

/// Listens until the line is dropped or its caller was looked for.
pub(super) fn listen(status: &Path, user: FolderUser) -> io::Result<DirectLine> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let dir = open(status, flags, Mode::empty())?;
    match unlinkat(&dir, NAME, AtFlags::empty()) {
        // A core that was killed in a handshake leaves its socket.
        Ok(()) | Err(Errno::NOENT) => {}
        Err(error) => return Err(error.into()),
    }
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
    // Before it has a name: the name gets this mode, and is at no time open to others.
    fchmod(&socket, Mode::RUSR | Mode::WUSR)?;
    // Through the handle, and short: a socket's address has no more than 107 bytes.
    let address = SocketAddrUnix::new(format!("/proc/self/fd/{}/{NAME}", dir.as_raw_fd()))?;
    bind(&socket, &address)?;
    let entry = Entry(dir);
    if geteuid().is_root() {
        give(&entry.0, user)?;
    }
    wait(&socket, i32::try_from(CALLERS).unwrap_or(i32::MAX))?;
    let token = Token::new(rand::random());
    let offer = Offer {
        socket: NAME.to_owned(),
        token: token.clone(),
    };
    let listener = UnixListener::from(socket);
    let caller = Box::new(move || {
        let _entry = entry;
        find(&listener, &token).map(|caller| Box::new(caller) as BoxedIo)
    });
    Ok(DirectLine { offer, caller })
}

/// Lets the container's user call a socket that root has bound.
fn give(dir: &OwnedFd, user: FolderUser) -> io::Result<()> {
    let entry = openat(
        dir,
        NAME,
        OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC,
        Mode::empty(),
    )?;
    let found = fstat(&entry)?;
    // RACE: the container may have put something else in its place.
    let ours = FileType::from_raw_mode(found.st_mode) == FileType::Socket
        && found.st_nlink == 1
        && found.st_uid == geteuid().as_raw();
    if !ours {
        return Err(io::Error::other("the socket was replaced"));
    }
    let (uid, gid) = (Uid::from_raw(user.uid), Gid::from_raw(user.gid));
    chownat(&entry, "", Some(uid), Some(gid), AtFlags::EMPTY_PATH)?;
    Ok(())
}

/// The caller with the token, among all that wait in line; the others are hung up on.
fn find(listener: &UnixListener, token: &Token) -> Option<UnixStream> {
    // One more than the kernel lets wait; who keeps calling does not keep us.
    for _ in 0..=CALLERS + 1 {
        let (mut caller, _) = listener.accept().ok()?;
        let mut sent = [0; Token::LENGTH];
        let heard = caller
            .set_nonblocking(true)
            .and_then(|()| caller.read(&mut sent));
        if heard.is_ok_and(|length| token.matches(&sent[..length])) {
            return UnixStream::from_std(caller).ok();
        }
    }
    None
}
