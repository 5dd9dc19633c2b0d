//! Mizzen's own session image: built by the engine from files in this program, tagged by a hash of all of them.

use std::path::{Path, PathBuf};

use bytes::Bytes;
use mizzen_docker::{BuildProgress, BuildSpec, Engine, ImageFact, TarBuilder};
use mizzen_fsx::{At, PathError};
use sha2::{Digest, Sha256};

use crate::error::{ErrorKind, SessionError, advice};
use crate::identity::hex;
use crate::labels;
use crate::machine::Phase;

const REPOSITORY: &str = "mizzen-session";
/// Label of every image that this module builds.
const LABEL: &str = "dev.mizzen.image";
const LABEL_VALUE: &str = "session";

const DOCKERFILE: &[u8] = include_bytes!("../../../../images/session/Dockerfile");
const EXTRA_CA_NOTE: &[u8] = include_bytes!("../../../../images/session/extra-ca/README");

/// Where Debian and its kin keep the authorities that a machine's owner added.
const HOST_AUTHORITIES: &str = "/usr/local/share/ca-certificates";

/// All inputs of the image.
#[derive(Clone, Debug)]
pub struct Recipe {
    inputs: Vec<Input>,
    supervisor: Supervisor,
}

/// The static supervisor for containers.
#[derive(Clone, Debug)]
pub struct Supervisor {
    /// The program.
    pub bytes: Bytes,
    /// Hash of the program: an image's label says which one it holds.
    pub hash: String,
}

#[derive(Clone, Debug)]
struct Input {
    name: String,
    mode: u32,
    bytes: Bytes,
}

/// An image of ours on an engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnImage {
    /// What the engine knows.
    pub fact: ImageFact,
    /// Whether it is what a build would make now.
    pub current: bool,
}

/// Authorities that the host's owner added to the system's own.
#[must_use]
pub fn host_authorities() -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = std::fs::read_dir(HOST_AUTHORITIES)
        .map(|entries| entries.flatten().map(|entry| entry.path()).collect())
        .unwrap_or_default();
    found.retain(|path| path.extension().is_some_and(|extension| extension == "crt"));
    found.sort();
    found
}

impl Supervisor {
    /// Reads the program.
    pub fn read(path: &Path) -> Result<Self, PathError> {
        let bytes = Bytes::from(std::fs::read(path).at(path)?);
        let hash = short_hash(&Sha256::digest(&bytes));
        Ok(Self { bytes, hash })
    }

    /// Whether an image holds this very program.
    pub(crate) fn is_in(&self, image: &ImageFact) -> bool {
        image.labels.get(labels::SUPERVISOR) == Some(&self.hash)
    }
}

impl Recipe {
    /// Gathers the inputs: files of this program, the supervisor, and authorities in the order given.
    pub fn gather(supervisor: Supervisor, authorities: &[PathBuf]) -> Result<Self, PathError> {
        let input = |name: &str, mode, bytes| Input {
            name: name.to_owned(),
            mode,
            bytes,
        };
        let mut inputs = vec![
            input("Dockerfile", 0o644, Bytes::from_static(DOCKERFILE)),
            input("extra-ca/README", 0o644, Bytes::from_static(EXTRA_CA_NOTE)),
            input("mizzen-supervisor", 0o755, supervisor.bytes.clone()),
        ];
        for path in authorities {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let bytes = Bytes::from(std::fs::read(path).at(path)?);
            inputs.push(input(&format!("extra-ca/{name}"), 0o644, bytes));
        }
        Ok(Self { inputs, supervisor })
    }

    /// The image's reference: `mizzen-session:` and 12 hex digits over names, lengths and bytes of all inputs.
    #[must_use]
    pub fn tag(&self) -> String {
        let mut digest = Sha256::new();
        for input in &self.inputs {
            digest.update(format!("{} {}\n", input.name, input.bytes.len()));
            digest.update(&input.bytes);
        }
        format!("{REPOSITORY}:{}", short_hash(&digest.finalize()))
    }

