//! What differs between two texts, as people read it.

use std::fmt::Write;
use std::ops::Range;

use imara_diff::{Algorithm, Diff, InternedInput};

/// Lines that are shown around each change.
const CONTEXT: usize = 3;

/// Lines of one text, and the lines of the other that stand in their place.
pub(crate) type Hunk = (Range<usize>, Range<usize>);

/// The changed lines of two texts with some lines around them, as unified diffs show them, without names of files. None
/// when one of the two is no text.
#[must_use]
pub fn diff(before: &[u8], after: &[u8]) -> Option<String> {
    let [before, after] = [text(before)?, text(after)?];
    let hunks = hunks(before.as_bytes(), after.as_bytes());
    let [before, after] = [before, after].map(|text| text.split_inclusive('\n').collect());
    let texts = Texts { before, after };
    // Changes whose surroundings meet are shown together.
    let groups = hunks.chunk_by(|(one, _), (two, _)| two.start - one.end <= 2 * CONTEXT);
    Some(groups.map(|group| texts.show(group)).collect())
}

/// Where two texts differ, in lines.
pub(crate) fn hunks(before: &[u8], after: &[u8]) -> Vec<Hunk> {
    let input = InternedInput::new(before, after);
    let mut diff = Diff::compute(Algorithm::Histogram, &input);
    diff.postprocess_lines(&input);
    let wide = |range: Range<u32>| range.start as usize..range.end as usize;
    let hunks = diff
        .hunks()
        .map(|hunk| (wide(hunk.before), wide(hunk.after)));
    hunks.collect()
}

fn text(bytes: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(bytes).ok()?;
    (!text.contains('\0')).then_some(text)
}

struct Texts<'a> {
    before: Vec<&'a str>,
    after: Vec<&'a str>,
}

impl Texts<'_> {
    fn show(&self, group: &[Hunk]) -> String {
        let ([(first, first_after), ..], Some((last, last_after))) = (group, group.last()) else {
            return String::new();
        };
        let lead = first.start.min(CONTEXT);
        let end = self.before.len().min(last.end + CONTEXT);
        let whole = first.start - lead..end;
        let whole_after = first_after.start - lead..last_after.end + (end - last.end);
        let mut shown = format!("@@ -{} +{} @@\n", span(&whole), span(&whole_after));
        let mut at = whole.start;
        for (before, after) in group {
            lines(&mut shown, ' ', &self.before[at..before.start]);
            lines(&mut shown, '-', &self.before[before.clone()]);
            lines(&mut shown, '+', &self.after[after.clone()]);
            at = before.end;
        }
        lines(&mut shown, ' ', &self.before[at..whole.end]);
        shown
    }
}

fn lines(shown: &mut String, mark: char, lines: &[&str]) {
    for line in lines {
        let end = match line.ends_with('\n') {
            true => "",
            false => "\n\\ No newline at end of file\n",
        };
        write!(shown, "{mark}{line}{end}").expect("BUG: a string takes all");
    }
}

/// Where lines stand, from 1; of none, the line before them.
fn span(range: &Range<usize>) -> String {
    match range.len() {
        0 => format!("{},0", range.start),
        1 => format!("{}", range.start + 1),
        count => format!("{},{count}", range.start + 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(before: &str, after: &str, expected: &[&str]) {
        let lines = |text: &str| -> String { text.chars().map(|c| format!("{c}\n")).collect() };
        let found = diff(lines(before).as_bytes(), lines(after).as_bytes()).unwrap();
        assert_eq!(found.lines().collect::<Vec<_>>(), expected);
    }

    #[test]
    fn changes_are_shown_with_what_is_around_them() {
        check("abc", "abc", &[]);
        check("", "a", &["@@ -0,0 +1 @@", "+a"]);
        check("a", "", &["@@ -1 +0,0 @@", "-a"]);
        check(
            "abcdefgh",
            "abcdEfgh",
            &[
                "@@ -2,7 +2,7 @@",
                " b",
                " c",
                " d",
                "-e",
                "+E",
                " f",
                " g",
                " h",
            ],
        );
    }

    #[test]
    fn changes_that_are_near_are_shown_together() {
        let near = [
            "@@ -1,8 +1,7 @@",
            "-0",
            " a",
            " b",
            " c",
            " d",
            " e",
            " f",
            "-1",
            "+2",
        ];
        check("0abcdef1", "abcdef2", &near);
        let far = [
            "@@ -1,4 +1,3 @@",
            "-0",
            " a",
            " b",
            " c",
            "@@ -6,4 +5,4 @@",
            " e",
            " f",
            " g",
            "-1",
            "+2",
        ];
        check("0abcdefg1", "abcdefg2", &far);
    }

    #[test]
    fn a_last_line_without_its_end_is_said_to_be_one() {
        let found = diff(b"a\nb", b"a\nb\n").unwrap();
        let expected = "@@ -1,2 +1,2 @@\n a\n-b\n\\ No newline at end of file\n+b\n";
        assert_eq!(found, expected);
    }

    #[test]
    fn bytes_that_are_no_text_are_not_compared() {
        assert_eq!(diff(b"a\n", b"a\0\n"), None);
        assert_eq!(diff(b"\xff\n", b"a\n"), None);
    }
}
