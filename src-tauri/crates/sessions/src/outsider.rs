//! A container that is no session's, as far as a person names it to keep a folder of it in step.

use std::time::Duration;

use mizzen_docker::{Engine, ExecSpec, ExecStream, TarBuilder};
use mizzen_wire::{BlockingReader, BlockingWriter, into_blocking};

use crate::error::{ErrorKind, SessionError};
use crate::image::Supervisor;
use crate::supervisor::SupervisorFiles;

/// How long the supervisor may take to say which one it is.
const ANSWER_MAX: Duration = Duration::from_secs(10);

/// A container's end of a stream on which it serves folders.
pub struct Outsider {
    /// The container's whole id: another container of its name is another one.
    pub id: String,
    /// What it says, and what it is told; none once it was taken.
    pub stream: Option<(BlockingReader, BlockingWriter)>,
}

impl Outsider {
    /// Starts the supervisor in a running container, as the container's own user. It is put there first when it is not
    /// there yet, below `/.mizzen`.
    ///
    /// # Errors
    /// There is no such container, it does not run, or it takes no files.
    pub async fn start(
        engine: &Engine,
        files: &SupervisorFiles,
        container: &str,
    ) -> Result<Self, SessionError> {
        let supervisor = files.for_engine(engine).await?;
        let Some(found) = engine.inspect(container).await? else {
            let message = format!(
                "There is no container `{container}` on `{}`.",
                engine.name()
            );
            return Err(SessionError::new(
                ErrorKind::NotFound,
                message,
                "See `docker ps`.",
            ));
        };
        let path = path(&supervisor);
        if !runs(engine, &found.id, &path).await {
            let mut tar = TarBuilder::new();
            tar.file(&path, 0o755, (0, 0), &supervisor.bytes)
                .expect("BUG: short fixed paths fit into an archive");
            engine.upload(&found.id, "/", tar.finish()).await?;
        }
        let spec = ExecSpec::new([path.as_str(), "sync"]);
        let ExecStream { io, .. } = engine.exec(&found.id, &spec).await?;
        Ok(Self {
            id: found.id,
            stream: Some(into_blocking(Box::new(io))),
        })
    }
}

/// One for each supervisor: one that another Mizzen runs stays.
fn path(supervisor: &Supervisor) -> String {
    format!("/.mizzen/supervisor-{}", supervisor.hash)
}

async fn runs(engine: &Engine, id: &str, path: &str) -> bool {
    let spec = ExecSpec::new([path, "version"]);
    let said = engine.run(id, &spec, &[], 1000, ANSWER_MAX).await;
    said.is_ok_and(|said| said.exit_code == 0)
}
