//! Logins, cookies and origins, as a browser enforces them together with the gateway.

use std::path::Path;

use serde_json::json;

use crate::neighbours::Neighbours;

fn screenshot(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../target/screenshots")
        .join(name)
}

#[tokio::test]
async fn two_sessions_side_by_side_keep_their_own_login() {
    let rig = Neighbours::new().await;
    let (web, api) = (
        rig.chromium.tab().await.unwrap(),
        rig.chromium.tab().await.unwrap(),
    );
    web.go(&rig.launch_url("web")).await.unwrap();
    web.wait_for("document.title === 'web'").await.unwrap();
    assert_eq!(
        web.value("location.href").await.unwrap(),
        rig.url("web"),
        "the token is gone"
    );

    api.go(&rig.url("api")).await.unwrap();
    api.wait_for("document.body.innerText.includes('not logged in to this session')")
        .await
        .unwrap();
    api.screenshot(&screenshot("refusal.png")).await.unwrap();
    api.go(&rig.launch_url("api")).await.unwrap();
    api.wait_for("document.title === 'api'").await.unwrap();

    web.go(&rig.url("web")).await.unwrap();
    web.wait_for("document.title === 'web'").await.unwrap();
    let ours: Vec<_> = rig
        .chromium
        .cookies()
        .await
        .unwrap()
        .into_iter()
        .filter(|cookie| cookie["name"].as_str().unwrap().starts_with("mizzen-"))
        .map(|cookie| json!([cookie["domain"], cookie["httpOnly"], cookie["sameSite"]]))
        .collect();
    let expected = ["web.localhost", "api.localhost"].map(|host| json!([host, true, "Strict"]));
    assert!(
        ours.len() == 2 && expected.iter().all(|cookie| ours.contains(cookie)),
        "{ours:?}"
    );
}

#[tokio::test]
async fn a_session_neither_reads_our_cookie_nor_sets_one_for_its_neighbour() {
    let rig = Neighbours::new().await;
    let (web, api) = (
        rig.chromium.tab().await.unwrap(),
        rig.chromium.tab().await.unwrap(),
    );
    for (tab, session) in [(&web, "web"), (&api, "api")] {
        tab.go(&rig.launch_url(session)).await.unwrap();
        tab.wait_for(&format!("document.title === '{session}'"))
            .await
            .unwrap();
    }
    let tossed = "document.cookie = 'tossed=1; Domain=localhost; Path=/', \
                  document.cookie = 'tossed=1; Domain=web.localhost; Path=/', document.cookie";
    assert_eq!(
        api.value(tossed).await.unwrap(),
        "mine=1; theirs=1",
        "ours is not for scripts"
    );

    rig.seen("web");
    web.value("fetch('/again').then(answer => answer.text())")
        .await
        .unwrap();
    let seen = rig.seen("web");
    assert_eq!(seen.len(), 1);
    assert_eq!(
        seen[0].3, "mine=1; theirs=1",
        "its own, and neither the neighbour's nor ours"
    );
}

/// Everything a page can do to reach another origin; resolves when all of it has been tried.
pub(crate) fn attack(url: &str) -> String {
    let socket = url.replacen("http", "ws", 1);
    format!(
        "(async () => {{
            const tried = [];
            for (const method of ['GET', 'POST', 'DELETE'])
                tried.push(fetch('{url}fetch', {{method, mode: method === 'DELETE' ? 'cors' : 'no-cors', credentials: 'include'}})
                    .then(answer => method + ' ' + answer.type, () => method + ' failed'));
            tried.push(new Promise(done => {{
                const socket = new WebSocket('{socket}ws');
                socket.onopen = () => done('websocket open'); socket.onerror = () => done('websocket failed');
            }}));
            for (const kind of ['iframe', 'img', 'script'])
                tried.push(new Promise(done => {{
                    const part = document.createElement(kind); part.src = '{url}' + kind;
                    part.onload = part.onerror = () => done(kind + ' tried'); document.body.append(part);
                }}));
            return (await Promise.all(tried)).join(', ');
        }})()"
    )
}

