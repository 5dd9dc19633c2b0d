use std::path::Path;

use super::{NameError, SessionName};

#[test]
fn well_formed_names_pass_and_keep_their_case() {
    for name in [
        "a",
        "9",
        "web-shop",
        "Feature.2",
        "a_b",
        "x--y",
        &"a".repeat(63),
    ] {
        let parsed = SessionName::parse(name).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(parsed.as_str(), name);
    }
    assert_eq!(
        SessionName::parse("Feature").unwrap().key(),
        SessionName::parse("feature").unwrap().key()
    );
}

#[test]
fn row_27_row_28_bad_names_are_refused() {
    let malformed = |s: &str| NameError::Malformed(s.escape_debug().collect());
    let reserved = |s: &str| NameError::Reserved(s.to_owned());
    let long = "n".repeat(300);
    for (name, why) in [
        ("", NameError::Empty),
        (" ", NameError::Empty),
        (".", malformed(".")),
        ("..", malformed("..")),
        ("../../etc", malformed("../../etc")),
        ("../x", malformed("../x")),
        ("a/b", malformed("a/b")),
        ("a\\b", malformed("a\\b")),
        ("-rf", malformed("-rf")),
        ("x.", malformed("x.")),
        ("x-", malformed("x-")),
        ("é", malformed("é")),
        ("a\0b", malformed("a\0b")),
        ("a b", malformed("a b")),
        ("a\n", malformed("a\n")),
        ("CON", reserved("CON")),
        ("con.txt", reserved("con.txt")),
        ("lpt1", reserved("lpt1")),
        ("shared", reserved("shared")),
        ("Shared", reserved("Shared")),
        (&long, NameError::TooLong(300)),
    ] {
        assert_eq!(SessionName::parse(name), Err(why), "{name:?}");
    }
}

#[test]
fn a_refused_name_is_shown_without_control_characters() {
    let said = SessionName::parse("a\u{1b}]0;x").unwrap_err().to_string();
    assert!(!said.contains('\u{1b}'), "{said:?}");
}

#[test]
fn a_folder_proposes_its_own_name() {
    for (folder, name) in [
        ("/home/ann/web-shop", "web-shop"),
        ("/home/ann/My Project (2)", "My-Project--2"),
        ("/srv/.hidden", "hidden"),
        ("/srv/naïve", "na-ve"),
    ] {
        assert_eq!(
            SessionName::for_folder(Path::new(folder)).unwrap().as_str(),
            name,
            "{folder}"
        );
    }
    assert_eq!(
        SessionName::for_folder(Path::new("/")),
        Err(NameError::Empty)
    );
    let deep = format!("/srv/{}-{}", "d".repeat(62), "tail");
    assert_eq!(
        SessionName::for_folder(Path::new(&deep)).unwrap().as_str(),
        "d".repeat(62)
    );
}
