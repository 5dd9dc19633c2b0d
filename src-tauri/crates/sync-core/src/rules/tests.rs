use proptest::prelude::*;

use super::*;

fn path(text: &str) -> RelPath {
    RelPath::new(text.as_bytes()).unwrap()
}

fn rules(gitignores: &[(&str, &str)], ignore: &[&str], include: &[&str]) -> Rules {
    let owned = |patterns: &[&str]| patterns.iter().map(|&pattern| pattern.to_owned()).collect();
    let files = gitignores
        .iter()
        .map(|(file, text)| (path(file), (*text).to_owned()));
    let texts = RuleTexts {
        gitignores: files.collect(),
        git_exclude: "excluded\n".to_owned(),
        git_global: "*.swp\nglobal\n".to_owned(),
        ignore: owned(ignore),
        include: owned(include),
    };
    Rules::new(&texts).unwrap()
}

/// `-` for what is carried, otherwise the rule in words.
fn said(rules: &Rules, entry: &str) -> String {
    let (entry, is_dir) = match entry.strip_suffix('/') {
        Some(entry) => (entry, true),
        None => (entry, false),
    };
    match rules.check_whole(&path(entry), is_dir) {
        Ok(()) => "-".to_owned(),
        Err((at, why)) => format!("{at}: {why}"),
    }
}

#[test]
fn the_nearest_gitignore_that_says_something_decides() {
    let rules = rules(
        &[
            (
                ".gitignore",
                "*.log\n/build/\n# a comment\n\ndoc/*.txt\nglobal\n!kept.swp\n",
            ),
            ("app/.gitignore", "!keep.log\n/only-here\n"),
            ("marked/.gitignore", "\u{feff}first\r\nsecond\r\n"),
        ],
        &[],
        &[],
    );
    for (entry, expected) in [
        ("a.log", "a.log: `*.log` in .gitignore"),
        ("app/deep/a.log", "app/deep/a.log: `*.log` in .gitignore"),
        ("app/keep.log", "-"),
        ("app/deep/keep.log", "-"),
        ("keep.log", "keep.log: `*.log` in .gitignore"),
        ("build/", "build: `/build/` in .gitignore"),
        ("build", "-"),
        ("app/build/", "-"),
        ("build/x/y", "build: `/build/` in .gitignore"),
        ("doc/a.txt", "doc/a.txt: `doc/*.txt` in .gitignore"),
        ("app/doc/a.txt", "-"),
        (
            "app/only-here",
            "app/only-here: `/only-here` in app/.gitignore",
        ),
        ("app/deep/only-here", "-"),
        ("only-here", "-"),
        ("excluded", "excluded: `excluded` in .git/info/exclude"),
        (
            "x.swp",
            "x.swp: `*.swp` in git's ignore file for all repositories",
        ),
        ("kept.swp", "-"),
        ("global", "global: `global` in .gitignore"),
        ("marked/first", "marked/first: `first` in marked/.gitignore"),
        (
            "marked/second",
            "marked/second: `second` in marked/.gitignore",
        ),
        ("application/a", "-"),
    ] {
        assert_eq!(said(&rules, entry), expected, "{entry}");
    }
}

#[test]
fn settings_stand_above_git_and_include_above_all_but_version_control_and_mizzen() {
    let rules = rules(
        &[(".gitignore", "*.gen\n!big.bin\n")],
        &["*.bin", "/cache/"],
        &["wanted.gen", ".env.test", ".git", ".para", "/cache/"],
    );
    for (entry, expected) in [
        ("big.bin", "big.bin: `*.bin` in mizzen.toml"),
        ("a.gen", "a.gen: `*.gen` in .gitignore"),
        ("wanted.gen", "-"),
        ("cache/", "-"),
        (".env.test", "-"),
        (
            ".env",
            ".env: its name is that of a secret; `include` it in mizzen.toml to sync it",
        ),
        (
            ".git/",
            ".git: version control's own files are never synced",
        ),
        (
            "sub/.git",
            "sub/.git: version control's own files are never synced",
        ),
        (".para/", ".para: Mizzen's own files are never synced"),
        (
            "sub/.para/state/x",
            "sub/.para: Mizzen's own files are never synced",
        ),
        ("para", "-"),
        (
            "sub/.jj/repo",
            "sub/.jj: version control's own files are never synced",
        ),
        (".gitattributes", "-"),
    ] {
        assert_eq!(said(&rules, entry), expected, "{entry}");
    }
}

