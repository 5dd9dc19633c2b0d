//! Rules that the other side would loosen.
//!
//! Files that rules come from are carried like any other. What a container writes into one comes to the side that says
//! what is carried, mostly the host, and its next look goes by it: so a container could ask for what the rules had kept
//! back. Such changes wait for a person.

use mizzen_sync_core::{
    Change, Conflict, GITIGNORE, Node, Outcome, RelPath, RuleTexts, Side, is_tighter,
};

use super::merge::text;
use crate::apply::Contents;
use crate::settings::SETTINGS_FILE;

/// What is kept as it is until a person has seen it.
pub(super) struct Guarded<'a> {
    /// The side whose rules they are.
    pub(super) side: Side,
    pub(super) rules: &'a RuleTexts,
    /// The other side's contents.
    pub(super) contents: &'a dyn Contents,
}

impl Guarded<'_> {
    /// Makes conflicts of what would loosen the rules.
    pub(super) fn hold_back(
        &self,
        outcome: &mut Outcome,
        [base, host, container]: [Option<&Node>; 3],
    ) {
        let conflict = |path: &RelPath| {
            let at = |tree: Option<&Node>| tree.and_then(|tree| tree.get(path)).cloned();
            Conflict {
                path: path.clone(),
                base: at(base),
                host: at(host),
                container: at(container),
            }
        };
        let plan = match self.side {
            Side::Host => &mut outcome.host,
            Side::Container => &mut outcome.container,
        };
        let changes = std::mem::take(&mut plan.changes);
        let (held, carried): (Vec<Change>, Vec<Change>) = changes
            .into_iter()
            .partition(|change| loosens(change, self.rules, self.contents));
        plan.changes = carried;
        let merges = std::mem::take(&mut outcome.merges);
        let (of_rules, merges): (Vec<_>, Vec<_>) =
            merges.into_iter().partition(|merge| is_rule(&merge.path));
        outcome.merges = merges;
        let held = held.iter().map(|change| &change.path);
        let paths = held.chain(of_rules.iter().map(|merge| &merge.path));
        outcome.conflicts.extend(paths.map(conflict));
    }
}

fn is_rule(path: &RelPath) -> bool {
    path.components().last() == Some(GITIGNORE) || path.as_bytes() == SETTINGS_FILE.as_bytes()
}

fn loosens(change: &Change, rules: &RuleTexts, contents: &dyn Contents) -> bool {
    if !is_rule(&change.path) {
        // With a folder, what its rules kept back would stay behind without them. A new one has nothing to keep back.
        return change.old.as_ref().is_some_and(has_rules);
    }
    if change.path.as_bytes() == SETTINGS_FILE.as_bytes() {
        return true;
    }
    let Some(Node::File(file)) = &change.new else {
        return true;
    };
    let before = rules
        .gitignores
        .get(&change.path)
        .map_or("", String::as_str);
    let after = text(contents, &change.path, file);
    let after = after.and_then(|after| String::from_utf8(after).ok());
    !after.is_some_and(|after| is_tighter(before, &after))
}

fn has_rules(node: &Node) -> bool {
    let entries = || node.as_dir().into_iter().flatten();
    entries().any(|(name, child)| name.as_bytes() == GITIGNORE || has_rules(child))
}
