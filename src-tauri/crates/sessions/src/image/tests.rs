use bytes::Bytes;
use mizzen_docker::ImageFact;

use super::{Recipe, Supervisor};

fn supervisor(program: &'static [u8]) -> Supervisor {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("mizzen-supervisor");
    mizzen_fsx::write_atomic(&path, program).unwrap();
    Supervisor::read(&path).unwrap()
}

fn recipe(program: &'static [u8], authorities: &[(&str, &str)]) -> Recipe {
    let dir = tempfile::tempdir().unwrap();
    let paths: Vec<_> = authorities
        .iter()
        .map(|(name, content)| {
            let path = dir.path().join(name);
            mizzen_fsx::write_atomic(&path, content.as_bytes()).unwrap();
            path
        })
        .collect();
    Recipe::gather(supervisor(program), &paths).unwrap()
}

#[test]
fn every_input_decides_on_the_tag() {
    let base = recipe(b"one", &[("a.crt", "A")]);
    assert_eq!(recipe(b"one", &[("a.crt", "A")]).tag(), base.tag());
    for (what, other) in [
        ("the supervisor", recipe(b"two", &[("a.crt", "A")])),
        ("an authority's content", recipe(b"one", &[("a.crt", "B")])),
        ("an authority's name", recipe(b"one", &[("b.crt", "A")])),
        ("one authority less", recipe(b"one", &[])),
    ] {
        assert_ne!(other.tag(), base.tag(), "{what}");
    }
}

#[test]
fn the_context_holds_all_that_the_dockerfile_copies() {
    let tar = recipe(b"program", &[("corp.crt", "PEM")]).context_tar();
    let mut archive = tar::Archive::new(&tar[..]);
    let names: Vec<String> = archive
        .entries()
        .unwrap()
        .map(|entry| entry.unwrap().path().unwrap().display().to_string())
        .collect();
    assert_eq!(
        names,
        [
            "Dockerfile",
            "extra-ca/README",
            "mizzen-supervisor",
            "extra-ca/corp.crt"
        ]
    );
}

#[test]
fn an_image_has_our_supervisor_when_its_label_says_so() {
    let ours = supervisor(b"program");
    let image = |hash: &str| ImageFact {
        id: String::new(),
        tags: Vec::new(),
        labels: [("dev.mizzen.supervisor".to_owned(), hash.to_owned())].into(),
        size_bytes: 0,
    };
    assert!(ours.is_in(&image(&ours.hash)));
    assert!(!ours.is_in(&image("000000000000")));
    assert_ne!(ours.hash, supervisor(b"another").hash);
    assert_eq!(ours.bytes, Bytes::from_static(b"program"));
}
