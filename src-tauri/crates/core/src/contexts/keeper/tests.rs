//! The system tells nothing of what changes, and does not say so.

use std::fs;
use std::path::Path;

use mizzen_contexts::mirror::{GLANCES, Wishes, World};
use mizzen_tasks::Owner;

use super::*;
use crate::view::ContextEndView;

const CONTEXTS: usize = 12;

/// Time goes on by itself, from one thing that is due to the next.
struct Paused(Instant);

impl World for Paused {
    fn now(&self) -> jiff::Timestamp {
        jiff::Timestamp::UNIX_EPOCH
    }

    fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }

    fn pause(&self, _time: Duration) {}
}

fn name(number: usize) -> String {
    format!("n{number:02}")
}

fn meta(side: &Path, name: &str) -> PathBuf {
    use sha2::Digest as _;
    let digest = sha2::Sha256::digest(name);
    let folder: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    side.join("contexts/meta").join(folder).join("meta.json")
}

/// In place, so that no folder's time is another.
#[expect(clippy::disallowed_methods, reason = "another program's doing")]
fn write(side: &Path, name: &str, host: &str) {
    let meta = meta(side, name);
    fs::create_dir_all(meta.parent().expect("a folder")).expect("a scratch folder");
    let text = format!(r#"{{"Name":"{name}","Endpoints":{{"docker":{{"Host":"{host}"}}}}}}"#);
    fs::write(meta, text).expect("a scratch file");
}

#[tokio::test(start_paused = true)]
async fn a_change_that_the_system_keeps_to_itself_is_carried_over_within_five_minutes() {
    let home = tempfile::tempdir().unwrap();
    let [host, container] = ["host", "container"].map(|side| home.path().join(side));
    for number in 0..CONTEXTS {
        write(&host, &name(number), "ssh://before");
    }
    fs::create_dir_all(container.join("contexts/meta")).unwrap();
    let options = MirrorOptions {
        host: host.clone(),
        container: container.clone(),
        state: home.path().join("state"),
        wishes: Wishes::default(),
        world: Arc::new(Paused(Instant::now())),
    };
    let (shown, mut views) = watch::channel(ContextsView::default());
    let (news, _told) = mpsc::channel(64);
    let (moved, _moves) = watch::channel(());
    let mut keeper = Keeper::new(Some(options), shown, news, moved);
    // What the system tells is told to nobody.
    keeper.hinted = Arc::default();
    let (_asks, asked) = mpsc::channel(1);
    let (_settings, settings) = watch::channel(Settings::default());
    let (_woken, wakes) = watch::channel(0);
    let owner = Owner::root("test");
    owner.spawn("contexts", keeper.run(asked, settings, wakes));
    let in_step = |view: &ContextsView| {
        view.state == ContextsState::InStep && view.contexts.len() == CONTEXTS
    };
    views.wait_for(in_step).await.unwrap();
    // Until what was read at the start is known to be all.
    tokio::time::sleep(3 * RESCAN).await;
    let glances = u32::try_from(GLANCES).unwrap();
    for number in 0..CONTEXTS {
        let (name, side) = (name(number), [&host, &container][number % 2]);
        write(side, &name, "ssh://after_");
        let begun = Instant::now();
        let is_carried = |view: &ContextsView| {
            let after = |end: &ContextEndView| end.endpoint == "ssh://after_";
            let mut all = view.contexts.iter();
            all.any(|one| {
                one.name == name
                    && [&one.host, &one.container]
                        .iter()
                        .all(|end| end.as_ref().is_some_and(after))
            })
        };
        views.wait_for(is_carried).await.unwrap();
        let took = begun.elapsed();
        assert!(took <= glances * RESCAN + RESCAN, "{took:?}");
    }
}
