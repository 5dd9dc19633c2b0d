//! Completions, manual pages and help.

use mizzen_tests::rig::Mizzen;

#[test]
fn completions_and_pages_know_every_command() {
    let mizzen = Mizzen::new();
    for shell in ["bash", "zsh", "fish"] {
        let script = mizzen.run(&["completions", shell]);
        assert_eq!(script.code, 0, "{shell}");
        for command in ["serve", "resume", "doctor"] {
            assert!(script.stdout.contains(command), "{shell}: {command}");
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let pages = mizzen.run(&["man", "--out", folder.path().to_str().unwrap()]);
    assert_eq!(pages.code, 0, "{pages:?}");
    for page in ["mizzen.1", "mizzen-up.1", "mizzen-image-build.1"] {
        let text = std::fs::read_to_string(folder.path().join(page)).unwrap();
        assert!(text.contains(".SH NAME"), "{page}");
    }
}

#[test]
fn help_documents_the_exit_codes() {
    let help = Mizzen::new().run(&["--help"]);
    assert_eq!(help.code, 0);
    assert!(
        help.stdout.contains("engine unreachable"),
        "{}",
        help.stdout
    );
}
