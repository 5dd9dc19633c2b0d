//! code-server itself, in two sessions side by side, as a person sees it.

use mizzen_core::verb::Verb;
use mizzen_tasks::Owner;
use mizzen_tests::chromium::{Chromium, Tab};
use mizzen_tests::own_core::{OwnCore, docker, full_image, target};

/// The project's names in the explorer, once it lists this one; `.para` is the session's own.
pub(crate) async fn explorer(tab: &Tab, file: &str) -> Vec<String> {
    let rows = "[...document.querySelectorAll('.explorer-folders-view .monaco-list-row')].map(row => row.innerText.trim())";
    let shown = tab
        .wait_for(&format!("{rows}.includes('{file}') && {rows}"))
        .await
        .unwrap();
    let names: Vec<String> = serde_json::from_value(shown).unwrap();
    names.into_iter().filter(|name| name != ".para").collect()
}

/// It has a log of its own from then on; no browser has come by now.
fn the_editors_server_is_loaded(container: &str) {
    let log = "until ls ~/.local/share/code-server/logs/*/remoteagent.log; do sleep 0.1; done";
    docker(&["exec", container, "timeout", "60", "sh", "-c", log]).unwrap();
}

#[tokio::test]
async fn two_workbenches_show_their_own_project_and_keep_their_own_login() {
    let owner = Owner::root("browser");
    let rig = OwnCore::start(&full_image().unwrap()).await.unwrap();
    let shop = rig
        .project(
            "shop",
            &[("README.md", "# Shop\n"), ("src/main.rs", "fn main() {}\n")],
        )
        .unwrap();
    let docs = rig
        .project(
            "docs",
            &[("guide.md", "# Guide\n"), ("mkdocs.yml", "site_name: x\n")],
        )
        .unwrap();
    let shop = rig.up(&shop, "web-shop").await.unwrap();
    rig.up(&docs, "docs").await.unwrap();

    let url = rig.client.launch_url("web-shop", None).await.unwrap();
    the_editors_server_is_loaded(&shop.container_id.unwrap());
    let chromium = Chromium::start(&owner).await.unwrap();
    let (left, right) = (chromium.tab().await.unwrap(), chromium.tab().await.unwrap());
    left.go(&url).await.unwrap();
    assert_eq!(explorer(&left, "README.md").await, ["src", "README.md"]);

    let url = rig
        .client
        .snapshot()
        .await
        .unwrap()
        .sessions
        .into_iter()
        .find(|view| view.name == "docs")
        .unwrap()
        .url
        .unwrap();
    right.go(&url).await.unwrap();
    right
        .wait_for("document.body.innerText.includes('not logged in to this session')")
        .await
        .unwrap();
    right
        .go(&rig.client.launch_url("docs", None).await.unwrap())
        .await
        .unwrap();
    assert_eq!(
        explorer(&right, "guide.md").await,
        ["guide.md", "mkdocs.yml"]
    );

    left.reload().await.unwrap();
    assert_eq!(explorer(&left, "README.md").await, ["src", "README.md"]);
    left.screenshot(&target().join("screenshots/workbench.png"))
        .await
        .unwrap();
    right
        .screenshot(&target().join("screenshots/workbench-beside.png"))
        .await
        .unwrap();

    // The same for a browser that does not find names.
    let mut settings = rig.client.snapshot().await.unwrap().settings;
    settings.gateway_names = false;
    let saved = rig.client.run(Verb::SaveSettings { settings }).await;
    saved.unwrap();
    for (tab, session, file) in [
        (&left, "web-shop", "README.md"),
        (&right, "docs", "guide.md"),
    ] {
        let url = rig.client.launch_url(session, None).await.unwrap();
        tab.go(&url).await.unwrap();
        explorer(tab, file).await;
        assert_eq!(tab.value("location.hostname").await.unwrap(), "127.0.0.1");
    }
    rig.end().await;
}
