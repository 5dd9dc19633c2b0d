//! No token and no cookie is in the log, at any level.

use std::io;
use std::sync::{Arc, Mutex};

use mizzen_gateway::Target;
use tracing_subscriber::fmt::MakeWriter;

use crate::rig::{Rig, get, with, with_cookie};

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

#[tokio::test]
async fn secrets_stay_out_of_the_log() {
    let log = Log::default();
    // For the whole process: what a thread-local one sees depends on which test meets a log line first.
    tracing_subscriber::fmt()
        .with_env_filter("debug,mizzen_gateway=trace")
        .with_writer(log.clone())
        .init();

    let rig = Rig::new().await;
    let cookie = rig.log_in("web").await;
    let url = rig.gateway.launch_url("web", Target::CodeServer);
    let path = url.split_once(&rig.host("web")).unwrap().1.to_owned();
    let host = rig.host("web");
    rig.ask(with_cookie(get(&host, "/"), &cookie)).await;
    rig.ask(with(
        with_cookie(get(&host, &path), &cookie),
        "origin",
        "http://evil.example",
    ))
    .await;
    rig.ask(get("evil.example", &path)).await;
    rig.ask(get(&host, &path)).await;
    rig.ask(get(&host, &path)).await;

    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(
        log.contains("ForeignOrigin") && log.contains("StaleLink"),
        "nothing was logged: {log}"
    );
    for secret in [
        path.split_once('=').unwrap().1,
        cookie.split_once('=').unwrap().1,
    ] {
        assert!(!log.contains(secret));
    }
}
