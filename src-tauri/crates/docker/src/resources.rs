//! Networks and volumes.

use std::collections::{BTreeMap, HashMap};

use bollard::models::NetworkConnectRequest;
use bollard::query_parameters as query;
use hyper::Method;
use serde::Deserialize;

use crate::containers::{gone_is_fine, segment};
use crate::deadline::{CHANGE, LIST, call};
use crate::{DockerError, DockerErrorKind, Engine};

/// A network or a volume with our label.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourceFact {
    /// Name.
    pub name: String,
    /// Labels.
    pub labels: BTreeMap<String, String>,
}

/// A volume as the engine knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VolumeFact {
    /// Name.
    pub name: String,
    /// Labels it was made with.
    pub labels: BTreeMap<String, String>,
    /// When it was made, as the engine writes it; none from an engine that does not tell.
    pub created_at: Option<String>,
}

#[derive(Deserialize)]
struct Created {
    #[serde(rename = "Id")]
    id: String,
}

impl Engine {
    /// Makes a bridge network and answers with its id; a name in use is refused.
    pub async fn create_network(
        &self,
        name: &str,
        labels: &BTreeMap<String, String>,
    ) -> Result<String, DockerError> {
        const OP: &str = "create the network";
        let body = serde_json::json!({
            "Name": segment(OP, name)?,
            "Driver": "bridge",
            "Labels": labels,
            // Engines before 25 make a second network of the same name unless asked to look.
            "CheckDuplicate": true,
        });
        let created: Created = self
            .transport()
            .json(OP, CHANGE, Method::POST, "/networks/create", Some(body))
            .await?;
        Ok(created.id)
    }

    /// Removes a network. One that is gone is no error; one that is in use is.
    pub async fn remove_network(&self, name: &str) -> Result<(), DockerError> {
        const OP: &str = "remove the network";
        let name = segment(OP, name)?;
        gone_is_fine(call(OP, CHANGE, self.docker().remove_network(name)).await)
    }

    /// Joins a container that is down to a network; the next start uses it, whatever it was joined to before
    /// under the same name.
    pub async fn join_network(&self, name: &str, container: &str) -> Result<(), DockerError> {
        const OP: &str = "join the network";
        let name = segment(OP, name)?;
        let request = NetworkConnectRequest {
            container: container.to_owned(),
            endpoint_config: None,
        };
        call(OP, CHANGE, self.docker().connect_network(name, request)).await
    }

    /// Lists the networks with the engine's label.
    pub async fn list_networks(&self) -> Result<Vec<ResourceFact>, DockerError> {
        const OP: &str = "list networks";
        let filters = HashMap::from([("label", vec![self.label_filter()])]);
        let options = query::ListNetworksOptionsBuilder::new()
            .filters(&filters)
            .build();
        let rows = call(OP, LIST, self.docker().list_networks(Some(options))).await?;
        Ok(rows
            .into_iter()
            .filter_map(|row| resource(row.name?, row.labels))
            .collect())
    }

    /// Removes a volume and what is in it. One that is gone is no error; one that is in use is.
    pub async fn remove_volume(&self, name: &str) -> Result<(), DockerError> {
        const OP: &str = "remove the volume";
        let name = segment(OP, name)?;
        let options = query::RemoveVolumeOptionsBuilder::new().build();
        gone_is_fine(call(OP, CHANGE, self.docker().remove_volume(name, Some(options))).await)
    }

    /// Looks at a volume, whoever made it; none when there is none of this name.
    pub async fn volume(&self, name: &str) -> Result<Option<VolumeFact>, DockerError> {
        const OP: &str = "look at the volume";
        let name = segment(OP, name)?;
        match call(OP, LIST, self.docker().inspect_volume(name)).await {
            Ok(found) => Ok(Some(VolumeFact {
                name: found.name,
                labels: found.labels.into_iter().collect(),
                created_at: found.created_at.map(|at| at.to_string()),
            })),
            Err(error) if error.kind == DockerErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Lists the volumes with the engine's label.
    pub async fn list_volumes(&self) -> Result<Vec<ResourceFact>, DockerError> {
        const OP: &str = "list volumes";
        let filters = HashMap::from([("label", vec![self.label_filter()])]);
        let options = query::ListVolumesOptionsBuilder::new()
            .filters(&filters)
            .build();
        let answer = call(OP, LIST, self.docker().list_volumes(Some(options))).await?;
        let rows = answer.volumes.unwrap_or_default().into_iter();
        Ok(rows
            .filter_map(|row| resource(row.name, Some(row.labels)))
            .collect())
    }
}

fn resource(name: String, labels: Option<HashMap<String, String>>) -> Option<ResourceFact> {
    let labels = labels.unwrap_or_default().into_iter().collect();
    (!name.is_empty()).then_some(ResourceFact { name, labels })
}
