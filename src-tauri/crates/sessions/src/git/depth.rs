//! How much history is brought.

use std::collections::BTreeSet;

/// Most bytes of packs that are brought as they are, in KiB.
const PACKED_MAX: u64 = 200 * 1024;
/// Most commits that are.
pub(super) const COMMITS_MAX: u64 = 20_000;
/// Of a history that is larger, so many of the last commits are brought.
pub(super) const DEPTH: u64 = 500;

/// How many commits are brought; none for all.
pub(super) fn depth(packed_kib: u64, commits: u64, is_shallow: bool) -> Option<u64> {
    let is_large = packed_kib > PACKED_MAX || commits > COMMITS_MAX;
    (is_large || is_shallow).then_some(DEPTH)
}

/// The packed size in what `count-objects -v` prints, in KiB.
pub(super) fn packed_kib(said: &str) -> u64 {
    let mut lines = said.lines().filter_map(|line| line.split_once(": "));
    let size = lines.find(|(name, _)| *name == "size-pack");
    size.and_then(|(_, size)| size.parse().ok())
        .unwrap_or_default()
}

/// Commits at which a history that is cut ends: of lines `commit parent…`, those with a parent that is not among them, and
/// those at which the host's own is cut.
pub(super) fn ends(listed: &str, cut: &str) -> Vec<String> {
    let commits: BTreeSet<&str> = listed.lines().filter_map(first).collect();
    let cut: BTreeSet<&str> = cut.lines().collect();
    let is_end = |line: &&str| {
        let mut parents = line.split(' ').skip(1);
        first(line).is_some_and(|commit| cut.contains(commit))
            || parents.any(|parent| !commits.contains(parent))
    };
    let ends = listed.lines().filter(is_end).filter_map(first);
    ends.map(str::to_owned).collect()
}

fn first(line: &str) -> Option<&str> {
    line.split(' ').next()
}

#[cfg(test)]
mod tests {
    use super::{COMMITS_MAX, DEPTH, PACKED_MAX, depth, ends, packed_kib};

    #[test]
    fn a_history_is_whole_unless_it_is_large_or_cut_already() {
        assert_eq!(depth(PACKED_MAX, COMMITS_MAX, false), None);
        assert_eq!(depth(PACKED_MAX + 1, 1, false), Some(DEPTH));
        assert_eq!(depth(1, COMMITS_MAX + 1, false), Some(DEPTH));
        assert_eq!(depth(1, 1, true), Some(DEPTH));
    }

    #[test]
    fn the_packed_size_is_read_of_what_git_says() {
        assert_eq!(
            packed_kib("count: 3\nsize: 12\nin-pack: 9\nsize-pack: 4711\n"),
            4711
        );
        assert_eq!(packed_kib("no numbers"), 0);
    }

    #[test]
    fn a_cut_history_ends_where_a_parent_is_missing() {
        let listed = "d c x\nc b\nb a\n";
        assert_eq!(ends(listed, ""), ["d", "b"]);
        assert_eq!(ends("b a\na\n", ""), [""; 0]);
        // The host's own history ends there, and git names no parents.
        assert_eq!(ends("b a\na\n", "a\nz\n"), ["a"]);
    }
}
