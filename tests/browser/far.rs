//! code-server on another machine, of which there is a Docker context and nothing else.

use mizzen_tasks::Owner;
use mizzen_tests::chromium::Chromium;
use mizzen_tests::far_machine::FarMachine;
use mizzen_tests::own_core::full_image;

use crate::workbench::explorer;

/// The page, its scripts and its websockets, on which the files are listed, come through one ssh connection.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_workbench_is_shown_through_ssh() {
    let path = FarMachine::usual_path().unwrap();
    let far = FarMachine::start(&path, 10).await.unwrap();
    let (mizzen, _contexts) = far.person().unwrap();
    let url = tokio::task::block_in_place(|| {
        let folder = mizzen.project("p");
        let (dir, image) = (folder.to_str().unwrap(), full_image().unwrap());
        let up = ["up", dir, "--engine", "far", "--image", &image];
        mizzen.json(&[&up[..], &["--memory", "2g"]].concat());
        let open = mizzen.json(&["open", "p", "--print"]);
        open["url"].as_str().unwrap().to_owned()
    });
    let owner = Owner::root("browser");
    let chromium = Chromium::start(&owner).await.unwrap();
    let tab = chromium.tab().await.unwrap();
    tab.go(&url).await.unwrap();
    assert_eq!(explorer(&tab, "hello.txt").await, ["hello.txt"]);
    assert!(far.opened() <= 3, "{} connections", far.opened());
}
