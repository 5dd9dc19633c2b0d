//! Verbs on sessions.

use std::path::{Path, PathBuf};

use mizzen_core::Client;
use mizzen_core::verb::{ErrorCode, Outcome, RemoveParams, SessionRef, UpParams, Verb};
use mizzen_core::view::WorkspaceKind;

use super::engines;
use crate::args::{Rm, Up, Workspace};
use crate::output::{Failure, Output, failed};
use crate::progress::Progress;

pub(super) async fn up(client: &Client, args: Up, output: Output) -> Result<(), Failure> {
    let params = UpParams {
        dir: absolute(args.dir.as_deref().unwrap_or(Path::new(".")))?,
        name: args.name,
        engine: args.engine,
        workspace: args.workspace.map(workspace),
        image: args.image,
        memory_bytes: args.memory,
        cpus: args.cpus,
    };
    if params.engine.is_none() {
        engines::warn_of_this_shell(client, output).await;
    }
    let outcome = run(client, Verb::Up(params), output).await?;
    tell(&outcome, output)
}

fn workspace(kind: Workspace) -> WorkspaceKind {
    match kind {
        Workspace::Bind => WorkspaceKind::Bind,
        Workspace::Sync => WorkspaceKind::Sync,
        Workspace::Mirror => WorkspaceKind::Mirror,
    }
}

/// The folder as the engine will name it: links resolved, so that one folder has one name.
fn absolute(dir: &Path) -> Result<String, Failure> {
    let refused = |reason: String, hint: &str| {
        failed(
            ErrorCode::Usage,
            format!("{} {reason}", dir.display()),
            hint,
        )
    };
    let path: PathBuf = std::fs::canonicalize(dir)
        .map_err(|error| refused(format!("cannot be used: {error}"), "give a project folder"))?;
    if !path.is_dir() {
        return Err(refused(
            "is not a folder".to_owned(),
            "give a project folder",
        ));
    }
    let text = path.to_str().map(str::to_owned);
    text.ok_or_else(|| refused("is not UTF-8".to_owned(), "rename the folder"))
}

pub(super) async fn remove(client: &Client, args: Rm, output: Output) -> Result<(), Failure> {
    let (force, volumes) = (args.force, args.volumes);
    all(client, args.sessions, output, |session| {
        Verb::Remove(RemoveParams {
            session,
            force,
            volumes,
        })
    })
    .await
}

pub(super) async fn each(
    client: &Client,
    sessions: Vec<String>,
    output: Output,
    verb: fn(SessionRef) -> Verb,
) -> Result<(), Failure> {
    all(client, sessions, output, |session| {
        verb(SessionRef { session })
    })
    .await
}

/// One after another. A failure does not keep the rest from their turn; the first one is told last,
/// by its exit code.
async fn all(
    client: &Client,
    sessions: Vec<String>,
    output: Output,
    verb: impl Fn(String) -> Verb,
) -> Result<(), Failure> {
    let mut first = None;
    for session in sessions {
        match run(client, verb(session), output).await {
            Ok(outcome) => tell(&outcome, output)?,
            Err(Failure::Api(error)) if first.is_none() => first = Some(error),
            Err(Failure::Api(error)) => output.error(&error),
            Err(other) => return Err(other),
        }
    }
    first.map_or(Ok(()), |error| Err(Failure::Api(error)))
}

/// Runs a verb with its progress shown, until it ends or Ctrl-C.
pub(super) async fn run(client: &Client, verb: Verb, output: Output) -> Result<Outcome, Failure> {
    let mut progress = Progress::new(output);
    let outcome = tokio::select! {
        outcome = client.run_with(verb, |report| progress.show(&report)) => outcome,
        // A handler that cannot be installed leaves Ctrl-C to the system.
        Ok(()) = tokio::signal::ctrl_c() => {
            progress.finish();
            let message = "Mizzen goes on with it; see `mizzen list`.".to_owned();
            return Err(Failure::Interrupted(message));
        }
    };
    progress.finish();
    Ok(outcome?)
}

pub(super) fn tell(outcome: &Outcome, output: Output) -> Result<(), Failure> {
    if output.json {
        output.object(outcome)
    } else {
        output.line(&outcome.message)
    }
}
