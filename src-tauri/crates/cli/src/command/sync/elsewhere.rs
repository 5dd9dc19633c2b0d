//! A side that lies in a container.

use std::path::{Path, PathBuf};

use mizzen_core::verb::ErrorCode;
use mizzen_core::{CONTAINER_SCHEME, CoreConfig, Outside};
use mizzen_sync::{End, EndpointError, Far, FarFolder, LinkId, LocalOptions, OpenSide};
use tokio::runtime::{Builder, Runtime};

use super::super::threads;
use super::did_not_work;
use crate::output::{Failure, failed};

/// A way to a container's folder. What was opened over it goes first.
pub(super) struct Way {
    /// As it was named.
    pub(super) address: PathBuf,
    pub(super) folder: FarFolder,
    /// Which container.
    pub(super) id: String,
    /// None once it was opened.
    far: Option<Far>,
    _outside: Outside,
    // It moves the bytes, on a thread of its own.
    _runtime: Runtime,
}

/// The address, when a side lies in a container.
fn address(side: &Path) -> Option<&str> {
    side.to_str()
        .filter(|side| side.starts_with(CONTAINER_SCHEME))
}

impl Way {
    /// A way to a side; none when it is a folder of this machine.
    pub(super) fn to(config: &CoreConfig, side: &Path) -> Result<Option<Self>, Failure> {
        let Some(address) = address(side) else {
            return Ok(None);
        };
        let runtime = threads(Builder::new_multi_thread().worker_threads(1))?;
        let outside = runtime.block_on(Outside::reach(config, address));
        let mut outside = outside.map_err(Failure::Api)?;
        let (from, to) = outside.container.stream.take().ok_or_else(in_use)?;
        let far = Far::new(from, to).and_then(|mut far| Ok((far.folder(&outside.path)?, far)));
        let (folder, far) = far.map_err(|error| no_folder(side, &error))?;
        Ok(Some(Self {
            address: side.to_owned(),
            folder,
            id: outside.container.id.clone(),
            far: Some(far),
            _outside: outside,
            _runtime: runtime,
        }))
    }

    /// How its folder is opened.
    pub(super) fn end<'a>(&mut self, link: LinkId, local: &'a LocalOptions) -> End<'a> {
        let side = OpenSide::like(local, self.folder.path.clone());
        let far = self.far.take();
        End::There(Box::new(move || {
            let gone = || EndpointError::Wire("it is in use already".to_owned());
            Ok(Box::new(far.ok_or_else(gone)?.open_for(link, side)?))
        }))
    }
}

fn in_use() -> Failure {
    did_not_work(
        "The way into the container is in use already.",
        "Run it again.",
    )
}

fn no_folder(side: &Path, error: &EndpointError) -> Failure {
    let message = format!("{} cannot be used: {error}.", side.display());
    match error {
        EndpointError::Wire(_) => did_not_work(&message, "Look whether its container runs."),
        EndpointError::Place { .. } | EndpointError::Rule(_) => failed(
            ErrorCode::Usage,
            message,
            "Name a folder of the container that its user may read.",
        ),
    }
}
