//! Three-way merge of text, line by line.
//!
//! The rule is that of diff3 ("A Formal Investigation of Diff3", Khanna, Kunal and Pierce, 2007): what one side changed
//! is taken from it; where both changed the same or neighbouring lines, each in its own way, there is no answer.

use std::ops::Range;

use crate::diff::{Hunk, hunks};
use crate::generated::says_generated;

/// The text with both sides' changes; none when they do not go together, or one of the three is no text or was made by
/// a program.
#[must_use]
pub fn merge(base: &[u8], host: &[u8], container: &[u8]) -> Option<Vec<u8>> {
    let is_made_by_people = |text: &&[u8]| !text.contains(&0) && !says_generated(text);
    if ![base, host, container].iter().all(is_made_by_people) {
        return None;
    }
    let lines = lines(base);
    let mut sides = [Side::new(base, host), Side::new(base, container)];
    let mut merged = Vec::with_capacity(host.len().max(container.len()));
    let mut done = 0;
    while let Some(changed) = next_change(&mut sides) {
        merged.extend(lines[done..changed.start].concat());
        let [one, two] = sides.each_mut().map(|side| side.take(&changed));
        merged.extend_from_slice(&match (one, two) {
            (Some(one), Some(two)) => (one == two).then_some(one)?,
            (one, two) => one.or(two)?,
        });
        done = changed.end;
    }
    merged.extend(lines[done..].concat());
    Some(merged)
}

fn lines(text: &[u8]) -> Vec<&[u8]> {
    text.split_inclusive(|byte| *byte == b'\n').collect()
}

/// Lines of the base from the next change to the end of all that touch it, on either side.
fn next_change(sides: &mut [Side<'_>; 2]) -> Option<Range<usize>> {
    let first = sides
        .iter()
        .filter_map(Side::next)
        .min_by_key(|range| range.start)?;
    let mut changed = first;
    while let Some(touching) = sides.iter().find_map(|side| side.reaching(&changed)) {
        changed.end = touching;
    }
    Some(changed)
}

/// One side's changes, in order.
struct Side<'a> {
    lines: Vec<&'a [u8]>,
    hunks: Vec<Hunk>,
    /// Changes that are taken already.
    taken: usize,
    /// Lines of this side that are accounted for, less those of the base.
    shift: isize,
}

impl<'a> Side<'a> {
    fn new(base: &[u8], text: &'a [u8]) -> Self {
        Self {
            hunks: hunks(base, text),
            lines: lines(text),
            taken: 0,
            shift: 0,
        }
    }

    fn next(&self) -> Option<Range<usize>> {
        Some(self.hunks.get(self.taken)?.0.clone())
    }

    /// Where a change ends that begins within or next to these lines and ends after them.
    fn reaching(&self, changed: &Range<usize>) -> Option<usize> {
        let ahead = self.hunks[self.taken..].iter().map(|(before, _)| before);
        let touching = ahead.take_while(|before| before.start <= changed.end);
        touching
            .map(|before| before.end)
            .filter(|end| *end > changed.end)
            .max()
    }

    /// This side's lines in the place of these lines of the base; none when it has not changed them.
    fn take(&mut self, changed: &Range<usize>) -> Option<Vec<u8>> {
        let ahead = self.hunks[self.taken..].iter();
        let here = ahead
            .take_while(|(before, _)| before.start <= changed.end && before.end <= changed.end);
        let count = here.count();
        if count == 0 {
            return None;
        }
        let start = changed.start.checked_add_signed(self.shift)?;
        self.taken += count;
        let (before, after) = &self.hunks[self.taken - 1];
        self.shift = after.end.cast_signed() - before.end.cast_signed();
        let end = changed.end.checked_add_signed(self.shift)?;
        Some(self.lines[start..end].concat())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text(lines: &str) -> String {
        lines.chars().map(|line| format!("{line}\n")).collect()
    }

    #[test]
    fn changes_of_both_sides_go_together_unless_they_touch() {
        for (base, host, container, merged) in [
            ("abcde", "Xbcde", "abcdY", Some("XbcdY")),
            ("abcde", "abde", "Yabcde", Some("Yabde")),
            ("abcde", "abcdeX", "Yabcde", Some("YabcdeX")),
            ("abcde", "aXcde", "aXcde", Some("aXcde")),
            ("abcde", "aXcde", "abcYe", Some("aXcYe")),
            ("abcde", "aXcde", "aYcde", None),
            ("abcde", "aXcde", "abYde", None),
            ("abcde", "abXcde", "abYcde", None),
            ("abcde", "abXcde", "abXcde", Some("abXcde")),
            ("abcde", "ae", "abYde", None),
            ("", "X", "Y", None),
            ("", "X", "X", Some("X")),
            ("abc", "", "abc", Some("")),
        ] {
            let [base, host, container] = [base, host, container].map(text);
            let found = merge(base.as_bytes(), host.as_bytes(), container.as_bytes());
            let expected = merged.map(text);
            assert_eq!(
                found.map(|found| String::from_utf8(found).unwrap()),
                expected,
                "{base:?} {host:?} {container:?}"
            );
        }
    }

    #[test]
    fn a_last_line_without_its_end_is_a_line() {
        assert_eq!(
            merge(b"a\nb\nc", b"X\nb\nc", b"a\nb\nc\n").as_deref(),
            Some(&b"X\nb\nc\n"[..])
        );
    }

    #[test]
    fn bytes_that_are_no_text_are_not_merged() {
        assert_eq!(merge(b"a\nb\nc\n\0", b"X\nb\nc\n\0", b"a\nb\nY\n\0"), None);
    }

    #[test]
    fn what_a_program_has_made_is_not_merged() {
        let made = |text: &str| format!("# generated by bindgen, do not edit\n{text}");
        let [base, host, container] = ["a\nb\nc\n", "X\nb\nc\n", "a\nb\nY\n"].map(made);
        let [base, host, container] = [&base, &host, &container].map(|text| text.as_bytes());
        assert_eq!(merge(base, host, container), None);
    }

    fn some_text() -> impl Strategy<Value = String> {
        "[abc]{0,12}".prop_map(|lines| text(&lines))
    }

    proptest! {
        #[test]
        fn one_sided_changes_are_taken_whole(base in some_text(), new in some_text()) {
            let (base, new) = (base.as_bytes(), new.as_bytes());
            let whole = Some(new.to_vec());
            prop_assert_eq!(merge(base, new, base), whole.clone());
            prop_assert_eq!(merge(base, base, new), whole.clone());
            prop_assert_eq!(merge(base, new, new), whole);
        }

        #[test]
        fn sides_are_equal(base in some_text(), host in some_text(), container in some_text()) {
            let (base, host, container) = (base.as_bytes(), host.as_bytes(), container.as_bytes());
            prop_assert_eq!(merge(base, host, container), merge(base, container, host));
        }
    }
}
