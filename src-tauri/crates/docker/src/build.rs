//! Builds images on an engine, by its classic builder: it needs no extra daemon, session or client.

use std::collections::BTreeMap;

use bytes::Bytes;
use hyper::Method;
use serde::Deserialize;

use crate::deadline::{BUILD_SILENCE, within};
use crate::lines::Lines;
use crate::transport::url_encoded;
use crate::{DockerError, DockerErrorKind, Engine};

/// Longest line of the build's JSON.
const LINE_CAP: usize = 1 << 20;

/// Bytes of a build's log that are kept: its end.
const LOG_CAP: usize = 4 << 20;

const OP: &str = "build the image";

/// An image to build.
#[derive(Clone, Debug, Default)]
pub struct BuildSpec {
    /// Name that the image gets.
    pub tag: String,
    /// Build context.
    pub context_tar: Bytes,
    /// Path of the Dockerfile within the context.
    pub dockerfile: String,
    /// Build arguments; never a secret, since the image's history shows them.
    pub args: BTreeMap<String, String>,
    /// Labels of the image.
    pub labels: BTreeMap<String, String>,
    /// Last stage to build; the file's last when none is named.
    pub target: Option<String>,
}

/// One line of a build under way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BuildProgress {
    /// Step under way, from 1; 0 before the first.
    pub step: u32,
    /// Steps in all; 0 before the first.
    pub total: u32,
    /// The line, without its end; what a step writes may hold anything.
    pub line: String,
}

/// A build that failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("could not build the image: {message}")]
pub struct BuildError {
    /// Step that failed, as the Dockerfile has it: `Step 3/9 : RUN make`; none when no step began.
    pub step: Option<String>,
    /// Why, in words.
    pub message: String,
    /// All that the build said (its end, when it said more than a few megabytes).
    pub log: String,
    /// What kind of failure.
    pub kind: DockerErrorKind,
    hint: String,
}

impl BuildError {
    /// The next step for a person.
    #[must_use]
    pub fn hint(&self) -> &str {
        &self.hint
    }
}

/// One object of the build's stream.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Message {
    stream: Option<String>,
    status: Option<String>,
    error: Option<String>,
    aux: Option<Aux>,
}

#[derive(Deserialize)]
struct Aux {
    #[serde(rename = "ID")]
    id: Option<String>,
}

impl Engine {
    /// Builds an image and answers with its id; dropping the future ends the build.
    pub async fn build_image(
        &self,
        spec: BuildSpec,
        mut progress: impl FnMut(BuildProgress),
    ) -> Result<String, BuildError> {
        let mut build = Build::default();
        let path = build_path(&spec);
        let transport = self.transport();
        let opened = transport.open_with_tar(OP, Method::POST, &path, spec.context_tar);
        let response = match within(OP, BUILD_SILENCE, opened).await {
            Ok(response) => response,
            Err(error) => return Err(build.failed(error)),
        };
        let mut lines = Lines::new(OP, response.into_body(), LINE_CAP);
        while let Some(line) = lines.next_within(BUILD_SILENCE).await {
            if let Err(error) = line.and_then(|line| build.take(&line, &mut progress)) {
                return Err(build.failed(error));
            }
        }
        // The stream's own word is believed only where the engine agrees that the tag is there.
        match self.image(&spec.tag).await {
            Ok(Some(image)) if build.id.is_some() => Ok(image.id),
            Ok(_) => Err(build.failed(DockerError::server(OP, "the build ended without an image"))),
            Err(error) => Err(build.failed(error)),
        }
    }
}

fn build_path(spec: &BuildSpec) -> String {
    let json = |map: &BTreeMap<String, String>| {
        serde_json::to_string(map).expect("BUG: text keys and values are JSON")
    };
    let query = url_encoded(&[
        ("t", &spec.tag),
        ("dockerfile", &spec.dockerfile),
        ("buildargs", &json(&spec.args)),
        ("labels", &json(&spec.labels)),
        ("target", spec.target.as_deref().unwrap_or_default()),
        // Containers of a failed build are removed too.
        ("rm", "true"),
        ("forcerm", "true"),
    ]);
    format!("/build?{query}")
}

/// A build as its stream tells it.
#[derive(Default)]
struct Build {
    step: u32,
    total: u32,
    title: Option<String>,
    id: Option<String>,
    log: String,
}

impl Build {
    fn take(
        &mut self,
        line: &[u8],
        progress: &mut impl FnMut(BuildProgress),
    ) -> Result<(), DockerError> {
        let message: Message = serde_json::from_slice(line)
            .map_err(|e| DockerError::server(OP, format!("its answer makes no sense: {e}")))?;
        if let Some(error) = message.error {
            self.keep(&error);
            // The stream has no status codes: what the text does not tell is the build's failure.
            return Err(DockerError::from_status(OP, 500, &error));
        }
        if let Some(id) = message.aux.and_then(|aux| aux.id) {
            self.id = Some(id);
        }
        for text in [message.stream, message.status].into_iter().flatten() {
            for line in text.lines().filter(|line| !line.trim().is_empty()) {
                self.keep(line);
                if let Some((step, total)) = step_of(line) {
                    (self.step, self.total) = (step, total);
                    self.title = Some(line.trim().to_owned());
                }
                let line = line.to_owned();
                progress(BuildProgress {
                    step: self.step,
                    total: self.total,
                    line,
                });
            }
        }
        Ok(())
    }

    fn keep(&mut self, line: &str) {
        self.log.push_str(line);
        self.log.push('\n');
        if self.log.len() > LOG_CAP {
            let half = self.log.ceil_char_boundary(LOG_CAP / 2);
            self.log.drain(..half);
        }
    }

    fn failed(&mut self, error: DockerError) -> BuildError {
        let hint = match (error.kind, &self.title) {
            (DockerErrorKind::Server, Some(_)) => {
                "read the build's log above the failing step".to_owned()
            }
            _ => error.hint().to_owned(),
        };
        BuildError {
            step: self.title.take(),
            message: error.message,
            log: std::mem::take(&mut self.log),
            kind: error.kind,
            hint,
        }
    }
}

/// Reads `Step 3/9 : RUN make`.
fn step_of(line: &str) -> Option<(u32, u32)> {
    let (numbers, _) = line.strip_prefix("Step ")?.split_once(" : ")?;
    let (step, total) = numbers.split_once('/')?;
    Some((step.parse().ok()?, total.parse().ok()?))
}

#[cfg(test)]
mod tests;
