//! The host's history, brought into a workspace.

use std::time::Duration;

use mizzen_wire::git::{GIT_TEXT_CAP, GitBring, GitBrought, GitTask};
use mizzen_wire::{read_frame, write_frame};
use tokio::io::{AsyncReadExt, AsyncWriteExt, split};
use tokio::time::timeout;

use super::command::Git;
use super::peer::{Peer, lost, open};
use super::repository::{History, Repository};
use super::{Brought, Trouble, Way, names, own};

/// How long all of it may take.
const DEADLINE: Duration = Duration::from_secs(300);
/// Settings that go along: who somebody is, and what lines end with. None is a secret, a program or an address.
const SETTINGS: [&str; 4] = ["user.name", "user.email", "core.autocrlf", "core.eol"];
/// Most bytes of a pack.
const PACK_CAP: u64 = 8 << 30;

/// Gives the workspace a repository when it has none, and otherwise what is new on the host.
pub(crate) async fn bring(way: Way<'_>) -> Result<Brought, Trouble> {
    if !way.place.has_repository() {
        return Ok(none("The folder is not the top of a git repository."));
    }
    let brought = timeout(DEADLINE, bring_all(&way)).await;
    brought.unwrap_or_else(|_| {
        let why = format!(
            "The history was not brought within {} s.",
            DEADLINE.as_secs()
        );
        let hint = format!("Try again: mizzen restart {}", way.place.session);
        Err(Trouble::new(why, hint))
    })
}

async fn bring_all(way: &Way<'_>) -> Result<Brought, Trouble> {
    let peer = Peer::look(way.wire).await?;
    if !peer.look.git {
        return Ok(none("The image has no git."));
    }
    let git = Git::new(way.place);
    own::check(&git).await?;
    let host = Repository::look(git).await?;
    let is_new = peer.look.format.is_none();
    if let Some(format) = peer
        .look
        .format
        .as_ref()
        .filter(|format| **format != host.format)
    {
        let said = format!("names objects by {format}, the project by {}", host.format);
        return Err(Trouble::container(
            "has a repository that does not fit",
            &said,
        ));
    }
    let branch = names::branch(&way.place.session);
    let Some(head) = &host.head else {
        if is_new {
            send(
                way,
                &host,
                bring_of(way, &host, &branch).await,
                Vec::new(),
                None,
            )
            .await?;
        }
        return Ok(Brought {
            branch: Some(branch),
            said: "The project has no commits yet.".to_owned(),
        });
    };
    let mut known = peer.of_host();
    if !is_new && known.contains(head) {
        // Also what was kept back and has come since.
        let nothing = GitBring {
            head: None,
            ..bring_of(way, &host, &branch).await
        };
        send(way, &host, nothing, Vec::new(), None).await?;
        return Ok(Brought {
            branch: Some(branch),
            said: "The repository is there already.".to_owned(),
        });
    }
    known = host.existing(&known).await?;
    let history = host.history(head, &known, peer.look.shallow).await?;
    let gone = match is_new {
        true => host.gone(head).await?,
        false => Vec::new(),
    };
    let ends = history.ends.len();
    let brought = bring_of(way, &host, &branch).await;
    let brought = send(way, &host, brought, gone, Some((head, &history))).await?;
    let remote = remote(&host);
    Ok(Brought {
        said: match is_new {
            true => said(&branch, ends > 0, host.branch.is_none(), &brought),
            false => format!("The host's newer commits are `{remote}`."),
        },
        branch: Some(branch),
    })
}

fn none(said: &str) -> Brought {
    Brought {
        branch: None,
        said: format!("{said} The session works without branches."),
    }
}

fn remote(host: &Repository) -> String {
    format!("host/{}", host.branch.as_deref().unwrap_or("detached"))
}

async fn bring_of(way: &Way<'_>, host: &Repository, branch: &str) -> GitBring {
    let mut settings = Vec::new();
    for name in SETTINGS {
        if let Some(value) = host.git.setting(name).await {
            settings.push((name.to_owned(), value));
        }
    }
    tracing::debug!(session = %way.place.session, branch, "bringing history");
    GitBring {
        format: host.format.clone(),
        branch: branch.to_owned(),
        head: host.head.clone(),
        remote: remote(host),
        settings,
        shallow: 0,
        gone: 0,
    }
}

