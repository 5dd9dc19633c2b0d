//! The container's repository, as the container tells.

use std::time::Duration;

use mizzen_wire::git::{GitLook, GitTask};
use mizzen_wire::{Stream, StreamKind, Wire, read_frame};
use tokio::io::AsyncReadExt;
use tokio::time::timeout;

use super::{Trouble, names};

/// How long the container may take to look.
const DEADLINE: Duration = Duration::from_secs(30);
/// Most bytes of its refs.
const REFS_CAP: u64 = 512 * 1024;

/// What it says of itself. All of it may be wrong.
pub(super) struct Peer {
    pub(super) look: GitLook,
    /// Names as they were said, with objects that are named well.
    pub(super) refs: Vec<(String, String)>,
}

impl Peer {
    pub(super) async fn look(wire: &Wire) -> Result<Self, Trouble> {
        let looked = async {
            let mut stream = open(wire, GitTask::Look).await?;
            let look = read_frame(&mut stream)
                .await
                .map_err(|error| lost(&error))?;
            let mut said = Vec::new();
            let read = stream.take(REFS_CAP).read_to_end(&mut said).await;
            read.map_err(|error| lost(&error))?;
            let refs = refs(&String::from_utf8_lossy(&said));
            Ok(Self { look, refs })
        };
        let looked = timeout(DEADLINE, looked).await;
        looked.unwrap_or_else(|_| Err(Trouble::container("does not answer", "it took too long")))
    }

    /// Commits that it says the host had.
    pub(super) fn of_host(&self) -> Vec<String> {
        let of_host = |(name, _): &&(String, String)| name.starts_with("refs/remotes/host/");
        let refs = self.refs.iter().filter(of_host);
        refs.map(|(_, commit)| commit.clone()).collect()
    }
}

fn refs(said: &str) -> Vec<(String, String)> {
    let pairs = said.lines().filter_map(|line| line.split_once(' '));
    let named = pairs.filter(|(object, _)| names::is_object(object));
    named
        .map(|(object, name)| (name.to_owned(), object.to_owned()))
        .collect()
}

pub(super) async fn open(wire: &Wire, task: GitTask) -> Result<Stream, Trouble> {
    let opened = wire.open(StreamKind::Git(task)).await;
    opened.map_err(|error| Trouble::container("speaks of no history", &error.to_string()))
}

/// The stream broke off.
pub(super) fn lost(error: &std::io::Error) -> Trouble {
    Trouble::container("broke off", &error.to_string())
}

#[cfg(test)]
mod tests {
    use super::refs;

    #[test]
    fn lines_that_name_no_object_are_passed_over() {
        let object = "0".repeat(40);
        let said = format!("{object} refs/heads/a b\n--all refs/heads/c\nd\n\n{object}\n");
        assert_eq!(refs(&said), [("refs/heads/a b".to_owned(), object)]);
    }
}
