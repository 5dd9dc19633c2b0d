//! An engine whose address others change, or take away.

use std::sync::{Arc, Mutex};

use mizzen_tasks::Owner;
use mizzen_testkit::fake_engine::{FakeEngine, Reply, well};

use super::*;

const PATIENCE: Duration = Duration::from_secs(40);

fn engine_of(version: &'static str) -> FakeEngine {
    FakeEngine::start(
        move |request| match well(request, Reply::StreamThenSilence(Vec::new())) {
            Reply::Json(status, body) => Reply::Json(status, body.replace("1.2.3", version)),
            other => other,
        },
    )
    .expect("a socket")
}

async fn becomes(engine: &Engine, fits: impl Fn(&Link) -> bool) -> Link {
    let mut link = engine.link();
    let found = tokio::time::timeout(PATIENCE, link.wait_for(|link| fits(link))).await;
    found.expect("in time").expect("the engine lives").clone()
}

fn runs(link: &Link, version: &str) -> bool {
    matches!(link, Link::Online(info) if info.version == version)
}

#[tokio::test]
async fn an_engine_is_followed_to_where_it_is_found_and_waited_for_while_it_is_nowhere() {
    let (old, new) = (engine_of("1.0.0"), engine_of("2.0.0"));
    let at = |fake: &FakeEngine| Ok(Endpoint::Unix(fake.socket()));
    let place = Arc::new(Mutex::new(at(&old)));
    let look = place.clone();
    let options = EngineOptions::new(("a".to_owned(), "b".to_owned()))
        .found_at(Place::new(move || look.lock().unwrap().clone()));
    let owner = Owner::root("test");
    let first = Endpoint::Unix(old.socket());
    let (engine, mut events) = Engine::spawn(&owner, "far", first, options);
    owner.spawn(
        "reader",
        async move { while events.recv().await.is_some() {} },
    );
    becomes(&engine, |link| runs(link, "1.0.0")).await;

    *place.lock().unwrap() = at(&new);
    engine.retry_now();
    becomes(&engine, |link| runs(link, "2.0.0")).await;
    assert_eq!(engine.endpoint(), Endpoint::Unix(new.socket()));
    let asked_of_old = old.requests();

    *place.lock().unwrap() = Err(NoPlace {
        message: "there is no context far".to_owned(),
        hint: "make it again".to_owned(),
    });
    engine.retry_now();
    let Link::Offline(offline) = becomes(&engine, |link| matches!(link, Link::Offline(_))).await
    else {
        unreachable!("BUG: waited for")
    };
    assert_eq!(offline.message, "there is no context far");
    assert_eq!(offline.hint, "make it again");

    *place.lock().unwrap() = at(&new);
    engine.retry_now();
    becomes(&engine, |link| runs(link, "2.0.0")).await;
    assert_eq!(
        old.requests(),
        asked_of_old,
        "nobody goes back to the old address"
    );
}