/// What the container made of it.
struct Marked {
    kept_back: u64,
    large: u64,
    submodules: u64,
}

async fn send(
    way: &Way<'_>,
    host: &Repository,
    bring: GitBring,
    gone: Vec<u8>,
    what: Option<(&str, &History)>,
) -> Result<Marked, Trouble> {
    let ends = what.map(|(_, history)| history.ends.as_slice());
    let ends = ends.unwrap_or_default().iter();
    let ends: String = ends.map(|end| format!("{end}\n")).collect();
    let length = |text: &[u8]| u64::try_from(text.len()).unwrap_or(u64::MAX);
    let bring = GitBring {
        shallow: length(ends.as_bytes()),
        gone: length(&gone),
        ..bring
    };
    if bring.gone > GIT_TEXT_CAP {
        let why = "More tracked files are missing in the folder than can be told.";
        return Err(Trouble::new(why, "Put them back: git restore ."));
    }
    let (mut answer, mut stream) = split(open(way.wire, GitTask::Bring).await?);
    let write = async {
        let head = async {
            write_frame(&mut stream, &bring).await?;
            stream.write_all(ends.as_bytes()).await?;
            stream.write_all(&gone).await
        };
        head.await.map_err(|error| lost(&error))?;
        if let Some((head, history)) = what {
            let (listed, mut packed) = host.pack(head, history).await?;
            let pack = packed.out.take().expect("BUG: nobody reads it");
            let copied = tokio::io::copy(&mut pack.take(PACK_CAP), &mut stream).await;
            copied.map_err(|error| lost(&error))?;
            packed.end().await?;
            if let Some(listed) = listed {
                listed.end().await?;
            }
        }
        stream.shutdown().await.map_err(|error| lost(&error))
    };
    let read = read_frame(&mut answer);
    tokio::pin!(read);
    let answer = tokio::select! {
        // It may have given up before it has read all.
        answer = &mut read => answer,
        written = write => {
            written?;
            read.await
        }
    };
    match answer.map_err(|error| lost(&error))? {
        GitBrought::Done {
            kept_back,
            large,
            submodules,
        } => Ok(Marked {
            kept_back,
            large,
            submodules,
        }),
        GitBrought::Failed(why) => Err(Trouble::container("made no repository", &why)),
    }
}

/// What a person should know of a repository that was just made.
fn said(branch: &str, is_cut: bool, is_detached: bool, marked: &Marked) -> String {
    let mut said = format!("On branch `{branch}`.");
    if is_cut {
        said.push_str(" Its history ends before its beginning, which is far back.");
    }
    if is_detached {
        said.push_str(" The project is on a commit, not on a branch.");
    }
    match marked.kept_back {
        0 => {}
        1 => said.push_str(" One tracked file was not carried, and is not missed."),
        many => said.push_str(&format!(
            " {many} tracked files were not carried, and are not missed."
        )),
    }
    if marked.large > 0 {
        said.push_str(" Changes of files that Git LFS keeps are not seen there.");
    }
    if marked.submodules > 0 {
        said.push_str(" Of submodules the files are there, and their history is not: commit in those on the host.");
    }
    said
}

#[cfg(test)]
mod tests {
    use super::{Marked, said};

    #[test]
    fn what_is_unusual_is_said() {
        let plain = Marked {
            kept_back: 0,
            large: 0,
            submodules: 0,
        };
        assert_eq!(
            said("mizzen/web", false, false, &plain),
            "On branch `mizzen/web`."
        );
        let marked = Marked {
            kept_back: 2,
            large: 1,
            submodules: 1,
        };
        let said = said("mizzen/web", true, true, &marked);
        for word in [
            "ends before",
            "not on a branch",
            "2 tracked files",
            "LFS",
            "submodules",
        ] {
            assert!(said.contains(word), "{said}");
        }
    }
}
