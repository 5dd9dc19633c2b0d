//! The container's repository, as the container tells.

use std::time::Duration;

use mizzen_wire::git::{GIT_REFS_MAX, GitLook, GitTask};
use mizzen_wire::{Stream, StreamKind, Wire, read_frame};
use tokio::io::AsyncReadExt;
use tokio::time::timeout;

use super::{Trouble, names};

/// How long the container may take to look.
const DEADLINE: Duration = Duration::from_secs(30);
/// Most bytes of its refs.
const REFS_CAP: usize = 1024 * 1024;

/// What it says of itself. All of it may be wrong.
pub(super) struct Peer {
    pub(super) look: GitLook,
    /// Names as they were said, with objects that are named well.
    pub(super) refs: Vec<(String, String)>,
    /// Whether there are more of them than were told.
    pub(super) has_more: bool,
}

impl Peer {
    pub(super) async fn look(wire: &Wire) -> Result<Self, Trouble> {
        let looked = async {
            let mut stream = open(wire, GitTask::Look).await?;
            let look = read_frame(&mut stream)
                .await
                .map_err(|error| lost(&error))?;
            let mut said = Vec::new();
            let read = stream.take(REFS_CAP as u64).read_to_end(&mut said).await;
            read.map_err(|error| lost(&error))?;
            let (refs, has_more) = refs(&String::from_utf8_lossy(&said));
            Ok(Self {
                look,
                refs,
                has_more,
            })
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

/// The refs, and whether there are more: a line that does not end was cut off.
fn refs(said: &str) -> (Vec<(String, String)>, bool) {
    let whole = said.rfind('\n').map_or("", |end| &said[..end]);
    let pairs = whole.lines().filter_map(|line| line.split_once(' '));
    let named = pairs.filter(|(object, _)| names::is_object(object));
    let mut refs: Vec<_> = named
        .map(|(object, name)| (name.to_owned(), object.to_owned()))
        .collect();
    let has_more = refs.len() > GIT_REFS_MAX || whole.len() + 1 < said.len();
    refs.truncate(GIT_REFS_MAX);
    (refs, has_more)
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
    use super::{GIT_REFS_MAX, refs};

    #[test]
    fn lines_that_name_no_object_are_passed_over() {
        let object = "0".repeat(40);
        let said = format!("{object} refs/heads/a b\n--all refs/heads/c\nd\n\n{object}\n");
        let named = vec![("refs/heads/a b".to_owned(), object)];
        assert_eq!(refs(&said), (named, false));
    }

    #[test]
    fn a_list_that_was_cut_says_so_and_its_last_name_is_none() {
        let line = format!("{} refs/heads/main\n", "0".repeat(40));
        let cut = format!("{line}{}", &line[..line.len() - 3]);
        let (named, has_more) = refs(&cut);
        assert_eq!((named.len(), has_more), (1, true));
        let (named, has_more) = refs(&line.repeat(GIT_REFS_MAX + 1));
        assert_eq!((named.len(), has_more), (GIT_REFS_MAX, true));
        assert_eq!(refs(""), (Vec::new(), false));
    }
}
