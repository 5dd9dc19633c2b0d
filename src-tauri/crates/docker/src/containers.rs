//! Containers: make, start, stop, freeze, remove, look.

use std::collections::HashMap;
use std::time::Duration;

use bollard::models::ContainerSummary;
use bollard::query_parameters as query;
use futures::StreamExt;

use crate::create::create_body;
use crate::deadline::{CHANGE, LIST, QUICK, call};
use crate::{ContainerFact, ContainerSpec, DockerError, DockerErrorKind, Engine};

/// Inspect requests in flight while a list is read.
const INSPECTS_AT_ONCE: usize = 4;

/// Refuses what would change the path of a request: names come from files and command lines.
pub(crate) fn segment<'a>(op: &'static str, name: &'a str) -> Result<&'a str, DockerError> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    let usable = !name.is_empty() && name.chars().all(plain) && !name.starts_with('.');
    usable
        .then_some(name)
        .ok_or_else(|| DockerError::bad_request(op, format!("{name:?} is not a name of a thing")))
}

impl Engine {
    /// Makes a container and answers with its id; nothing runs yet.
    pub async fn create_container(&self, spec: &ContainerSpec) -> Result<String, DockerError> {
        const OP: &str = "create the container";
        let body = create_body(spec).map_err(|e| DockerError::bad_request(OP, e.to_string()))?;
        let options = query::CreateContainerOptionsBuilder::new()
            .name(&spec.name)
            .build();
        let docker = self.docker();
        let made = call(OP, CHANGE, docker.create_container(Some(options), body));
        Ok(made.await?.id)
    }

    /// Starts a container; one that runs already is left alone.
    pub async fn start(&self, id: &str) -> Result<(), DockerError> {
        const OP: &str = "start the container";
        let id = segment(OP, id)?;
        call(OP, CHANGE, self.docker().start_container(id, None)).await
    }

    /// Asks a container to end and kills it after the grace period; one that is down is left alone.
    pub async fn stop(&self, id: &str, grace: Duration) -> Result<(), DockerError> {
        const OP: &str = "stop the container";
        let id = segment(OP, id)?;
        let seconds = i32::try_from(grace.as_secs()).unwrap_or(i32::MAX);
        let options = query::StopContainerOptionsBuilder::new().t(seconds).build();
        call(
            OP,
            CHANGE + grace,
            self.docker().stop_container(id, Some(options)),
        )
        .await
    }

    /// Kills a container's processes at once.
    pub async fn kill(&self, id: &str) -> Result<(), DockerError> {
        const OP: &str = "kill the container";
        let id = segment(OP, id)?;
        call(OP, CHANGE, self.docker().kill_container(id, None)).await
    }

    /// Freezes a container.
    pub async fn pause(&self, id: &str) -> Result<(), DockerError> {
        const OP: &str = "pause the container";
        let id = segment(OP, id)?;
        call(OP, CHANGE, self.docker().pause_container(id)).await
    }

    /// Thaws a container.
    pub async fn unpause(&self, id: &str) -> Result<(), DockerError> {
        const OP: &str = "resume the container";
        let id = segment(OP, id)?;
        call(OP, CHANGE, self.docker().unpause_container(id)).await
    }

    /// Removes a container, running or not; its named volumes stay. One that is gone is no error.
    pub async fn remove_container(&self, id: &str) -> Result<(), DockerError> {
        const OP: &str = "remove the container";
        let id = segment(OP, id)?;
        let options = query::RemoveContainerOptionsBuilder::new()
            .force(true)
            .v(true)
            .build();
        let docker = self.docker();
        let removed = call(OP, CHANGE, docker.remove_container(id, Some(options)));
        gone_is_fine(removed.await)
    }

    /// Looks at a container; none when there is none.
    pub async fn inspect(&self, id: &str) -> Result<Option<ContainerFact>, DockerError> {
        const OP: &str = "inspect the container";
        let id = segment(OP, id)?;
        let docker = self.docker();
        let answer = call(OP, QUICK, docker.inspect_container(id, None));
        match answer.await {
            Ok(inspect) => Ok(ContainerFact::from_inspect(inspect)),
            Err(error) if error.kind == DockerErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Looks at every container with the engine's label, running or not.
    pub async fn list(&self) -> Result<Vec<ContainerFact>, DockerError> {
        const OP: &str = "list containers";
        let filters = HashMap::from([("label", vec![self.label_filter()])]);
        let options = query::ListContainersOptionsBuilder::new()
            .all(true)
            .filters(&filters)
            .build();
        let rows = call(OP, LIST, self.docker().list_containers(Some(options))).await?;
        // A row lacks exit code, times and the OOM flag: each container is inspected.
        let looks = rows.into_iter().map(|row| self.look_closer(row));
        let facts: Vec<_> = futures::stream::iter(looks)
            .buffered(INSPECTS_AT_ONCE)
            .collect()
            .await;
        facts.into_iter().filter_map(Result::transpose).collect()
    }

    /// Inspects a container of a list. One that the engine cannot read just now is told by its row:
    /// left out it would count as gone, and an error would hide all the others.
    async fn look_closer(
        &self,
        row: ContainerSummary,
    ) -> Result<Option<ContainerFact>, DockerError> {
        let Some(id) = row.id.as_deref() else {
            return Ok(None);
        };
        match self.inspect(id).await {
            Err(error) if error.kind != DockerErrorKind::Unreachable => {
                tracing::warn!(engine = self.name(), id, %error, "container unreadable");
                Ok(ContainerFact::from_row(row))
            }
            looked => looked,
        }
    }
}

/// Takes "not there" for "removed".
pub(crate) fn gone_is_fine(result: Result<(), DockerError>) -> Result<(), DockerError> {
    match result {
        Err(error) if error.kind == DockerErrorKind::NotFound => Ok(()),
        other => other,
    }
}
