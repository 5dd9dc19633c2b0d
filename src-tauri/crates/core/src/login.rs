//! The text of a login entry of freedesktop desktops.

use std::path::Path;

/// A desktop entry that starts `program` with `args` at login.
///
/// A path that is not UTF-8 cannot be written in such a file; what replaces its odd bytes names no
/// program, and desktops then skip the entry.
///
/// Quoting follows the Desktop Entry Specification, "The Exec key".
#[must_use]
pub fn login_entry(program: &Path, args: &[&str]) -> String {
    let program = program.to_string_lossy();
    let mut exec = quoted(&program);
    for arg in args {
        exec.push(' ');
        exec.push_str(&quoted(arg));
    }
    format!(
        "[Desktop Entry]\n\
         Type=Application\n\
         Name=Mizzen\n\
         Comment=Sessions for coding agents, in the tray\n\
         Exec={}\n\
         TryExec={}\n\
         Icon=mizzen-desktop\n\
         Terminal=false\n\
         X-GNOME-Autostart-enabled=true\n",
        string(&exec),
        string(&program),
    )
}

/// One argument: in quotes, with what is special between quotes and in field codes made plain.
fn quoted(arg: &str) -> String {
    let mut text = String::from('"');
    for c in arg.chars() {
        match c {
            '"' | '`' | '$' | '\\' => text.extend(['\\', c]),
            '%' => text.push_str("%%"),
            _ => text.push(c),
        }
    }
    text.push('"');
    text
}

/// A value of type string: read before the quotes are, so backslashes are doubled once more.
fn string(value: &str) -> String {
    value.replace('\\', "\\\\").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exec(program: &str) -> String {
        let entry = login_entry(Path::new(program), &["--hidden"]);
        let line = entry
            .lines()
            .find_map(|line| line.strip_prefix("Exec="))
            .unwrap();
        line.to_owned()
    }

    #[test]
    fn a_path_with_spaces_is_one_argument() {
        assert_eq!(
            exec("/opt/my apps/mizzen"),
            r#""/opt/my apps/mizzen" "--hidden""#
        );
    }

    #[test]
    fn special_characters_mean_themselves() {
        assert_eq!(exec(r#"/a$b"c"#), r#""/a\\$b\\"c" "--hidden""#);
        assert_eq!(exec(r"/a\b"), r#""/a\\\\b" "--hidden""#);
        assert_eq!(exec("/100%u"), r#""/100%%u" "--hidden""#);
        assert_eq!(exec("/a\nX-Evil=1"), r#""/a\nX-Evil=1" "--hidden""#);
    }
}