#[test]
fn a_pattern_that_is_none_is_named() {
    let texts = RuleTexts {
        ignore: vec!["ok".to_owned(), "a{b".to_owned()],
        ..RuleTexts::default()
    };
    let error = Rules::new(&texts).unwrap_err();
    assert_eq!(error.pattern, "a{b");
    let texts = RuleTexts {
        gitignores: [(path(".gitignore"), "a{b\nc\n".to_owned())].into(),
        ..RuleTexts::default()
    };
    assert!(
        Rules::new(&texts)
            .unwrap()
            .check(&path("c"), false)
            .is_err(),
        "git passes over it"
    );
}

#[test]
fn secrets_are_known_by_their_names() {
    let rules = rules(&[], &[], &[]);
    for (file, is_secret) in [
        (".env", true),
        (".env.local", true),
        ("app/.ENV.production", true),
        (".env.example", false),
        (".env.local.sample", false),
        (".envrc", false),
        ("env", false),
        ("keys/id_ed25519", true),
        ("keys/id_ed25519.pub", false),
        ("release.keystore", true),
        ("home/.aws/credentials", true),
        ("docs/credentials", false),
        (".docker/config.json", true),
        ("app/config.json", false),
    ] {
        let found = rules.check(&path(file), false) == Err(Ignored::Secret);
        assert_eq!(found, is_secret, "{file}");
    }
}

#[test]
fn secrets_are_known_by_their_forms() {
    // Put together here, so that no scanner takes this file for a leak.
    let long = "0123456789abcdefghij".repeat(4);
    for (contents, expected) in [
        (
            format!("x\n-----BEGIN {}KEY-----\n", "OPENSSH PRIVATE "),
            Some(("a private key", 2)),
        ),
        (
            format!("-----BEGIN {}KEY-----", "PRIVATE "),
            Some(("a private key", 1)),
        ),
        (format!("-----BEGIN {}KEY-----", "PUBLIC "), None),
        (
            format!("id = {}{}", "AKIA", "QYLPMN5HHHFPZAM2"),
            Some(("an AWS access key", 1)),
        ),
        (format!("id = {}{}", "AKIA", "IOSFODNN7EXAMPLE"), None),
        (
            format!("token: {}{}", "ghp_", &long[..36]),
            Some(("a GitHub token", 1)),
        ),
        (format!("token: {}{}", "ghp_", &long[..20]), None),
        (
            format!("\n\nkey={}{}", "sk-ant-", long),
            Some(("an Anthropic key", 3)),
        ),
        (
            format!("{}{}", "sk_live_", &long[..24]),
            Some(("a Stripe key", 1)),
        ),
        (format!("task_live_{long}"), None),
        (format!("{}{}\0", "ghp_", &long[..36]), None),
        ("let key = env::var(\"API_KEY\");".to_owned(), None),
    ] {
        let found =
            find_secret(contents.as_bytes()).map(|(secret, line)| (secret.to_string(), line));
        let expected = expected.map(|(secret, line)| (secret.to_owned(), line));
        assert_eq!(found, expected, "{contents}");
    }
}

proptest! {
    #[test]
    fn any_text_is_read_and_an_ignored_directory_takes_all_below_with_it(text in ".{0,40}(\n.{0,40}){0,4}", entry in "[a-z.]{1,8}(/[a-z.]{1,8}){0,3}") {
        let texts = RuleTexts {
            gitignores: [(path("a/.gitignore"), text.clone())].into(),
            git_global: text,
            ..RuleTexts::default()
        };
        let Ok(entry) = RelPath::new(entry.as_bytes()) else {
            return Ok(());
        };
        let rules = Rules::new(&texts).unwrap();
        let mut above = entry.parent();
        let mut carried = rules.check(&entry, false).is_ok();
        while let Some(directory) = above.filter(|directory| !directory.is_root()) {
            carried &= rules.check(&directory, true).is_ok();
            above = directory.parent();
        }
        prop_assert_eq!(rules.check_whole(&entry, false).is_ok(), carried);
    }
}

#[test]
fn rules_that_only_grow_are_tighter() {
    for (before, after, expected) in [
        ("", "target\n", true),
        ("a\nb\n", "a\nnew\nb\nlast\n", true),
        ("a\n", "a\r\n", true),
        ("a\n!a/b\n", "# why\na\n!a/b\n", true),
        ("a\nb\n", "a\n", false),
        ("a\nb\n", "b\na\n", false),
        ("a\n", "a\n!a/secret\n", false),
        ("a\n", "", false),
    ] {
        assert_eq!(is_tighter(before, after), expected, "{before:?} {after:?}");
    }
}