    /// The build context.
    #[must_use]
    pub fn context_tar(&self) -> Bytes {
        let mut tar = TarBuilder::new();
        for input in &self.inputs {
            tar.file(&input.name, input.mode, (0, 0), &input.bytes)
                .expect("BUG: short relative names fit into an archive");
        }
        tar.finish()
    }

    /// Finds the image on an engine, built when it is missing.
    pub async fn ensure(
        &self,
        engine: &Engine,
        on_progress: impl FnMut(BuildProgress) + Send,
    ) -> Result<ImageFact, SessionError> {
        let found = engine.image(&self.tag()).await.map_err(in_image_phase)?;
        match found {
            Some(fact) => Ok(fact),
            None => self.build(engine, on_progress).await,
        }
    }

    /// Builds the image, also when it is there.
    pub async fn build(
        &self,
        engine: &Engine,
        on_progress: impl FnMut(BuildProgress) + Send,
    ) -> Result<ImageFact, SessionError> {
        let tag = self.tag();
        let spec = BuildSpec {
            tag: tag.clone(),
            context_tar: self.context_tar(),
            dockerfile: "Dockerfile".to_owned(),
            labels: [
                (LABEL, LABEL_VALUE),
                (labels::SUPERVISOR, &self.supervisor.hash),
            ]
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .into(),
            ..BuildSpec::default()
        };
        engine
            .build_image(spec, on_progress)
            .await
            .map_err(|error| {
                let step = error
                    .step
                    .as_deref()
                    .map(|step| format!(" at \"{step}\""))
                    .unwrap_or_default();
                let message = mizzen_status::sanitise(&error.message, mizzen_status::TEXT_CAP);
                let message = format!("The session image could not be built{step}: {message}.");
                SessionError::new(ErrorKind::Failed, message, advice(error.hint()))
                    .in_phase(Phase::Image)
            })?;
        let built = engine.image(&tag).await.map_err(in_image_phase)?;
        built.ok_or_else(|| {
            let message = format!("The engine built `{tag}` and does not know it.");
            SessionError::new(ErrorKind::Failed, message, "Look at the engine's log.")
                .in_phase(Phase::Image)
        })
    }

    /// Every image of ours on an engine.
    pub async fn list(&self, engine: &Engine) -> Result<Vec<OwnImage>, SessionError> {
        let facts = engine
            .list_images(labels::SUPERVISOR)
            .await
            .map_err(in_image_phase)?;
        let tag = self.tag();
        Ok(facts
            .into_iter()
            .filter(is_own)
            .map(|fact| OwnImage {
                current: fact.tags.contains(&tag),
                fact,
            })
            .collect())
    }

    /// Removes images of ours that a build would no longer make, and that no container uses; says which.
    pub async fn prune(&self, engine: &Engine) -> Result<Vec<ImageFact>, SessionError> {
        let mut removed = Vec::new();
        for image in self
            .list(engine)
            .await?
            .into_iter()
            .filter(|image| !image.current)
        {
            let reference = image.fact.tags.first().unwrap_or(&image.fact.id);
            match engine.remove_image(reference).await {
                Ok(()) => removed.push(image.fact),
                // A container still uses it: it goes with a later prune.
                Err(error) if error.kind == mizzen_docker::DockerErrorKind::Conflict => {}
                Err(error) => return Err(in_image_phase(error)),
            }
        }
        Ok(removed)
    }
}

/// Other images may hold our supervisor too; ours have our name, or had it before a rebuild took it.
fn is_own(image: &ImageFact) -> bool {
    let named = |tag: &String| tag.starts_with(&format!("{REPOSITORY}:"));
    image.tags.iter().any(named)
        || image
            .labels
            .get(LABEL)
            .is_some_and(|value| value == LABEL_VALUE)
}

/// The first 12 hex digits of a hash.
fn short_hash(digest: &[u8]) -> String {
    hex(&digest[..6])
}

fn in_image_phase(error: mizzen_docker::DockerError) -> SessionError {
    SessionError::from(error).in_phase(Phase::Image)
}

#[cfg(test)]
mod tests;
