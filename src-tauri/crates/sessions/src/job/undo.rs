//! Taking away what was made: after a failed start, after a crash, and when a session is removed.

use super::start::Made;
use super::{Job, unless_gone};
use crate::error::SessionError;
use crate::machine::Phase;
use crate::para;
use crate::record::{ContainerRef, Intent};
use crate::spec::STOP_GRACE;

impl Job {
    /// Takes back what a start made, so that nothing half-made is left.
    pub(super) async fn undo(&mut self, made: Made, newborn: bool) -> Result<(), SessionError> {
        match made {
            Made::Nothing => Ok(()),
            _ if newborn => self.undo_creation().await,
            Made::Started => {
                if let Some(id) = self.container_id() {
                    unless_gone(self.engine.stop(&id, STOP_GRACE).await)?;
                    self.give_network_back().await;
                }
                Ok(())
            }
            Made::Container => self.undo_container().await,
        }
    }

    /// Takes away what a crash of Mizzen left half-made. The second value says that the session is gone with it.
    pub(super) async fn undo_interrupted(&mut self) -> (Result<(), SessionError>, bool) {
        self.phases.enter(Phase::Remove).await;
        let newborn = matches!(self.record.intent, Some(Intent::Create { .. }));
        let undone = if newborn {
            self.undo_creation().await
        } else {
            self.undo_container().await
        };
        let vanished = newborn && undone.is_ok();
        (undone, vanished)
    }

    async fn undo_creation(&mut self) -> Result<(), SessionError> {
        let volumes = match &self.record.intent {
            Some(Intent::Create { new_volumes }) => new_volumes.clone(),
            Some(Intent::Make | Intent::Remove { .. }) | None => Vec::new(),
        };
        self.take_away(&volumes).await
    }

    async fn undo_container(&mut self) -> Result<(), SessionError> {
        if let Some(container) = self.record.container.clone() {
            self.remove_container_and_network(&container).await?;
        }
        self.record.container = None;
        self.record.intent = None;
        self.remember().await
    }

    /// Takes away container, network, these volumes, the session's files, and last its record: whatever is cut off
    /// before that is found again.
    pub(super) async fn take_away(&mut self, volumes: &[String]) -> Result<(), SessionError> {
        if let Some(container) = self.record.container.clone() {
            self.remove_container_and_network(&container).await?;
        }
        self.world.step("remove: container");
        for volume in volumes {
            self.engine.remove_volume(volume).await?;
        }
        para::remove_session(&self.record).await?;
        self.world.step("remove: files");
        self.world.registry.remove(&self.record.name.key()).await?;
        Ok(())
    }

    /// Removes a container that carries our nonce, and its network; what is gone is no error.
    pub(super) async fn remove_container_and_network(
        &self,
        container: &ContainerRef,
    ) -> Result<(), SessionError> {
        let name = container.engine_name(&self.record.name);
        let found = self
            .engine
            .inspect(container.id.as_deref().unwrap_or(&name))
            .await?;
        if let Some(fact) = found.filter(|fact| self.is_ours(fact, container)) {
            self.engine.remove_container(&fact.id).await?;
        }
        Ok(self.engine.remove_network(&name).await?)
    }
}
