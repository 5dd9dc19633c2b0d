//! Engines behind TLS: row 52, and every way in which such an engine is not the one that is meant.

use anyhow::Result;
use mizzen_docker::{
    ContainerFact, ContainerState, DockerErrorKind, Endpoint, EngineEvent, Link, Offline,
    SshClient, Tls, TlsFiles,
};
use mizzen_tasks::Owner;
use mizzen_tests::engine::{IDLE, PATIENCE, Rig};
use mizzen_tests::tls_front::{Authority, TlsFront, Way};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

use crate::far::{self, expect_words};

const HERE: &str = "127.0.0.1";

async fn carries_all(endpoint: Endpoint) -> Result<()> {
    far::carries_all(endpoint, SshClient::default()).await
}

async fn offline(endpoint: Endpoint) -> Result<Offline> {
    far::offline(endpoint, SshClient::default()).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn an_engine_behind_tls_is_used_like_a_near_one() -> Result<()> {
    let authority = Authority::new()?;
    let front = TlsFront::start(&authority, HERE).await?;
    carries_all(front.endpoint(authority.client()?)?).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_name_is_checked_as_well_as_an_address() -> Result<()> {
    let authority = Authority::new()?;
    let front = TlsFront::start(&authority, "localhost").await?;
    let tls = Tls::new(authority.client()?)?;
    let by_name = format!("tcp://localhost:{}", front.address.port());
    carries_all(Endpoint::with_tls(&by_name, tls)?).await?;
    let by_address = offline(front.endpoint(authority.client()?)?).await?;
    expect_words(&by_address, "is for another name", "was made for");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn an_engine_of_another_authority_is_not_believed() -> Result<()> {
    let front = TlsFront::start(&Authority::new()?, HERE).await?;
    let stranger = offline(front.endpoint(Authority::new()?.client()?)?).await?;
    expect_words(
        &stranger,
        "not signed by the context's CA",
        "somebody else answers",
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_context_that_skips_the_check_is_encrypted_all_the_same() -> Result<()> {
    let authority = Authority::new()?;
    let front = TlsFront::start(&authority, "another.example").await?;
    let files = TlsFiles {
        ca: None,
        skip_verify: true,
        ..authority.client()?
    };
    let endpoint = front.endpoint(files)?;
    carries_all(endpoint.clone()).await?;
    let rig = Rig::through(endpoint, SshClient::default()).await?;
    let link = rig.engine.link().borrow().clone();
    let Link::Online(info) = link else {
        panic!("{link:?}")
    };
    assert!(info.warnings[0].contains("SkipTLSVerify"), "{info:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_client_without_a_certificate_is_told_so() -> Result<()> {
    let authority = Authority::new()?;
    let front = TlsFront::start(&authority, HERE).await?;
    let nobody = offline(front.endpoint(authority.stranger())?).await?;
    expect_words(&nobody, "refuses our certificate", "key.pem");
    assert_eq!(nobody.cause, DockerErrorKind::Denied);
    let other = TlsFiles {
        ca: authority.stranger().ca,
        ..Authority::new()?.client()?
    };
    let other = offline(front.endpoint(other)?).await?;
    expect_words(&other, "refuses our certificate", "key.pem");
    Ok(())
}

/// A listener of a test's own; the test is told the first byte of every connection.
async fn listener(answer: &'static [u8]) -> Result<(Endpoint, mpsc::Receiver<u8>, Owner)> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let (tell, first_bytes) = mpsc::channel(16);
    let owner = Owner::root("listener");
    owner.spawn("listen", async move {
        while let Ok((stream, _)) = listener.accept().await {
            // A client that goes away is no fault of the listener's.
            meet(stream, answer, &tell).await.ok();
        }
    });
    let tls = Tls::new(Authority::new()?.client()?)?;
    let endpoint = Endpoint::with_tls(&format!("tcp://{address}"), tls)?;
    Ok((endpoint, first_bytes, owner))
}

/// Says its piece, and then keeps quiet until the client has had enough.
async fn meet(mut stream: TcpStream, answer: &[u8], tell: &mpsc::Sender<u8>) -> Result<()> {
    tell.send(stream.read_u8().await?).await?;
    stream.write_all(answer).await?;
    tokio::io::copy(&mut stream, &mut tokio::io::sink()).await?;
    Ok(())
}

/// First byte of a TLS handshake.
const HANDSHAKE: u8 = 0x16;

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn row_52_nothing_but_tls_is_ever_sent_to_an_engine_that_asks_for_it() -> Result<()> {
    let (endpoint, mut first_bytes, _owner) = listener(b"HTTP/1.1 400 Bad Request\r\n\r\n").await?;
    let plain = offline(endpoint).await?;
    expect_words(&plain, "does not speak TLS", "nothing is sent to it");
    let mut seen = 0;
    while let Ok(byte) = first_bytes.try_recv() {
        assert_eq!(byte, HANDSHAKE);
        seen += 1;
    }
    assert!(seen > 0, "it was never dialled");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_handshake_that_hangs_has_its_deadline() -> Result<()> {
    let (endpoint, mut first_bytes, _owner) = listener(b"").await?;
    let hanging = offline(endpoint);
    let (hanging, first) =
        tokio::join!(tokio::time::timeout(PATIENCE, hanging), first_bytes.recv());
    let hanging = hanging??;
    assert_eq!(first, Some(HANDSHAKE));
    assert_eq!(hanging.cause, DockerErrorKind::TimedOut, "{hanging:?}");
    expect_words(&hanging, "within 10 s", "overloaded or hang");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_port_where_nobody_listens_is_named() -> Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    drop(listener);
    let tls = Tls::new(Authority::new()?.client()?)?;
    let endpoint = Endpoint::with_tls(&format!("tcp://{address}"), tls)?;
    let nobody = offline(endpoint).await?;
    let port = format!("nothing listens on port {}", address.port());
    expect_words(&nobody, &port, "start the engine there");
    Ok(())
}

/// A container that runs, seen through TLS.
async fn seen_through(front: &TlsFront, authority: &Authority) -> Result<(Rig, String)> {
    let endpoint = front.endpoint(authority.client()?)?;
    let mut rig = Rig::through(endpoint, SshClient::default()).await?;
    let id = rig.running(IDLE).await?;
    rig.event("the start", |event| match event {
        EngineEvent::Changed(fact) if fact.is_up() => Some(()),
        _ => None,
    })
    .await?;
    Ok((rig, id))
}

async fn goes_offline(rig: &mut Rig) -> Result<Offline> {
    rig.event("the engine to be offline", |event| match event {
        EngineEvent::Offline(offline) => Some(offline),
        _ => None,
    })
    .await
}

/// The same engine by the near way: what happens there in the meantime waits for nobody.
async fn is_used_meanwhile() -> Result<()> {
    let mut near = Rig::new().await?;
    let id = near.running("exit 0").await?;
    near.event("the end of another's container", |event| match event {
        EngineEvent::Changed(fact) if fact.id == id => {
            (fact.state == ContainerState::Exited).then_some(())
        }
        _ => None,
    })
    .await
}

/// The list that shows how the container has ended since.
async fn end_is_listed(rig: &mut Rig) -> Result<()> {
    rig.event("the end that was missed", |event| match event {
        EngineEvent::Listed(facts) => is_over(&facts).then_some(()),
        _ => None,
    })
    .await
}

fn is_over(facts: &[ContainerFact]) -> bool {
    facts[0].state == ContainerState::Exited
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_cut_in_mid_stream_is_told_and_made_good_and_delays_nobody() -> Result<()> {
    let authority = Authority::new()?;
    let front = TlsFront::start(&authority, HERE).await?;
    let (mut rig, id) = seen_through(&front, &authority).await?;
    front.becomes(Way::Gone);
    let cut = goes_offline(&mut rig).await?;
    assert_eq!(cut.cause, DockerErrorKind::Unreachable, "{cut:?}");
    is_used_meanwhile().await?;
    rig.docker(&["kill", &id]).await?;
    front.becomes(Way::Open);
    rig.engine.retry_now();
    end_is_listed(&mut rig).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_way_that_falls_silent_is_told_and_left_for_a_new_one_and_delays_nobody() -> Result<()> {
    let authority = Authority::new()?;
    let front = TlsFront::start(&authority, HERE).await?;
    let (mut rig, id) = seen_through(&front, &authority).await?;
    front.becomes(Way::Frozen);
    rig.docker(&["kill", &id]).await?;
    // As at the next list.
    rig.engine.retry_now();
    is_used_meanwhile().await?;
    // Unless a look at the container was under way and lost the old connection, the list waits for that one in vain.
    let silent = rig.event("the old way to be given up", |event| match event {
        EngineEvent::Offline(offline) => Some(Some(offline)),
        EngineEvent::Listed(facts) => is_over(&facts).then_some(None),
        _ => None,
    });
    let Some(silent) = silent.await? else {
        return Ok(());
    };
    assert_eq!(silent.cause, DockerErrorKind::TimedOut, "{silent:?}");
    // Nothing of the old way is tried once more.
    rig.engine.retry_now();
    let next = rig.event("the engine to answer or not", |event| match event {
        EngineEvent::Online(_) => Some(Ok(())),
        EngineEvent::Offline(offline) => Some(Err(offline)),
        _ => None,
    });
    assert_eq!(next.await?, Ok(()));
    end_is_listed(&mut rig).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_proxy_that_takes_connections_and_never_answers_has_its_deadline() -> Result<()> {
    let authority = Authority::new()?;
    let front = TlsFront::start(&authority, HERE).await?;
    front.becomes(Way::Silent);
    let silent = offline(front.endpoint(authority.client()?)?).await?;
    assert_eq!(silent.cause, DockerErrorKind::TimedOut, "{silent:?}");
    expect_words(&silent, "within 10 s", "overloaded or hang");
    is_used_meanwhile().await
}
