//! The port: the preferred one, the next when it is taken, and the same one again.

use std::net::TcpListener;
use std::sync::Arc;

use mizzen_gateway::Limits;
use mizzen_tasks::Owner;

use crate::rig::{FIRST_PORT, bind};
use crate::service::Sessions;

#[tokio::test]
async fn a_found_port_is_remembered_until_the_setting_changes() {
    let state_dir = tempfile::tempdir().unwrap();
    let start = async |preferred: u16| {
        let owner = Owner::root("test");
        let sessions = Arc::new(Sessions::new(&owner));
        let gateway = bind(
            &owner,
            state_dir.path(),
            preferred,
            Limits::default(),
            &sessions,
        )
        .await;
        let port = gateway.port();
        gateway.close(std::time::Duration::from_secs(5)).await;
        drop(gateway);
        owner.shut_down(std::time::Duration::from_secs(5)).await;
        port
    };
    let other = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let taken = other.local_addr().unwrap().port();
    let found = start(taken).await;
    assert_ne!(found, taken);

    drop(other);
    assert_eq!(
        start(taken).await,
        found,
        "the preferred port is free again, but browsers know the other"
    );
    let changed = start(FIRST_PORT).await;
    assert!((FIRST_PORT..FIRST_PORT + 100).contains(&changed));
}
