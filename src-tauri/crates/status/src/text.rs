use std::iter::Peekable;
use std::str::Chars;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// Longest text, in characters, that goes from a container to a person.
pub const TEXT_CAP: usize = 512;

/// Marks above this many on one letter are dropped: they are drawn over the lines around it.
const MARKS: usize = 4;

/// Makes foreign text fit to be shown and logged: no control or escape sequences, no characters
/// that are invisible or turn the reading direction, NFC, at most `cap` characters.
///
/// Line feeds and tabs stay. Markup stays too, as the literal text it is.
#[must_use]
pub fn sanitise(text: &str, cap: usize) -> String {
    let mut marks = 0;
    let mut shown = String::new();
    let mut count = 0;
    for c in visible(text).nfc() {
        marks = if is_combining_mark(c) { marks + 1 } else { 0 };
        if marks > MARKS {
            continue;
        }
        if count == cap {
            shown.pop();
            shown.push('…');
            break;
        }
        shown.push(c);
        count += 1;
    }
    shown
}

/// The characters of a text without escape sequences, controls and invisible ones.
fn visible(text: &str) -> impl Iterator<Item = char> {
    let mut rest = text.chars().peekable();
    std::iter::from_fn(move || {
        loop {
            match rest.next()? {
                '\u{1b}' => skip_escape(&mut rest),
                '\u{9b}' => skip_csi(&mut rest),
                '\u{90}' | '\u{98}' | '\u{9d}' | '\u{9e}' | '\u{9f}' => skip_string(&mut rest),
                c if is_shown(c) => return Some(c),
                _ => {}
            }
        }
    })
}

/// Skips what follows ESC: a control sequence, a string up to its end, or one character
/// (ECMA-48, 5.3 to 5.6).
fn skip_escape(rest: &mut Peekable<Chars<'_>>) {
    match rest.next_if(|c| c.is_ascii()) {
        Some('[') => skip_csi(rest),
        Some(']' | 'P' | 'X' | '^' | '_') => skip_string(rest),
        // Intermediate bytes, as in `ESC ( B`, come before the final one.
        Some(' '..='/') => {
            while rest.next_if(|c| (' '..='/').contains(c)).is_some() {}
            rest.next_if(char::is_ascii_graphic);
        }
        _ => {}
    }
}

fn skip_csi(rest: &mut Peekable<Chars<'_>>) {
    while rest.next_if(|c| (' '..='?').contains(c)).is_some() {}
    rest.next_if(|c| ('@'..='~').contains(c));
}

/// A string ends with BEL, ST, or, unlike in a terminal, with its line: an unended one must not
/// swallow the rest of a log.
fn skip_string(rest: &mut Peekable<Chars<'_>>) {
    while let Some(c) = rest.next_if(|c| *c != '\n') {
        match c {
            '\u{7}' | '\u{9c}' => return,
            '\u{1b}' if rest.next_if_eq(&'\\').is_some() => return,
            _ => {}
        }
    }
}

fn is_shown(c: char) -> bool {
    match c {
        '\n' | '\t' => true,
        // Soft hyphen, fillers, zero-width, direction marks and overrides, isolates, BOM,
        // interlinear anchors, tags, variation selectors' supplement: none has a picture.
        '\u{ad}'
        | '\u{34f}'
        | '\u{61c}'
        | '\u{115f}'
        | '\u{1160}'
        | '\u{17b4}'
        | '\u{17b5}'
        | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{3164}'
        | '\u{feff}'
        | '\u{ffa0}'
        | '\u{fff9}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e0fff}' => false,
        c => !c.is_control(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{TEXT_CAP, sanitise};

    #[test]
    fn rows_19_to_21_of_the_bad_inputs() {
        let mut zalgo = String::from("e");
        zalgo.extend(std::iter::repeat_n('\u{316}', 10_000));
        for (title, dirty, clean) in [
            ("plain", "Compiling…\t45 %\nnext", "Compiling…\t45 %\nnext"),
            (
                "markup is literal",
                "<img src=x onerror=alert(1)>",
                "<img src=x onerror=alert(1)>",
            ),
            ("title by OSC and BEL", "a\u{1b}]0;pwned\u{7}b", "ab"),
            ("clear screen", "a\u{1b}[2Jb", "ab"),
            ("private mode", "a\u{1b}[?25lb", "ab"),
            (
                "link by OSC 8 and ST",
                "\u{1b}]8;;http://evil\u{1b}\\go\u{1b}]8;;\u{1b}\\",
                "go",
            ),
            ("clipboard by OSC 52", "a\u{1b}]52;c;aGk=\u{7}b", "ab"),
            ("C1 forms", "a\u{9b}31mb\u{9d}0;t\u{9c}c", "abc"),
            (
                "unended string keeps the next line",
                "a\u{1b}]0;x\nb",
                "a\nb",
            ),
            ("charset", "a\u{1b}(Bb", "ab"),
            ("lone ESC at the end", "a\u{1b}", "a"),
            ("ESC before a wide letter", "\u{1b}é", "é"),
            (
                "carriage return and backspace",
                "safe\r\u{8}evil",
                "safeevil",
            ),
            ("right-to-left override", "a\u{202e}cod.exe", "acod.exe"),
            ("zero width", "pass\u{200b}word\u{feff}", "password"),
            ("NFC", "e\u{301}", "é"),
            ("a tower of marks", &zalgo, "e\u{316}\u{316}\u{316}\u{316}"),
        ] {
            assert_eq!(sanitise(dirty, TEXT_CAP), clean, "{title}");
        }
    }

    #[test]
    fn long_text_ends_with_an_ellipsis() {
        assert_eq!(sanitise("abcdef", 4), "abc…");
        assert_eq!(sanitise("abcd", 4), "abcd");
        assert_eq!(
            sanitise(&"x".repeat(50_000), TEXT_CAP).chars().count(),
            TEXT_CAP
        );
    }

    proptest! {
        #[test]
        fn nothing_that_steers_a_terminal_survives(text in any::<String>()) {
            let shown = sanitise(&text, TEXT_CAP);
            prop_assert!(shown.chars().count() <= TEXT_CAP);
            prop_assert!(shown.chars().all(|c| c == '\n' || c == '\t' || !c.is_control()));
            prop_assert_eq!(sanitise(&shown, TEXT_CAP), shown.clone(), "sanitising twice is once");
        }
    }
}
