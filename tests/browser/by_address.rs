//! Sessions at `127.0.0.1`, each on a port of its own: browsers take them for one site with one cookie jar.

use crate::isolation::attack;
use crate::neighbours::Neighbours;

fn origin(launch_url: &str) -> String {
    launch_url
        .split("?mizzen-launch=")
        .next()
        .unwrap()
        .to_owned()
}

#[tokio::test]
async fn two_sessions_side_by_side_share_neither_login_nor_cookies() {
    let rig = Neighbours::new().await;
    let (web, api) = (
        rig.chromium.tab().await.unwrap(),
        rig.chromium.tab().await.unwrap(),
    );
    let mut urls = Vec::new();
    for (tab, session) in [(&web, "web"), (&api, "api")] {
        let launch = rig.launch_url_by_address(session);
        let url = origin(&launch);
        assert!(url.starts_with("http://127.0.0.1:"), "{url}");
        // The neighbour's login does not open it.
        tab.go(&url).await.unwrap();
        let refused = "document.body.innerText.includes('not logged in to this session')";
        tab.wait_for(refused).await.unwrap();
        tab.go(&launch).await.unwrap();
        tab.wait_for(&format!("document.title === '{session}'"))
            .await
            .unwrap();
        assert_eq!(tab.value("location.href").await.unwrap(), url);
        urls.push(url);
    }
    assert_ne!(urls[0], urls[1]);

    // What a neighbour's scripts set reaches nobody, and they see nobody's cookies.
    let tossed = "document.cookie = 'mine=tossed; Path=/', document.cookie";
    assert_eq!(api.value(tossed).await.unwrap(), "mine=tossed");
    rig.seen("web");
    web.go(&urls[0]).await.unwrap();
    web.wait_for("document.title === 'web'").await.unwrap();
    let seen = rig.seen("web");
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0].3, "mine=1; theirs=1", "its own, and no others");

    let outcome = api.value(&attack(&urls[0])).await.unwrap();
    assert_eq!(
        outcome,
        "GET opaque, POST opaque, DELETE failed, websocket failed, iframe tried, img tried, script tried"
    );
    assert_eq!(rig.seen("web"), [], "refused before it reached the session");
}