#[tokio::test]
async fn neither_a_stranger_nor_a_neighbour_reaches_a_session() {
    let rig = Neighbours::new().await;
    let web = rig.chromium.tab().await.unwrap();
    web.go(&rig.launch_url("web")).await.unwrap();
    web.wait_for("document.title === 'web'").await.unwrap();
    rig.seen("web");

    let attacker = rig.chromium.tab().await.unwrap();
    let stranger = rig.stranger().await;
    for (page, title) in [(stranger, "evil"), (rig.launch_url("api"), "api")] {
        attacker.go(&page).await.unwrap();
        attacker
            .wait_for(&format!("document.title === '{title}'"))
            .await
            .unwrap();
        let outcome = attacker.value(&attack(&rig.url("web"))).await.unwrap();
        assert_eq!(
            outcome,
            "GET opaque, POST opaque, DELETE failed, websocket failed, iframe tried, img tried, script tried"
        );
        assert_eq!(rig.seen("web"), [], "from {title}");
        let form = format!(
            "document.body.innerHTML = '<form method=post action=\"{}form\">', document.forms[0].submit()",
            rig.url("web")
        );
        attacker.value(&form).await.unwrap();
        attacker
            .wait_for("document.body.innerText.includes('Another site asked')")
            .await
            .unwrap();
        assert_eq!(rig.seen("web"), [], "a form of {title}");
    }
}

#[tokio::test]
async fn a_link_from_elsewhere_leads_to_a_page_from_which_one_click_goes_on() {
    let rig = Neighbours::new().await;
    let tab = rig.chromium.tab().await.unwrap();
    tab.go(&rig.launch_url("web")).await.unwrap();
    tab.wait_for("document.title === 'web'").await.unwrap();
    let stranger = rig.stranger().await;
    tab.go(&stranger).await.unwrap();
    tab.wait_for("document.title === 'evil'").await.unwrap();
    let link = format!("location.href = '{}'", rig.url("web"));
    tab.value(&link).await.unwrap();
    tab.wait_for("document.body.innerText.includes('not logged in')")
        .await
        .unwrap();
    tab.value("document.querySelector('a').click()")
        .await
        .unwrap();
    tab.wait_for("document.title === 'web'").await.unwrap();
}

#[tokio::test]
async fn a_name_that_was_rebound_to_this_machine_opens_nothing() {
    let rig = Neighbours::new().await;
    let tab = rig.chromium.tab().await.unwrap();
    tab.go(&rig.launch_url("web")).await.unwrap();
    tab.wait_for("document.title === 'web'").await.unwrap();
    rig.seen("web");
    for host in [
        "rebound.example",
        "127.0.0.1",
        "localhost",
        "0.0.0.0",
        "web.localhost.",
    ] {
        let url = format!("http://{host}:{}/", rig.gateway.port());
        tab.go(&url).await.unwrap();
        let refused = "document.body.innerText.includes('not the address of a session')";
        tab.wait_for(refused).await.unwrap();
    }
    assert_eq!(rig.seen("web"), []);
}

#[tokio::test]
async fn long_and_odd_names_resolve() {
    let rig = Neighbours::new().await;
    let tab = rig.chromium.tab().await.unwrap();
    for name in ["a.b_c", &"x".repeat(63), "3000--web", "xn--zz", "Web"] {
        for target in [
            mizzen_gateway::Target::CodeServer,
            mizzen_gateway::Target::Port(65_535.try_into().unwrap()),
        ] {
            tab.go(&rig.gateway.url(name, target)).await.unwrap();
            let shown = tab
                .wait_for("document.querySelector('h1').innerText")
                .await
                .unwrap();
            assert_eq!(
                shown, "This browser is not logged in to this session",
                "{name}"
            );
        }
    }
}
