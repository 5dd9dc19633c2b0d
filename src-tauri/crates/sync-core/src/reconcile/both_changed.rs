//! Places that both sides changed, each in its own way.

use super::{Conflict, Cycle, Merge};
use crate::change::Side;
use crate::generated::is_generated;
use crate::mode::Mode;
use crate::tree::{File, Node};

impl Cycle {
    /// Known here: the sides differ from each other and from the base, and at most one is a directory.
    pub(super) fn both_changed(
        &mut self,
        base: Option<&Node>,
        host: Option<&Node>,
        container: Option<&Node>,
    ) {
        match (host, container) {
            // A change outlives a deletion.
            (Some(_), None) => self.propagate(base, Side::Container, None, host),
            (None, Some(_)) if self.mode == Mode::OneWaySafe => self.agree(base, None),
            (None, _) => self.propagate(base, Side::Host, None, container),
            (Some(one), Some(two)) => match self.mode {
                Mode::TwoWayHostWins => self.propagate(base, Side::Container, container, host),
                Mode::TwoWayContainerWins => self.propagate(base, Side::Host, host, container),
                Mode::OneWaySafe | Mode::OneWayReplica => self.conflict(base, host, container),
                Mode::TwoWaySafe => match (base, one, two) {
                    (_, Node::File(one), Node::File(two)) => {
                        self.both_files(base.and_then(Node::as_file), one, two);
                    }
                    _ => self.conflict(base, host, container),
                },
            },
        }
    }

    fn both_files(&mut self, base: Option<&File>, host: &File, container: &File) {
        let executable = match base {
            Some(base) => {
                three_way(&base.executable, &host.executable, &container.executable).copied()
            }
            None => None,
        };
        let executable = executable.unwrap_or(host.executable || container.executable);
        // Contents, size and time go together.
        let contents = match base {
            Some(base) => three_way(&base.digest, &host.digest, &container.digest),
            None => (host.digest == container.digest).then_some(&host.digest),
        };
        let path = self.walk.path();
        match (contents, base) {
            (Some(digest), _) => {
                let from = if *digest == host.digest {
                    host
                } else {
                    container
                };
                let merged = File {
                    executable,
                    ..*from
                };
                for (side, file) in [(Side::Host, host), (Side::Container, container)] {
                    if !file.same(&merged) {
                        let (old, new) = (Node::File(*file), Node::File(merged));
                        self.plan(side).change(path.clone(), Some(&old), Some(new));
                    }
                }
            }
            (None, Some(base)) if !is_generated(&path) => self.outcome.merges.push(Merge {
                path,
                base: *base,
                host: *host,
                container: *container,
                executable,
            }),
            (None, base) => {
                let base = base.copied().map(Node::File);
                let (host, container) = (Node::File(*host), Node::File(*container));
                self.conflict(base.as_ref(), Some(&host), Some(&container));
            }
        }
    }

    fn conflict(&mut self, base: Option<&Node>, host: Option<&Node>, container: Option<&Node>) {
        self.outcome.conflicts.push(Conflict {
            path: self.walk.path(),
            base: base.cloned(),
            host: host.cloned(),
            container: container.cloned(),
        });
    }
}

/// The value that one side changed or both agree on; none when both changed it, each in its own way.
fn three_way<'a, T: PartialEq>(base: &T, host: &'a T, container: &'a T) -> Option<&'a T> {
    match (host == base, container == base) {
        (true, _) => Some(container),
        (_, true) => Some(host),
        (false, false) => (host == container).then_some(host),
    }
}
