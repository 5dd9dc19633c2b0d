//! Trees and outcomes as one line of text, for tests.
//!
//! `a=1` a file whose contents are `1`, `a=1*` executable, `d/` a directory, `l->t` a link, `x!` an entry that cannot be
//! carried; `d/a=1` lies in a directory. `-` is no tree at all, `=1` a file in the place of the root.

use std::fmt::{self, Write as _};

use crate::change::{Plan, Side};
use crate::edit::Edit;
use crate::name::RelPath;
use crate::reconcile::Outcome;
use crate::tree::{Digest, File, Node, Unsyncable};

/// Reads a sketch.
pub(crate) fn tree(sketch: &str) -> Option<Node> {
    if sketch == "-" {
        return None;
    }
    let edits: Vec<Edit> = sketch.split_whitespace().map(edit).collect();
    Node::replaced(None, &edits).or_else(|| Some(Node::empty_dir()))
}

fn edit(word: &str) -> Edit {
    let (path, entry) = if let Some((path, contents)) = word.split_once('=') {
        (path, file(contents))
    } else if let Some((path, target)) = word.split_once("->") {
        (path, Node::Link(target.as_bytes().into()))
    } else if let Some(path) = word.strip_suffix('/') {
        (path, Node::empty_dir())
    } else {
        let path = word.strip_suffix('!').unwrap_or_else(|| panic!("{word}?"));
        (path, Node::Unsyncable(Unsyncable::Special))
    };
    Edit {
        path: RelPath::new(path.as_bytes()).unwrap(),
        entry: Some(entry),
    }
}

fn file(contents: &str) -> Node {
    let (text, executable) = match contents.strip_suffix('*') {
        Some(text) => (text, true),
        None => (contents, false),
    };
    let mut digest = [0; 32];
    digest[..text.len()].copy_from_slice(text.as_bytes());
    Node::File(File {
        digest: Digest(digest),
        size: text.len() as u64,
        mtime: 0,
        executable,
    })
}

/// What a cycle decides, as words: `host:a=1` puts, `container:-a` deletes, `base:a=1` is agreed already, `merge:a`,
/// `conflict:a`, `problem:a`. Whole directories stand in parentheses.
pub(crate) fn outcome(outcome: &Outcome) -> String {
    let mut words = Vec::new();
    for edit in &outcome.agreed {
        words.push(placed("base", &edit.path, edit.entry.as_ref()));
    }
    for (side, plan) in outcome.plans() {
        words.extend(changes(side, plan));
    }
    words.extend(
        outcome
            .merges
            .iter()
            .map(|merge| format!("merge:{}", merge.path)),
    );
    words.extend(
        outcome
            .conflicts
            .iter()
            .map(|conflict| format!("conflict:{}", conflict.path)),
    );
    words.extend(
        outcome
            .problems
            .iter()
            .map(|problem| format!("problem:{}", problem.path)),
    );
    words.join(" ")
}

fn changes(side: Side, plan: &Plan) -> Vec<String> {
    let changes = plan.changes.iter();
    changes
        .map(|change| placed(side, &change.path, change.new.as_ref()))
        .collect()
}

fn placed(where_: impl fmt::Display, path: &RelPath, entry: Option<&Node>) -> String {
    match entry {
        Some(entry) => format!("{where_}:{path}{}", node(entry)),
        None => format!("{where_}:-{path}"),
    }
}

fn node(node: &Node) -> String {
    match node {
        Node::File(file) => {
            let text: String = file
                .digest
                .0
                .iter()
                .take_while(|byte| **byte != 0)
                .map(|byte| char::from(*byte))
                .collect();
            format!("={text}{}", if file.executable { "*" } else { "" })
        }
        Node::Link(target) => format!("->{}", String::from_utf8_lossy(target)),
        Node::Unsyncable(_) => "!".to_owned(),
        Node::Dir(dir) if dir.is_empty() => "/".to_owned(),
        Node::Dir(dir) => {
            let mut inner = String::new();
            for (name, child) in dir.iter() {
                let space = if inner.is_empty() { "" } else { "," };
                let _ = write!(inner, "{space}{name}{}", self::node(child));
            }
            format!("/({inner})")
        }
    }
}
