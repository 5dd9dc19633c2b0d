//! What both sides of a session had agreed on is not known any more, or only as it was before: nothing of either goes.

use std::fs;
use std::path::PathBuf;

use mizzen_core::view::SyncState;
use mizzen_tests::rig::{Mizzen, until};

use super::{flush, inside, is, of_web, synced, write};
use mizzen_core::verb::Verb;

/// The files that hold it.
fn bases(mizzen: &Mizzen) -> Vec<PathBuf> {
    let links = fs::read_dir(mizzen.dirs().state.join("sync")).expect("a folder");
    let files = links
        .flatten()
        .flat_map(|link| fs::read_dir(link.path()).into_iter().flatten());
    let files = files.flatten().map(|file| file.path());
    let is_base = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default();
        name.to_string_lossy().starts_with("base.")
    };
    let found: Vec<PathBuf> = files.filter(is_base).collect();
    assert!(!found.is_empty(), "there is a base");
    found
}

fn lose(mizzen: &Mizzen, how: &str, old: &[(PathBuf, Vec<u8>)]) {
    for base in bases(mizzen) {
        match how {
            "torn" => {
                let file = fs::File::options().write(true).open(&base).expect("a base");
                file.set_len(file.metadata().expect("a base").len() / 2)
                    .expect("a base");
            }
            _ => fs::remove_file(&base).expect("a base"),
        }
    }
    for (path, bytes) in old.iter().filter(|_| how == "old") {
        mizzen_fsx::write_atomic(path, bytes).expect("a base");
    }
}

#[tokio::test]
async fn a_session_whose_base_is_lost_deletes_nothing_and_what_differs_is_a_conflict() {
    for how in ["gone", "torn", "old"] {
        let mizzen = Mizzen::new();
        let folder = mizzen.project("p");
        for name in ["here", "there", "kept"] {
            write(&folder, name, name);
        }
        let client = synced(&mizzen, &folder).await;
        let old = bases(&mizzen)
            .into_iter()
            .map(|path| (path.clone(), fs::read(path).unwrap()));
        let old: Vec<_> = old.collect();
        write(&folder, "hello.txt", "agreed\n");
        write(&folder, "later", "later");
        flush(&client).await;
        let id = mizzen.session("web")["container_id"].clone();
        mizzen.kill_core(&client).await;
        lose(&mizzen, how, &old);
        write(&folder, "hello.txt", "from here\n");
        fs::remove_file(folder.join("later")).unwrap();
        let script = "echo from there > /workspace/hello.txt; rm /workspace/there";
        let inside_it = mizzen.docker(&["exec", id.as_str().unwrap(), "sh", "-c", script]);
        assert_eq!(inside_it.code, 0, "{inside_it:?}");

        let client = mizzen.client().await;
        until(&client, "in conflict", is(SyncState::Conflicts)).await;
        let conflicts = mizzen.run(&["sync", "conflicts", "web"]);
        assert!(
            conflicts.stdout.contains("-from here"),
            "{how}: {conflicts:?}"
        );
        assert_eq!(
            fs::read_to_string(folder.join("hello.txt")).unwrap(),
            "from here\n",
            "{how}"
        );
        assert_eq!(
            inside(&mizzen, "cat /workspace/hello.txt"),
            "from there",
            "{how}"
        );
        // Of what was agreed on since nothing is known: it comes back.
        let both = [
            inside(&mizzen, "cat /workspace/later"),
            fs::read_to_string(folder.join("later")).unwrap(),
        ];
        assert_eq!(both, ["later", "later"], "{how}");
        let is_known = how == "old";
        assert_eq!(
            folder.join("there").exists(),
            !is_known,
            "{how}: a deletion since an old base is one"
        );
        assert_eq!(
            inside(&mizzen, "cat /workspace/here /workspace/kept"),
            "herekept",
            "{how}"
        );
    }
}

#[tokio::test]
async fn a_side_that_was_emptied_while_the_base_was_lost_is_filled_again() {
    for (how, emptied) in [("gone", "container"), ("torn", "host")] {
        let mizzen = Mizzen::new();
        let folder = mizzen.project("p");
        write(&folder, "work.txt", "of days");
        let client = synced(&mizzen, &folder).await;
        let id = mizzen.session("web")["container_id"].clone();
        mizzen.kill_core(&client).await;
        lose(&mizzen, how, &[]);
        if emptied == "host" {
            for name in ["work.txt", "hello.txt"] {
                fs::remove_file(folder.join(name)).unwrap();
            }
        } else {
            let script = "rm /workspace/*.txt";
            let emptied = mizzen.docker(&["exec", id.as_str().unwrap(), "sh", "-c", script]);
            assert_eq!(emptied.code, 0, "{emptied:?}");
        }
        let client = mizzen.client().await;
        until(&client, "in step", is(SyncState::InStep)).await;
        assert_eq!(
            inside(&mizzen, "cat /workspace/work.txt"),
            "of days",
            "{how}"
        );
        assert_eq!(
            fs::read_to_string(folder.join("work.txt")).unwrap(),
            "of days",
            "{how}"
        );
        assert!(folder.join("hello.txt").exists(), "{how}");
    }
}

#[tokio::test]
async fn a_container_that_was_replaced_goes_on_with_its_volume() {
    let mizzen = Mizzen::new();
    let folder = mizzen.project("p");
    for name in ["a", "b", "c"] {
        write(&folder, name, name);
    }
    let client = synced(&mizzen, &folder).await;
    inside(&mizzen, "echo there > /workspace/there; rm /workspace/b");
    client.run(Verb::Stop(of_web())).await.unwrap();
    let old = mizzen.session("web")["container_id"].clone();
    assert_eq!(mizzen.docker(&["rm", old.as_str().unwrap()]).code, 0);
    fs::remove_file(folder.join("a")).unwrap();
    write(&folder, "c", "changed");

    client.run(Verb::Start(of_web())).await.unwrap();
    until(&client, "in step", is(SyncState::InStep)).await;
    assert_ne!(mizzen.session("web")["container_id"], old);
    assert_eq!(
        inside(&mizzen, "cd /workspace; cat c; ls"),
        "changedc\nhello.txt\nthere"
    );
    assert!(folder.join("there").exists() && !folder.join("b").exists());
}
