//! An engine that stops, is killed, and comes back.

use anyhow::Result;
use mizzen_docker::{ContainerFact, ContainerState, EngineEvent, Offline};
use mizzen_tests::engine::{IDLE, PrivateEngine, Rig};

async fn listed(rig: &mut Rig) -> Result<Vec<ContainerFact>> {
    rig.event("a list", |event| match event {
        EngineEvent::Listed(facts) => Some(facts),
        _ => None,
    })
    .await
}

async fn offline(rig: &mut Rig) -> Result<Offline> {
    rig.event("the engine to be offline", |event| match event {
        EngineEvent::Offline(offline) => Some(offline),
        _ => None,
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn an_engine_that_stops_and_comes_back_is_listed_again() -> Result<()> {
    let mut daemon = PrivateEngine::new()?;
    let mut rig = Rig::unconnected(daemon.endpoint())?;
    assert_eq!(offline(&mut rig).await?.attempts, 1);
    daemon.start(&mut rig).await?;
    assert!(listed(&mut rig).await?.is_empty());
    rig.ensure_shell_image().await?;
    let id = rig.running(IDLE).await?;

    daemon.stop().await?;
    let gone = offline(&mut rig).await?;
    assert!(gone.attempts == 1 && !gone.hint.is_empty(), "{gone:?}");
    daemon.start(&mut rig).await?;
    let facts = listed(&mut rig).await?;
    let [fact] = facts.as_slice() else {
        panic!("{facts:?}")
    };
    assert_eq!((&fact.id, fact.state), (&id, ContainerState::Exited));

    // The new event stream works: what happens from here on is told.
    rig.engine.start(&id).await?;
    rig.event("the start", |event| match event {
        EngineEvent::Changed(fact) if fact.is_up() => Some(()),
        _ => None,
    })
    .await?;
    rig.engine.remove_container(&id).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_killed_engine_is_noticed_and_its_return_too() -> Result<()> {
    let mut daemon = PrivateEngine::new()?;
    let mut rig = Rig::unconnected(daemon.endpoint())?;
    daemon.start(&mut rig).await?;
    listed(&mut rig).await?;
    rig.ensure_shell_image().await?;
    let id = rig.running(IDLE).await?;
    daemon.kill().await?;
    offline(&mut rig).await?;
    daemon.start(&mut rig).await?;
    let facts = listed(&mut rig).await?;
    assert_eq!(facts.iter().map(|fact| &fact.id).collect::<Vec<_>>(), [&id]);
    rig.engine.remove_container(&id).await?;
    Ok(())
}
