//! The network of a session's container.
//!
//! An engine has addresses for some thirty networks, for everybody who uses it. So a session that is stopped gives its
//! network back. One whose container others ended keeps it at first: `docker restart` and `docker start` want it there.
//! It goes when Mizzen finds no address for another, or with `docker network prune`.

use mizzen_docker::{ContainerFact, ContainerSpec, DockerError, DockerErrorKind};

use super::Job;
use crate::error::SessionError;

impl Job {
    /// Makes the network of a container. Where the engine has no addresses left, containers that are down give
    /// theirs back.
    pub(super) async fn make_network(&self, spec: &ContainerSpec) -> Result<(), SessionError> {
        match self.engine.create_network(&spec.name, &spec.labels).await {
            Err(error) if error.kind == DockerErrorKind::NoAddresses => {
                self.give_networks_back().await?;
                self.engine.create_network(&spec.name, &spec.labels).await?;
            }
            made => {
                made?;
            }
        }
        Ok(())
    }

    /// Makes sure that a container that is to be started as it is finds its network.
    pub(super) async fn rejoin_network(&self, fact: &ContainerFact) -> Result<(), SessionError> {
        let (Some(container), false) = (&self.record.container, fact.is_up()) else {
            return Ok(());
        };
        let spec = self.spec(container)?;
        let there = self.engine.list_networks().await?;
        if !there.iter().any(|network| network.name == spec.name) {
            self.make_network(&spec).await?;
        }
        // Also when it was there: it may be another one of that name, and containers remember the id.
        Ok(self.engine.join_network(&spec.name, &fact.id).await?)
    }

    /// Lets others have the addresses of a container that was shut down; where that fails, they stay in use until there
    /// are no others.
    pub(super) async fn give_network_back(&self) {
        let Some(container) = &self.record.container else {
            return;
        };
        let network = container.engine_name(&self.record.name);
        if let Err(error) = self.engine.remove_network(&network).await {
            tracing::info!(network, %error, "keeps its addresses");
        }
    }

    /// RACE: a session that is being started at this moment may lose the network that it has just made. Its start
    /// then fails, is undone, and works when it is tried again.
    async fn give_networks_back(&self) -> Result<(), DockerError> {
        for network in self.engine.list_networks().await? {
            // The engine refuses to take one from a container that runs.
            if self.engine.remove_network(&network.name).await.is_ok() {
                tracing::info!(network = network.name, "gave its addresses back");
            }
        }
        Ok(())
    }
}
