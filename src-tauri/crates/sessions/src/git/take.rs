//! Commits of a workspace, brought back into the host's repository.

use std::time::Duration;

use mizzen_wire::git::{GitTake, GitTask};
use mizzen_wire::write_frame;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use super::command::Git;
use super::incoming::Incoming;
use super::peer::{Peer, lost, open};
use super::repository::Repository;
use super::{Place, Trouble, Way, names, own};

/// How long all of it may take.
const DEADLINE: Duration = Duration::from_secs(300);
/// Most bytes of a pack.
const PACK_CAP: u64 = 2 << 30;
/// Most branches that are taken at once, and most commits that are named to say what is here.
const REFS_MAX: usize = 200;

/// What came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Taken {
    /// Refs of the host that are new or moved.
    pub(crate) refs: Vec<String>,
    /// Refs that keep what a rewritten branch was.
    pub(crate) rescued: Vec<String>,
    /// What was not taken, as it can be shown, and why.
    pub(crate) refused: Vec<String>,
}

impl Taken {
    /// In sentences; none when there was nothing to take.
    pub(crate) fn said(&self) -> Option<String> {
        let mut said = Vec::new();
        if !self.refs.is_empty() {
            said.push(format!("Fetched {}.", listed(&self.refs)));
        }
        if !self.rescued.is_empty() {
            let kept = listed(&self.rescued);
            said.push(format!("History was rewritten; what it was is {kept}."));
        }
        if !self.refused.is_empty() {
            said.push(format!("Not fetched: {}.", listed(&self.refused)));
        }
        (!said.is_empty()).then(|| said.join(" "))
    }
}

