//! An engine that is met, and one that comes back.

use std::time::{Duration, Instant};

use mizzen_docker::{Endpoint, Engine, EngineEvent, EngineOptions, SshClient};
use mizzen_tasks::Owner;
use mizzen_tests::engine::{IDLE, Rig};
use mizzen_tests::far_machine::FarMachine;
use mizzen_tests::figure::Figure;
use mizzen_tests::proxy::Proxy;
use mizzen_tests::tls_front::{Authority, TlsFront};
use tokio::sync::mpsc;

const CONTAINERS: usize = 50;
/// Connections that are made to be timed, by each way.
const MEETINGS: usize = 20;
/// Times that an engine goes away.
const RETURNS: usize = 10;
/// Attempts that have failed by its return: the next one is not due for seconds.
const ATTEMPTS: u32 = 3;

pub(super) async fn figures() {
    let rig = Rig::new().await.unwrap();
    for _ in 0..CONTAINERS {
        rig.running(IDLE).await.unwrap();
    }
    let label = rig.label();
    let label = label.split_once('=').unwrap();
    let meet = Meeting {
        label: (label.0.to_owned(), label.1.to_owned()),
    };
    let here: Endpoint = rig.host.parse().unwrap();
    let of = format!("an engine with {CONTAINERS} containers, from its dial to their list");
    meet.figure(&of, "< 150 ms", &here, &SshClient::default())
        .await;
    let authority = Authority::new().unwrap();
    let front = TlsFront::start(&authority, "127.0.0.1").await.unwrap();
    let tls = front.endpoint(authority.client().unwrap()).unwrap();
    meet.figure("the same through TLS", "", &tls, &SshClient::default())
        .await;
    let path = FarMachine::usual_path().unwrap();
    let machine = FarMachine::start(&path, 10).await.unwrap();
    let far = machine.endpoint("").unwrap();
    meet.figure("the same through ssh", "", &far, &machine.client())
        .await;
    meet.returns().await;
}

/// Sees the containers of these figures.
struct Meeting {
    label: (String, String),
}

impl Meeting {
    fn engine(
        &self,
        owner: &Owner,
        endpoint: &Endpoint,
        ssh: &SshClient,
    ) -> mpsc::Receiver<EngineEvent> {
        let mut options = EngineOptions::new(self.label.clone());
        options.ssh = ssh.clone();
        Engine::spawn(owner, "bench", endpoint.clone(), options).1
    }

    async fn figure(&self, name: &str, goal: &str, endpoint: &Endpoint, ssh: &SshClient) {
        let mut times = Vec::new();
        for _ in 0..MEETINGS {
            let owner = Owner::root("bench");
            let begun = Instant::now();
            let mut events = self.engine(&owner, endpoint, ssh);
            assert_eq!(listed(&mut events).await, CONTAINERS);
            times.push(begun.elapsed());
            owner.shut_down(Duration::from_secs(10)).await;
        }
        Figure::of_times(name, goal, &times).print();
    }

    async fn returns(&self) {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("docker.sock");
        let owner = Owner::root("bench");
        let mut proxy = Proxy::start(&socket).unwrap();
        let mut events = self.engine(
            &owner,
            &Endpoint::Unix(socket.clone()),
            &SshClient::default(),
        );
        listed(&mut events).await;
        let mut times = Vec::new();
        for _ in 0..RETURNS {
            proxy.cut().await.unwrap();
            while !matches!(events.recv().await, Some(EngineEvent::Offline(off)) if off.attempts == ATTEMPTS)
            {
            }
            let back = Instant::now();
            proxy = Proxy::start(&socket).unwrap();
            assert_eq!(listed(&mut events).await, CONTAINERS);
            times.push(back.elapsed());
        }
        Figure::of_times(
            "an engine whose socket returns, to the list",
            "< 1 s",
            &times,
        )
        .print();
    }
}

/// Containers of the next list.
async fn listed(events: &mut mpsc::Receiver<EngineEvent>) -> usize {
    loop {
        if let EngineEvent::Listed(facts) = events.recv().await.unwrap() {
            return facts.len();
        }
    }
}
