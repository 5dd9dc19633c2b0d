//! What the keeper does without being told by the system.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use super::*;
use crate::Dirs;

/// Longer than what has come is waited for, and shorter than from one look of its own to the next.
const LONG: Duration = Duration::from_secs(10);

/// A side without contexts, which selects one.
fn write(config: &Path, current: &str) {
    fs::create_dir_all(config.join("contexts/meta")).expect("a scratch folder");
    let text = format!(r#"{{"currentContext":"{current}"}}"#);
    mizzen_fsx::write_atomic(config.join("config.json"), text.as_bytes()).expect("a scratch file");
}

/// Lets a link lead elsewhere, in a folder that nobody watches.
fn turn(link: &Path, to: &str) {
    symlink(to, link.with_extension("new")).expect("a scratch link");
    #[expect(clippy::disallowed_methods, reason = "another program's doing")]
    fs::rename(link.with_extension("new"), link).expect("a scratch link");
}

/// Time goes on by itself only while nothing is done, from one thing that is due to the next.
#[tokio::test(start_paused = true)]
async fn a_machine_that_wakes_has_its_contexts_looked_at_at_once() {
    let home = tempfile::tempdir().unwrap();
    let path = |name: &str| home.path().join(name);
    let way = path("way");
    for place in ["before", "after"] {
        write(&path(place).join("docker"), place);
    }
    turn(&way, "before");
    let docker = way.join("docker");
    let config = CoreConfig {
        dirs: Dirs::under(path("mizzen")).unwrap(),
        clock: Arc::new(|| jiff::Timestamp::UNIX_EPOCH),
        env: Arc::new(move |name| (name == "DOCKER_CONFIG").then(|| docker.clone().into())),
        home: Some(path("home")),
        program_dir: None,
        at_step: None,
    };
    fs::create_dir(path("home")).unwrap();
    config.dirs.prepare().unwrap();
    let (_settings, settings) = watch::channel(Settings::default());
    let (woken, wakes) = watch::channel(0);
    // Set up by another, so that this one writes nothing, and is told of nothing.
    let owner = Owner::root("first");
    let (contexts, _news) = Contexts::start(&owner, &config, settings.clone(), wakes.clone());
    contexts.ask(ContextsQuestion::Setup).await.unwrap();
    owner.shut_down(Duration::from_secs(10)).await;

    let owner = Owner::root("second");
    let (contexts, _news) = Contexts::start(&owner, &config, settings, wakes);
    let mut views = contexts.views();
    let mut takes = async |current: &str| {
        let begun = tokio::time::Instant::now();
        let selects = |view: &ContextsView| view.host.current.as_deref() == Some(current);
        views.wait_for(selects).await.expect("a keeper");
        begun.elapsed()
    };
    takes("before").await;
    let mut turns = ["after", "before"].into_iter().cycle();
    let mut turned = || {
        let place = turns.next().expect("without end");
        turn(&way, place);
        place
    };
    // What the first one wrote may still be told; then it takes as long as it takes.
    let mut strays = 0;
    while takes(turned()).await < LONG {
        strays += 1;
        assert!(strays < 100, "who tells it?");
    }
    let place = turned();
    woken.send_modify(|times| *times += 1);
    let told = takes(place).await;
    assert!(told < LONG, "{told:?}");
}
