//! Commits of a workspace, and what else nothing but its repository leads to, brought back into the host's.

use std::collections::BTreeSet;
use std::time::Duration;

use mizzen_wire::git::{GitTake, GitTask};
use mizzen_wire::write_frame;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use super::command::Git;
use super::incoming::Incoming;
use super::names::{Target, What};
use super::peer::{Peer, lost, open};
use super::repository::Repository;
use super::{Place, Trouble, Way, names, own};

/// How long all of it may take.
const DEADLINE: Duration = Duration::from_secs(300);
/// Most bytes of a pack.
const PACK_CAP: u64 = 2 << 30;
/// Most refs that are taken at once, and most commits that are named to say what is here.
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

/// What the container has, and where it goes.
struct Tip {
    object: String,
    target: Target,
    /// What is there now.
    old: Option<String>,
}

/// Takes what branches, tags, stashes and all else of the workspace lead to that the host lacks.
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
    let tips = wanted(way.place, &host, &peer, &mut taken).await?;
    fetch(way, &host, &peer, &tips).await?;
    for tip in tips {
        keep(way.place, &host, tip, &mut taken).await;
    }
    Ok(taken)
}

/// What is not as it was last taken, and not the host's own.
async fn wanted(
    place: &Place,
    host: &Repository,
    peer: &Peer,
    taken: &mut Taken,
) -> Result<Vec<Tip>, Trouble> {
    let refs = host.refs().await?;
    let tips = tips(place, peer, taken)
        .into_iter()
        .map(|(target, object)| Tip {
            old: refs.get(&target.name).cloned(),
            object,
            target,
        });
    let tips: Vec<Tip> = tips
        .filter(|tip| tip.old.as_ref() != Some(&tip.object))
        .collect();
    let here = host.here(&objects(&tips)).await?;
    let named: BTreeSet<&String> = refs.values().collect();
    let ours = names::all_kept(&place.session);
    let mut wanted = Vec::new();
    for tip in tips {
        let is_the_hosts = tip.old.is_none()
            && match here.get(&tip.object) {
                None => false,
                Some(true) => host.reaches(&tip.object, &ours).await,
                // A tag has words of its own, whatever it is about.
                Some(false) => named.contains(&tip.object),
            };
        if is_the_hosts {
            continue;
        }
        if wanted.len() == REFS_MAX {
            taken
                .refused
                .push(format!("what is named after the first {REFS_MAX}"));
            break;
        }
        wanted.push(tip);
    }
    Ok(wanted)
}

/// What the container names, each once.
fn tips(place: &Place, peer: &Peer, taken: &mut Taken) -> Vec<(Target, String)> {
    let (mut tips, mut known) = (Vec::new(), BTreeSet::new());
    let refs = peer.refs.iter();
    for (said, object) in refs.filter(|(name, _)| !name.starts_with("refs/remotes/")) {
        match names::target(&place.session, said, object) {
            Some(target) if known.insert(target.name.clone()) => {
                tips.push((target, object.clone()))
            }
            Some(_) => {}
            None => {
                let shown = mizzen_status::sanitise(said, 80);
                let why = format!("`{shown}`, which is no name of a ref");
                taken.refused.push(why);
            }
        }
    }
    if peer.has_more {
        let why = format!("what is named after the first {}", peer.refs.len());
        taken.refused.push(why);
    }
    tips
}

fn objects(tips: &[Tip]) -> Vec<String> {
    tips.iter().map(|tip| tip.object.clone()).collect()
}

/// Brings the objects that are not here. A pack names no refs; each of its objects is checked, and nothing of it is there
/// before all are.
async fn fetch(way: &Way<'_>, host: &Repository, peer: &Peer, tips: &[Tip]) -> Result<(), Trouble> {
    let tips = objects(tips);
    let here = host.here(&tips).await?;
    let want: Vec<String> = tips
        .into_iter()
        .filter(|tip| !here.contains_key(tip))
        .collect();
    let here = here
        .into_iter()
        .filter_map(|(object, is_commit)| is_commit.then_some(object));
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
async fn keep(place: &Place, host: &Repository, tip: Tip, taken: &mut Taken) {
    let Tip {
        object,
        target,
        old,
    } = tip;
    // Its worktree is on a branch's commit, or behind it.
    if target.what == What::Nameless && old.is_none() && host.reaches(&object, &[]).await {
        return;
    }
    let refused = |why: &str| format!("`{}`, {why}", target.short);
    // All that it reaches is here: what is missing is not met later.
    let whole = [
        "rev-list",
        "--objects",
        "--quiet",
        &object,
        "--not",
        "--all",
    ];
    if host.git.run(&whole).await.is_err() {
        taken.refused.push(refused("whose history is not whole"));
        return;
    }
    let none = "0".repeat(object.len());
    let now = old.as_ref().unwrap_or(&none);
    let mut moves = format!("update {} {object} {now}\n", target.name);
    let mut rescue = None;
    if let Some(old) = &old
        && !(target.what == What::Branch && host.is_behind(old, &object).await)
    {
        let name = names::rescued(&place.session, place.now, &target.short);
        moves = format!("create {name} {old}\n{moves}");
        rescue = Some(name);
    }
    match host
        .git
        .feed(&["update-ref", "--stdin"], moves.as_bytes())
        .await
    {
        Ok(_) => {
            taken.refs.push(target.name);
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
