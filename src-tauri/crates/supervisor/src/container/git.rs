//! The workspace's repository: made of the host's history, and the history of what was done in it given back.
//!
//! Git is the image's own, and runs as the container's user: what somebody planted in the workspace runs where it was
//! planted.

mod command;
mod make;
mod tips;

use std::io;
use std::path::Path;

use mizzen_wire::git::{GIT_TEXT_CAP, GitBring, GitBrought, GitLook, GitTake, GitTask};
use mizzen_wire::{Request, Stream, read_frame, write_frame};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::identity::Identity;
use super::places::{WORKSPACE, find_program};
use command::Git;

/// Carries out one task.
pub(super) async fn serve(request: Request, task: GitTask, identity: &Identity) -> io::Result<()> {
    let git = find_program("git").map(|program| Git::new(program, identity));
    let mut stream = request.accept().await?;
    match task {
        GitTask::Look => look(&mut stream, git.as_ref()).await?,
        GitTask::Bring => {
            let brought = match git {
                Some(git) => bring(&mut stream, &git).await,
                None => Err("there is no git in this container".to_owned()),
            };
            let brought = brought.unwrap_or_else(GitBrought::Failed);
            write_frame(&mut stream, &brought).await?;
        }
        GitTask::Take => {
            let take: GitTake = read_frame(&mut stream).await?;
            if let Some(git) = git {
                // A pack that is not whole is noticed where it arrives.
                let _ = give(&mut stream, &git, &take).await;
            }
        }
    }
    stream.shutdown().await
}

/// Whether the workspace has a repository, whoever made it.
fn is_there() -> bool {
    Path::new(WORKSPACE).join(".git").symlink_metadata().is_ok()
}

async fn look(stream: &mut Stream, git: Option<&Git<'_>>) -> io::Result<()> {
    let mut look = GitLook {
        git: git.is_some(),
        ..GitLook::default()
    };
    let mut refs = String::new();
    if let Some(git) = git.filter(|_| is_there()) {
        let asked = [
            "rev-parse",
            "--show-object-format",
            "--is-shallow-repository",
        ];
        // What is no repository to git is none.
        let said = git.run(&asked).await.unwrap_or_default();
        let said = String::from_utf8_lossy(&said);
        let mut lines = said.lines();
        look.format = lines.next().map(str::to_owned);
        look.shallow = lines.next() == Some("true");
        refs = tips::of(git).await;
    }
    write_frame(stream, &look).await?;
    stream.write_all(refs.as_bytes()).await
}

async fn bring(stream: &mut Stream, git: &Git<'_>) -> Result<GitBrought, String> {
    let failed = |error: io::Error| error.to_string();
    let bring: GitBring = read_frame(stream).await.map_err(failed)?;
    let shallow = text(stream, bring.shallow).await.map_err(failed)?;
    let gone = text(stream, bring.gone).await.map_err(failed)?;
    let texts = make::Texts { shallow, gone };
    if is_there() {
        make::add_to(git, &bring, &texts, stream).await
    } else {
        make::make(git, &bring, &texts, stream).await
    }
}

async fn text(stream: &mut Stream, length: u64) -> io::Result<Vec<u8>> {
    if length > GIT_TEXT_CAP {
        return Err(io::Error::other("the core sends too much"));
    }
    let mut text = Vec::new();
    stream.take(length).read_to_end(&mut text).await?;
    Ok(text)
}

async fn give(stream: &mut Stream, git: &Git<'_>, take: &GitTake) -> Result<(), String> {
    let haves = git.existing(&take.have).await?;
    let wants = take.want.iter().map(|want| format!("{want}\n"));
    let haves = haves.iter().map(|have| format!("^{have}\n"));
    let revisions: String = wants.chain(haves).collect();
    let args = [
        "pack-objects",
        "-q",
        "--revs",
        "--stdout",
        "--delta-base-offset",
    ];
    git.pour(&args, revisions.as_bytes(), stream).await
}
