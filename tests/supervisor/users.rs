use mizzen_tasks::Owner;
use mizzen_wire::Control;

use crate::rig::{Container, SCRATCH, TINY};

#[test]
fn root_without_a_coder_is_refused() {
    let container = Container::run(&["--user", "0:0", &SCRATCH]);
    assert_eq!(container.wait(), "77");
    assert_eq!(
        container.log().trim(),
        "mizzen-supervisor: refuses to serve as root, and there is no user coder"
    );
}

#[test]
fn root_that_may_not_change_its_user_is_refused() {
    let container = Container::run(&["--user", "0:0", "--cap-drop", "ALL", &TINY]);
    assert_eq!(container.wait(), "77");
    assert!(
        container.log().contains("cannot become coder"),
        "{}",
        container.log()
    );
}

#[tokio::test]
async fn root_becomes_coder_for_good() {
    let container = Container::run(&["--user", "0:0", &TINY]);
    container.log_until(|line| line.contains("as coder (1000:1000)"));
    let status = container.exec(&["cat", "/proc/1/status"]);
    for (field, value) in [
        ("Uid:", "1000 1000 1000 1000"),
        ("Gid:", "1000 1000 1000 1000"),
        ("Groups:", "1000"),
        ("CapEff:", "0000000000000000"),
    ] {
        let line = status.lines().find(|line| line.starts_with(field)).unwrap();
        let found: Vec<_> = line.split_whitespace().skip(1).collect();
        assert_eq!(found.join(" "), value, "{field}");
    }
    let owner = Owner::root("test");
    let wire = container.wire(&owner, &["--user", "0:0"]).await;
    let report = Control::open(&wire).await.unwrap().report().await.unwrap();
    assert_eq!((report.uid, report.user.as_deref()), (1000, Some("coder")));
}
