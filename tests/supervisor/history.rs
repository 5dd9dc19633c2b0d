//! History of the workspace over a real wire, made by a git that never comes to an end.

use mizzen_tasks::Owner;
use mizzen_wire::git::{GitTake, GitTask};
use mizzen_wire::{StreamKind, write_frame};
use tokio::io::AsyncReadExt;

use crate::rig::{docker, ready};

const GIT: &str = r#"#!/bin/sh
case "$*" in *pack-objects*) echo $$ > /workspace/git.pid; exec cat /dev/zero ;; esac
"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pack_that_nobody_takes_any_more_is_not_made_any_further() {
    let (_reports, _workspace, container) = ready();
    let install = r#"printf %s "$0" > /usr/local/bin/git && chmod 755 /usr/local/bin/git"#;
    let as_root = ["exec", "--user", "0", &container.id, "sh", "-c"];
    docker(&[&as_root[..], &[install, GIT]].concat());
    let owner = Owner::root("test");
    let wire = container.wire(&owner, &[]).await;
    let mut stream = wire.open(StreamKind::Git(GitTask::Take)).await.unwrap();
    write_frame(&mut stream, &GitTake::default()).await.unwrap();
    stream.read_exact(&mut [0; 1024]).await.unwrap();
    drop(stream);
    let gone = "while kill -0 $(cat /workspace/git.pid) 2> /dev/null; do :; done";
    container.exec(&["timeout", "60", "sh", "-c", gone]);
    assert!(!wire.is_closed(), "it is the stream that has ended");
}
