//! Making a container: image, network, volumes, container, and what is put into it.

use std::sync::Arc;

use mizzen_docker::{ContainerSpec, DockerErrorKind, ImageFact};
use mizzen_status::sanitise;

use super::Job;
use crate::carrying;
use crate::error::{ErrorKind, SessionError};
use crate::labels;
use crate::machine::Phase;
use crate::para::ParaDirs;
use crate::provision::{self, Provision, UserTables};
use crate::record::{ContainerRef, HomeVolume, Intent};
use crate::spec::container_spec;

/// `/etc/passwd` and its kin are small.
const TABLE_CAP: usize = 256 * 1024;
/// A line of a build is shown on one line.
const LINE_CAP: usize = 200;

impl Job {
    /// Finds the image that was asked for, or Mizzen's own, built when it is missing.
    pub(super) async fn find_image(&mut self) -> Result<ImageFact, SessionError> {
        self.phases.enter(Phase::Image).await;
        let image = match self.record.requested_image.clone() {
            Some(reference) => {
                let found = self.engine.image(&reference).await?;
                let image = found.ok_or_else(|| missing_image(&reference))?;
                self.record.image = reference;
                image
            }
            None => self.own_image().await?,
        };
        self.phases.leave(&self.record.image).await;
        Ok(image)
    }

    async fn own_image(&mut self) -> Result<ImageFact, SessionError> {
        let recipe = self.world.recipe(&self.engine).await?;
        self.record.image = recipe.tag();
        let lines = self.phases.lines(Phase::Image);
        let built = async {
            let shared = self.world.shared(&self.engine);
            let _building = shared.building.lock().await;
            let say = |progress: mizzen_docker::BuildProgress| {
                let line = sanitise(progress.line.trim(), LINE_CAP);
                lines.say(format!("{}/{} {line}", progress.step, progress.total));
            };
            recipe.ensure(&self.engine, say).await
        };
        tokio::select! {
            image = built => image,
            () = self.cancel.cancelled() => Err(self.interrupted()),
        }
    }

    /// Takes away a container that is not good enough any more, or that somebody else took apart.
    pub(super) async fn drop_old_container(&mut self) -> Result<(), SessionError> {
        if let Some(old) = self.record.container.clone() {
            self.fetch_last_words().await;
            self.remove_container_and_network(&old).await?;
            self.record.container = None;
        }
        Ok(())
    }

    /// Makes the container and answers with its id; nothing runs yet.
    pub(super) async fn make_container(
        &mut self,
        image: &ImageFact,
        newborn: bool,
    ) -> Result<String, SessionError> {
        let new_volumes = self.missing_volumes().await?;
        let home = self.home_volumes();
        let fresh_home = new_volumes.iter().any(|name| home.contains(name));
        let carried = !self.world.shares_files(&self.engine);
        let container = ContainerRef::intended(carried);
        self.record.container = Some(container.clone());
        self.record.intent = Some(if newborn {
            Intent::Create { new_volumes }
        } else {
            Intent::Make
        });
        self.remember().await?;
        self.world.step("up: intent");
        self.go_on()?;
        ParaDirs::of(&self.record.project, &self.record.name).make(self.record.user).map_err(|error| {
            let hint = "Check that the folder can be written, and that `.para` in it is a plain folder.";
            SessionError { hint: hint.to_owned(), ..SessionError::from(error) }
        })?;
        self.world.step("up: files");
        self.go_on()?;
        let spec = self.spec(&container)?;
        self.make_network(&spec).await?;
        self.world.step("up: network");
        self.go_on()?;
        let id = self
            .engine
            .create_container(&spec)
            .await
            .map_err(|error| match error.kind {
                DockerErrorKind::ImageMissing => missing_image(&self.record.image),
                _ => error.into(),
            })?;
        self.world.step("up: container");
        self.record.container = Some(ContainerRef {
            id: Some(id.clone()),
            ..container
        });
        self.remember().await?;
        self.world.step("up: recorded");
        self.go_on()?;
        self.provision(&id, image, fresh_home).await?;
        self.world.step("up: provisioned");
        Ok(id)
    }

    pub(super) fn spec(&self, container: &ContainerRef) -> Result<ContainerSpec, SessionError> {
        container_spec(&self.world.identity, &self.record, container).map_err(|error| {
            SessionError::new(
                ErrorKind::Failed,
                format!("No container can be made: {error}."),
                "Check the settings.",
            )
        })
    }

    async fn provision(
        &self,
        id: &str,
        image: &ImageFact,
        fresh_home: bool,
    ) -> Result<(), SessionError> {
        let supervisor = self.world.supervisor(&self.engine).await?;
        let tables = self.user_tables(id, image).await?;
        let tar = provision::tar(&Provision {
            user: self.record.user,
            tables: &tables,
            owns_workspace: self.record.workspace.has_volume(),
            fresh_home,
            carried: self
                .record
                .is_carried()
                .then(|| carrying::ledger(&self.record)),
            supervisor: (!supervisor.is_in(image)).then_some(&supervisor.bytes),
        })
        .expect("BUG: short fixed paths fit into an archive");
        Ok(self.engine.upload(id, "/", tar).await?)
    }

    /// Who lives in the image; read once, from a container of it that has not run yet.
    async fn user_tables(
        &self,
        id: &str,
        image: &ImageFact,
    ) -> Result<Arc<UserTables>, SessionError> {
        if let Some(tables) = self.world.user_tables(&image.id) {
            return Ok(tables);
        }
        let (passwd, group) =
            tokio::try_join!(self.table(id, "/etc/passwd"), self.table(id, "/etc/group"))?;
        Ok(self
            .world
            .remember_user_tables(&image.id, UserTables { passwd, group }))
    }

    /// A table of the image's; empty when there is none.
    async fn table(&self, id: &str, path: &str) -> Result<String, SessionError> {
        match self.engine.download(id, path, TABLE_CAP).await {
            Ok(files) => {
                let first = files
                    .into_iter()
                    .next()
                    .map(|file| file.content)
                    .unwrap_or_default();
                Ok(String::from_utf8(first).unwrap_or_default())
            }
            Err(error) if error.kind == DockerErrorKind::NotFound => Ok(String::new()),
            Err(error) => Err(error.into()),
        }
    }

    async fn missing_volumes(&self) -> Result<Vec<String>, SessionError> {
        let there = self.engine.list_volumes().await?;
        let mut names = self.record.volumes(&self.world.identity);
        names.retain(|name| !there.iter().any(|volume| volume.name == *name));
        Ok(names)
    }

    fn home_volumes(&self) -> Vec<String> {
        HomeVolume::ALL
            .map(|volume| volume.engine_name(&self.world.identity, &self.record.name))
            .to_vec()
    }

    /// Whether a container is the one of this session by its label.
    pub(super) fn is_ours(
        &self,
        fact: &mizzen_docker::ContainerFact,
        container: &ContainerRef,
    ) -> bool {
        match labels::read(&fact.labels, &self.world.identity) {
            labels::Reading::Claims(claim) => claim.nonce == container.nonce,
            labels::Reading::Foreign | labels::Reading::Unreadable(_) => false,
        }
    }
}

fn missing_image(reference: &str) -> SessionError {
    let shown = sanitise(reference, LINE_CAP);
    let message = format!("The engine has no image `{shown}`.");
    let hint =
        format!("Fetch it (docker pull {shown}), or leave the image out to use Mizzen's own.");
    SessionError::new(ErrorKind::Failed, message, hint).in_phase(Phase::Image)
}