/// The first few, and how many more there are.
fn listed(all: &[String]) -> String {
    let shown = all.iter().take(5).cloned().collect::<Vec<_>>().join(", ");
    match all.len().saturating_sub(5) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

/// A branch of the container, and where it goes.
struct Branch {
    name: String,
    tip: String,
    target: String,
    /// What is there now.
    old: Option<String>,
}

/// Takes what branches of the workspace have that the host lacks.
pub(crate) async fn take(way: Way<'_>) -> Result<Taken, Trouble> {
    if !way.place.has_repository() {
        return without_repository(&way).await;
    }
    let taken = timeout(DEADLINE, take_all(&way)).await;
    taken.unwrap_or_else(|_| {
        let why = format!(
            "The commits were not fetched within {} s.",
            DEADLINE.as_secs()
        );
        let hint = format!("Try again: mizzen git fetch {}", way.place.session);
        Err(Trouble::new(why, hint))
    })
}

/// A folder that is no repository takes nothing, and it is said when there would be something.
async fn without_repository(way: &Way<'_>) -> Result<Taken, Trouble> {
    let peer = Peer::look(way.wire).await?;
    let mut taken = Taken::default();
    if !peer.refs.is_empty() {
        let why = "what was committed there: the folder is not the top of a git repository";
        taken.refused.push(why.to_owned());
    }
    Ok(taken)
}

async fn take_all(way: &Way<'_>) -> Result<Taken, Trouble> {
    let peer = Peer::look(way.wire).await?;
    let mut taken = Taken::default();
    let Some(format) = &peer.look.format else {
        return Ok(taken);
    };
    let git = Git::new(way.place);
    own::check(&git).await?;
    let host = Repository::look(git).await?;
    if *format != host.format {
        let said = format!("names objects by {format}, the project by {}", host.format);
        return Err(Trouble::container(
            "has a repository that does not fit",
            &said,
        ));
    }
    let branches = wanted(way.place, &host, &peer, &mut taken).await?;
    fetch(way, &host, &peer, &branches).await?;
    for branch in branches {
        keep(way.place, &host, branch, &mut taken).await;
    }
    Ok(taken)
}

/// Branches that are not as they were last taken, and not the host's own.
async fn wanted(
    place: &Place,
    host: &Repository,
    peer: &Peer,
    taken: &mut Taken,
) -> Result<Vec<Branch>, Trouble> {
    let ours = names::all_kept(&place.session);
    let listed = ["for-each-ref", "--format=%(objectname) %(refname)", &ours];
    let listed = host.git.text(&listed).await?;
    let kept: Vec<(&str, &str)> = listed
        .lines()
        .filter_map(|line| line.split_once(' '))
        .collect();
    let mut branches = Vec::new();
    let heads = peer
        .refs
        .iter()
        .filter(|(name, _)| !name.starts_with("refs/remotes/"));
    for (said, tip) in heads {
        let Some(name) = names::taken_branch(said) else {
            let shown = mizzen_status::sanitise(said, 80);
            taken
                .refused
                .push(format!("`{shown}`, which is no name of a branch"));
            continue;
        };
        let target = names::kept(&place.session, name);
        let old = kept.iter().find(|(_, name)| *name == target);
        let old = old.map(|(object, _)| (*object).to_owned());
        if old.as_ref() == Some(tip) {
            continue;
        }
        if branches.len() == REFS_MAX {
            taken
                .refused
                .push(format!("branches after the first {REFS_MAX}"));
            break;
        }
        branches.push(Branch {
            name: name.to_owned(),
            tip: tip.clone(),
            target,
            old,
        });
    }
    let tips: Vec<String> = branches.iter().map(|branch| branch.tip.clone()).collect();
    let here = host.existing(&tips).await?;
    let mut wanted = Vec::new();
    for branch in branches {
        let is_the_hosts = branch.old.is_none()
            && here.contains(&branch.tip)
            && host.reaches(&branch.tip, &ours).await;
        if !is_the_hosts {
            wanted.push(branch);
        }
    }
    Ok(wanted)
}

/// Brings the objects that are not here. A pack names no refs; each of its objects is checked, and nothing of it is there
/// before all are.
async fn fetch(
    way: &Way<'_>,
    host: &Repository,
    peer: &Peer,
    branches: &[Branch],
) -> Result<(), Trouble> {
    let tips: Vec<String> = branches.iter().map(|branch| branch.tip.clone()).collect();
    let here = host.existing(&tips).await?;
    let want: Vec<String> = tips.into_iter().filter(|tip| !here.contains(tip)).collect();
    if want.is_empty() {
        return Ok(());
    }
    let count = format!("--count={REFS_MAX}");
    let listed = [
        "for-each-ref",
        "--sort=-committerdate",
        "--format=%(objectname)",
        &count,
    ];
    let listed = host.git.text(&listed).await?;
    let of_host = host.existing(&peer.of_host()).await?;
    let own = listed.lines().map(str::to_owned).chain(host.head.clone());
    let mut have: Vec<String> = of_host.into_iter().chain(here).chain(own).collect();
    have.truncate(2 * REFS_MAX);
    let mut stream = open(way.wire, GitTask::Take).await?;
    let asked = write_frame(&mut stream, &GitTake { want, have }).await;
    asked.map_err(|error| lost(&error))?;
    stream.shutdown().await.map_err(|error| lost(&error))?;
    let limit = format!("--max-input-size={PACK_CAP}");
    let unpack = ["index-pack", "--stdin", "--strict", &limit];
    let incoming = Incoming::new(&host.git).await?;
    // One byte more: git says that it is too much.
    let mut pack = stream.take(PACK_CAP + 1);
    let unpacked = host
        .git
        .drink_with(incoming.environment(), &unpack, &mut pack);
    unpacked.await.map_err(|trouble| Trouble {
        why: format!("What the container gave is no history. {}", trouble.why),
        hint: "Look at the repository in the session: git fsck".to_owned(),
    })?;
    incoming.keep()
}

/// Moves a ref of ours, as far as it is still where it was seen. What a rewritten branch was is kept first.
async fn keep(place: &Place, host: &Repository, branch: Branch, taken: &mut Taken) {
    let refused = |why: &str| format!("`{}`, {why}", branch.name);
    let (tip, none) = (branch.tip.as_str(), "0".repeat(branch.tip.len()));
    // All that it reaches is here: what is missing is not met later.
    let whole = ["rev-list", "--objects", "--quiet", tip, "--not", "--all"];
    if host.git.run(&whole).await.is_err() {
        taken.refused.push(refused("whose history is not whole"));
        return;
    }
    let old = branch.old.as_deref().unwrap_or(&none);
    let mut moves = format!("update {} {tip} {old}\n", branch.target);
    let mut rescue = None;
    if let Some(old) = &branch.old
        && !host.is_behind(old, tip).await
    {
        let name = names::rescued(&place.session, place.now, &branch.name);
        moves = format!("create {name} {old}\n{moves}");
        rescue = Some(name);
    }
    match host
        .git
        .feed(&["update-ref", "--stdin"], moves.as_bytes())
        .await
    {
        Ok(_) => {
            taken.refs.push(branch.target);
            taken.rescued.extend(rescue);
        }
        Err(trouble) => {
            tracing::info!(session = %place.session, trouble.why, "a ref was not moved");
            let why = "whose place is taken by another of its refs, or was changed meanwhile";
            taken.refused.push(refused(why));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Taken;

    #[test]
    fn what_came_and_what_did_not_is_said() {
        assert_eq!(Taken::default().said(), None);
        let texts = |many: usize| (0..many).map(|nth| format!("r{nth}")).collect::<Vec<_>>();
        let taken = Taken {
            refs: texts(7),
            rescued: texts(1),
            refused: texts(2),
        };
        assert_eq!(
            taken.said().unwrap(),
            "Fetched r0, r1, r2, r3, r4 and 2 more. History was rewritten; what it was is r0. Not fetched: r0, r1."
        );
    }
}
