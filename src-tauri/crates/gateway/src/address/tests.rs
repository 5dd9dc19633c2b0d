use expect_test::{Expect, expect};
use proptest::prelude::*;

use super::*;

fn check(host: &str, expect: Expect) {
    let parsed = match Address::parse(host, 8743) {
        Some(Address {
            label,
            target: Target::CodeServer,
        }) => label,
        Some(Address {
            label,
            target: Target::Port(port),
        }) => format!("{label}, port {port}"),
        None => "refused".to_owned(),
    };
    expect.assert_eq(&parsed);
}

#[test]
fn hosts_of_our_form_are_taken_apart() {
    check("web.localhost:8743", expect!["web"]);
    check("WEB.LocalHost:8743", expect!["web"]);
    check("3000--web.localhost:8743", expect!["web, port 3000"]);
    check(
        "65535--web-shop.localhost:8743",
        expect!["web-shop, port 65535"],
    );
    check(
        "3000--s--a-b-0123456789ab.localhost:8743",
        expect!["s--a-b-0123456789ab, port 3000"],
    );
}

#[test]
fn all_other_hosts_are_refused() {
    for host in [
        "",
        ":8743",
        "localhost:8743",
        ".localhost:8743",
        "127.0.0.1:8743",
        "[::1]:8743",
        "0.0.0.0:8743",
        "evil.example:8743",
        "web.localhost",
        "web.localhost:",
        "web.localhost:8744",
        "web.localhost:08743",
        "web.localhost:+8743",
        "web.localhost:87430",
        "web.localhost.:8743",
        "web.localhost.evil.example:8743",
        "web.localhost:8743:8743",
        "user@web.localhost:8743",
        "web localhost:8743",
        "a.b.localhost:8743",
        "weblocalhost:8743",
        "-web.localhost:8743",
        "web-.localhost:8743",
        "we_b.localhost:8743",
        "wéb.localhost:8743",
        "0--web.localhost:8743",
        "080--web.localhost:8743",
        "65536--web.localhost:8743",
        "3000--.localhost:8743",
        "3000--3000---.localhost:8743",
    ] {
        assert_eq!(Address::parse(host, 8743), None, "{host}");
    }
}

#[test]
fn the_default_port_goes_without_saying() {
    let web = Address::new("web", Target::CodeServer);
    assert_eq!(web.authority(80), "web.localhost");
    assert_eq!(Address::parse("web.localhost", 80), Some(web));
    assert_eq!(Address::parse("web.localhost:81", 80), None);
}

#[test]
fn names_become_labels() {
    let check = |name: &str, expect: Expect| expect.assert_eq(&host_label(name));
    check("web", expect!["web"]);
    check("Web-Shop2", expect!["web-shop2"]);
    check("a.b", expect!["s--a-b-2e7336dc8eba"]);
    check("a_b", expect!["s--a-b-648fa9b31bc7"]);
    check("3000--web", expect!["s--3000-web-43a7b894f9ef"]);
    check("xn--caf-dma", expect!["s--xn-caf-dma-0c0daabbe3a3"]);
    check(
        "s--a-b-0123456789ab",
        expect!["s--s-a-b-0123456789ab-97e10925faab"],
    );
    check(
        &"x".repeat(63),
        expect!["s--xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx-75220b472182"],
    );
}

/// The names that sessions may have.
fn names() -> impl Strategy<Value = String> {
    "[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?"
}

fn targets() -> impl Strategy<Value = Target> {
    prop_oneof![
        Just(Target::CodeServer),
        (1..=u16::MAX).prop_map(|port| Target::Port(NonZeroU16::new(port).unwrap())),
    ]
}

proptest! {
    #[test]
    fn every_address_is_read_back(name in names(), target in targets(), port in 1..=u16::MAX) {
        let address = Address::new(&name, target);
        prop_assert_eq!(Address::parse(&address.authority(port), port), Some(address.clone()));
        let first = address.to_string();
        let first = first.strip_suffix(SUFFIX).unwrap();
        prop_assert!(first.len() <= 63, "{first} is no DNS label");
        prop_assert!(!first.contains('.'), "{first} shares a site with another session");
        prop_assert!(!first.starts_with("xn--"), "{first} is punycode to a browser");
    }

    #[test]
    fn two_names_never_share_a_label(one in names(), other in names()) {
        prop_assert_eq!(
            host_label(&one) == host_label(&other),
            one.eq_ignore_ascii_case(&other)
        );
    }

    #[test]
    fn what_is_accepted_is_written_the_same_way(host in "\\PC{0,40}(\\.localhost)?(:8743)?") {
        if let Some(address) = Address::parse(&host, 8743) {
            prop_assert_eq!(address.authority(8743), host.to_ascii_lowercase());
        }
    }
}
