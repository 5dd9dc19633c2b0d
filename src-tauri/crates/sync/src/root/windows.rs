//! Names that Windows cannot hold, or takes for something else: a device, a stream of a file, a place elsewhere.
//!
//! They are those of "Naming Files, Paths, and Namespaces" in its documentation.

/// In UTF-16.
const LENGTH_MAX: usize = 255;

const DEVICES: [&str; 6] = ["CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"];
/// With a digit behind, of which three may be superscript.
const PORTS: [&str; 2] = ["COM", "LPT"];
const DIGITS: &str = "0123456789\u{b9}\u{b2}\u{b3}";

/// Whether an entry may have a name.
pub(super) fn can_hold(name: &str) -> bool {
    let is_kept = |letter: char| letter >= ' ' && !r#"<>:"/\|?*"#.contains(letter);
    name.chars().all(is_kept)
        && !name.ends_with([' ', '.'])
        && name.encode_utf16().count() <= LENGTH_MAX
        && !is_device(name)
}

/// Whatever follows a dot, the device is meant.
fn is_device(name: &str) -> bool {
    let name = name.split('.').next().unwrap_or_default();
    let name = name.trim_end_matches(' ').to_ascii_uppercase();
    let is_port = |port: &&str| {
        let digit = name.strip_prefix(*port);
        digit.is_some_and(|digit| digit.chars().count() == 1 && DIGITS.contains(digit))
    };
    DEVICES.contains(&&*name) || PORTS.iter().any(is_port)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_leads_elsewhere_names_a_device_or_is_cut_off_is_no_name() {
        for name in [
            "a",
            ".gitignore",
            "a b.txt",
            "CONSOLE",
            "com",
            "COM10",
            "lpt.txt",
            "e\u{301}",
            &"n".repeat(255),
        ] {
            assert!(can_hold(name), "{name}");
        }
        for name in [
            r"..\..\a",
            r"a\b",
            "C:a",
            "file:stream",
            "a?",
            "a*",
            "<a>",
            "a|b",
            "\"",
            "a\n",
            "a.",
            "a ",
            "con",
            "CON.txt",
            "nul .txt",
            "aux.tar.gz",
            "Com1",
            "LPT9.log",
            "com\u{b9}",
            "conin$",
            &"n".repeat(256),
            &"\u{1f600}".repeat(128),
        ] {
            assert!(!can_hold(name), "{name}");
        }
    }
}
