//! Images that an engine has.

use std::collections::{BTreeMap, HashMap};

use bollard::query_parameters as query;

use crate::containers::gone_is_fine;
use crate::deadline::{CHANGE, LIST, QUICK, call};
use crate::{DockerError, DockerErrorKind, Engine};

/// One image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageFact {
    /// Id: `sha256:` and 64 hexadecimal digits.
    pub id: String,
    /// Its names.
    pub tags: Vec<String>,
    /// Labels.
    pub labels: BTreeMap<String, String>,
    /// Size with all its layers.
    pub size_bytes: u64,
}

impl Engine {
    /// Looks at an image by tag or id; none when the engine does not have it.
    pub async fn image(&self, reference: &str) -> Result<Option<ImageFact>, DockerError> {
        const OP: &str = "look at the image";
        let name = image_name(OP, reference)?;
        match call(OP, QUICK, self.docker().inspect_image(name)).await {
            Ok(image) => Ok(Some(ImageFact {
                id: image.id.unwrap_or_default(),
                tags: image.repo_tags.unwrap_or_default(),
                labels: image
                    .config
                    .and_then(|c| c.labels)
                    .unwrap_or_default()
                    .into_iter()
                    .collect(),
                size_bytes: size(image.size.unwrap_or(0)),
            })),
            Err(error) if is_missing(error.kind) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Lists the images with a label: `key` or `key=value`.
    pub async fn list_images(&self, label: &str) -> Result<Vec<ImageFact>, DockerError> {
        const OP: &str = "list images";
        let filters = HashMap::from([("label", vec![label.to_owned()])]);
        let options = query::ListImagesOptionsBuilder::new()
            .filters(&filters)
            .build();
        let rows = call(OP, LIST, self.docker().list_images(Some(options))).await?;
        Ok(rows.into_iter().map(fact).collect())
    }

    /// Removes an image's tag, and the image with its last one. One that is gone is no error.
    pub async fn remove_image(&self, reference: &str) -> Result<(), DockerError> {
        const OP: &str = "remove the image";
        let name = image_name(OP, reference)?;
        let removed = call(
            OP,
            CHANGE,
            self.docker()
                .remove_image(name, None::<query::RemoveImageOptions>, None),
        )
        .await
        .map(drop);
        match removed {
            Err(error) if is_missing(error.kind) => Ok(()),
            other => gone_is_fine(other),
        }
    }
}

fn fact(row: bollard::models::ImageSummary) -> ImageFact {
    ImageFact {
        id: row.id,
        tags: row
            .repo_tags
            .into_iter()
            .filter(|tag| tag != "<none>:<none>")
            .collect(),
        labels: row.labels.into_iter().collect(),
        size_bytes: size(row.size),
    }
}

fn size(bytes: i64) -> u64 {
    u64::try_from(bytes).unwrap_or(0)
}

fn is_missing(kind: DockerErrorKind) -> bool {
    matches!(
        kind,
        DockerErrorKind::ImageMissing | DockerErrorKind::NotFound
    )
}

/// Refuses what is no image reference before it becomes part of a request's path.
fn image_name<'a>(op: &'static str, name: &'a str) -> Result<&'a str, DockerError> {
    let plain =
        |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-' | '/' | ':' | '@');
    let usable = name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.chars().all(plain)
        && !name.contains("..")
        && !name.contains("//");
    usable
        .then_some(name)
        .ok_or_else(|| DockerError::bad_request(op, format!("{name:?} is not a name of an image")))
}
