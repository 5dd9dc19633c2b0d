//! A side that lies in a container.

use std::fs;
use std::path::Path;

use mizzen_core::{CONTAINER_SCHEME, CoreConfig, Outside};
use mizzen_sync::{Endpoint, EndpointError, LinkId, LocalOptions, OpenSide, RemoteEndpoint};
use tokio::runtime::{Builder, Runtime};

use super::super::threads;
use crate::output::Failure;

/// A way to a container's folder. What was opened over it goes first.
pub(super) struct Way {
    outside: Outside,
    // It moves the bytes, on a thread of its own.
    _runtime: Runtime,
}

/// The address, when a side lies in a container.
pub(super) fn address(side: &Path) -> Option<&str> {
    side.to_str()
        .filter(|side| side.starts_with(CONTAINER_SCHEME))
}

impl Way {
    pub(super) fn to(config: &CoreConfig, address: &str) -> Result<Self, Failure> {
        let runtime = threads(Builder::new_multi_thread().worker_threads(1))?;
        let outside = runtime.block_on(Outside::reach(config, address));
        Ok(Self {
            outside: outside.map_err(Failure::Api)?,
            _runtime: runtime,
        })
    }

    /// Another container is another side, also under the same name.
    pub(super) fn link(&self, host: &Path) -> LinkId {
        let host = fs::canonicalize(host).unwrap_or_else(|_| host.to_owned());
        let [host, path] =
            [&host, &self.outside.path].map(|path| path.as_os_str().as_encoded_bytes());
        LinkId::new([host, self.outside.container.id.as_bytes(), path])
    }

    pub(super) fn side(
        &mut self,
        local: &LocalOptions,
    ) -> Result<Box<dyn Endpoint>, EndpointError> {
        let side = OpenSide::like(local, self.outside.path.clone());
        let gone = || EndpointError::Wire("it is in use already".to_owned());
        let (from, to) = self.outside.container.stream.take().ok_or_else(gone)?;
        Ok(Box::new(RemoteEndpoint::open(from, to, side)?))
    }
}
