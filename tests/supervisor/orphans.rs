use crate::rig::{Reports, folder, tiny};

/// Processes of the container that have ended and were not collected.
const ZOMBIES: &str = r#"for p in /proc/[0-9]*/stat; do read -r line < "$p" && rest=${line##*) } &&
    [ "${rest%% *}" = Z ] && echo "$line"; done 2>/dev/null; true"#;

#[test]
fn orphans_are_collected() {
    let (reports, workspace) = (Reports::new(), folder());
    let container = tiny(&reports, workspace.path(), &[]);
    reports.until_ready();
    // Each sleep loses its parent at once, and ends a moment later.
    let orphans = "for i in $(seq 50); do sh -c 'sleep 0.2 & exit' & done; wait; echo started";
    assert_eq!(container.exec(&["sh", "-c", orphans]), "started");
    let left = || {
        container.exec(&[
            "sh",
            "-c",
            "pidof sleep || cat /proc/*/comm | grep -c '^sleep'; true",
        ])
    };
    for _ in 0..200 {
        if left().lines().last() == Some("0") {
            assert_eq!(container.exec(&["sh", "-c", ZOMBIES]), "");
            return;
        }
    }
    panic!(
        "processes that nobody collected: {}",
        container.exec(&["sh", "-c", ZOMBIES])
    );
}
