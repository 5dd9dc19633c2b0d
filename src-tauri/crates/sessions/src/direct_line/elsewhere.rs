//! Only a Linux host shares its kernel with a container.

use std::io;
use std::path::Path;

use mizzen_wire::DirectLine;

use crate::folder::FolderUser;

pub(super) fn listen(_status: &Path, _user: FolderUser) -> io::Result<DirectLine> {
    Err(io::ErrorKind::Unsupported.into())
}
