//! The gateway's port and addresses.

use std::net::{TcpListener, TcpStream};

use mizzen_core::verb::Verb;
use mizzen_tests::rig::Mizzen;

#[test]
fn a_taken_port_moves_the_gateway_to_the_next_one() {
    let mizzen = Mizzen::new();
    let _taken = TcpListener::bind(("127.0.0.1", mizzen.gateway_port())).unwrap();
    let folder = mizzen.project("p");
    mizzen.json(&["up", folder.to_str().unwrap()]);

    let open = mizzen.run(&["open", "p", "--print"]);
    assert_eq!(open.code, 0, "{open:?}");
    let rest = open.stdout.strip_prefix("http://p.localhost:");
    let rest = rest.unwrap_or_else(|| panic!("{open:?}"));
    let port: u16 = rest.split('/').next().unwrap().parse().unwrap();
    assert_ne!(port, mizzen.gateway_port());
    let doctor = mizzen.run(&["doctor", "--json"]).json();
    let checks = doctor["checks"].as_array().unwrap();
    let gateway = checks
        .iter()
        .find(|check| check["id"] == "gateway")
        .unwrap();
    assert_eq!(gateway["state"], "warning", "{gateway}");
}

#[test]
fn an_address_is_given_only_for_what_runs() {
    let mizzen = Mizzen::new();
    let folder = mizzen.project("p");
    mizzen.json(&["up", folder.to_str().unwrap()]);
    let dev = mizzen.json(&["open", "p", "--port", "5173", "--print"]);
    assert!(
        dev["url"]
            .as_str()
            .unwrap()
            .contains("://5173--p.localhost:"),
        "{dev}"
    );
    mizzen.json(&["stop", "p"]);
    let said = mizzen.run(&["open", "p", "--print", "--json"]);
    assert_eq!(
        (said.code, &said.error()["code"]),
        (6, &"state".into()),
        "{said:?}"
    );
}

#[tokio::test]
async fn without_names_a_session_opens_at_an_address_with_a_port_of_its_own() {
    let mizzen = Mizzen::new();
    mizzen.set("gateway_names = false");
    let folder = mizzen.project("p");
    mizzen.json(&["up", folder.to_str().unwrap()]);
    let shown = || mizzen.json(&["show", "p"])["url"].clone();
    let url = shown();
    let host = url.as_str().unwrap().strip_prefix("http://").unwrap();
    let host = host.strip_suffix('/').unwrap();
    assert!(host.starts_with("127.0.0.1:"), "{url}");
    TcpStream::connect(host).expect("the address that is shown works");

    let open = |args: &[&str]| {
        let url = mizzen.json(&[&["open", "p", "--print"], args].concat())["url"].clone();
        let url = url.as_str().unwrap().to_owned();
        let rest = url.strip_prefix("http://127.0.0.1:").expect("an address");
        let (port, token) = rest.split_once('/').unwrap();
        assert!(token.starts_with("?mizzen-launch="), "{url}");
        port.parse::<u16>().unwrap()
    };
    let (editor, again, server) = (open(&[]), open(&[]), open(&["--port", "5173"]));
    assert_eq!(host, format!("127.0.0.1:{editor}"));
    assert_eq!(editor, again);
    assert_ne!(editor, server);
    assert_ne!(editor, mizzen.gateway_port());

    let client = mizzen.client().await;
    let mut settings = client.snapshot().await.unwrap().settings;
    settings.gateway_names = true;
    client.run(Verb::SaveSettings { settings }).await.unwrap();
    let named = format!("http://p.localhost:{}/", mizzen.gateway_port());
    assert_eq!(shown(), named, "as soon as the setting is saved");
}
