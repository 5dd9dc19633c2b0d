//! Asks code-server by the way that a browser will take: our own port, host, cookie and the session's wire.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, StatusCode, header};
use http_body_util::Empty;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use crate::address::{Address, Target};
use crate::guard::Guard;
use crate::serve::Shared;

/// A healthy answer takes milliseconds; a machine under load may need seconds.
const DEADLINE: Duration = Duration::from_secs(15);

/// Why code-server does not count as healthy.
#[derive(Debug, thiserror::Error)]
pub enum HealthError {
    /// Nobody answered in time.
    #[error("no answer within {} s", DEADLINE.as_secs())]
    TimedOut,
    /// The gateway, or what stands behind it, broke the connection off.
    #[error("the connection broke off")]
    Broken(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Somebody answered, but not with 200.
    #[error("answered {0}")]
    Status(StatusCode),
}

/// Asks its `/healthz` once.
pub(crate) async fn ask(shared: &Shared, guard: &Guard, session: &str) -> Result<(), HealthError> {
    let status = tokio::time::timeout(DEADLINE, status(shared, guard, session, "/healthz"))
        .await
        .map_err(|_| HealthError::TimedOut)?
        .map_err(HealthError::Broken)?;
    if status == StatusCode::OK {
        Ok(())
    } else {
        Err(HealthError::Status(status))
    }
}

/// Asks for its first page and does not wait for it.
pub(crate) fn ask_for_a_page(shared: &Arc<Shared>, guard: &Arc<Guard>, session: &str) {
    let (asked, guard, session) = (shared.clone(), guard.clone(), session.to_owned());
    shared.owner.spawn("first-page", async move {
        let page = status(&asked, &guard, &session, "/");
        // Whatever it answers, the browser that comes will show.
        let _answer = tokio::time::timeout(DEADLINE, page).await;
    });
}

async fn status(
    shared: &Shared,
    guard: &Guard,
    session: &str,
    path: &str,
) -> Result<StatusCode, Box<dyn std::error::Error + Send + Sync>> {
    let port = guard.door().port;
    let address = Address::new(session, Target::CodeServer);
    // Known here: the port is held by our own listener, so the cookie goes to nobody else.
    let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
    let (mut sender, driver) = http1::handshake(TokioIo::new(stream)).await?;
    let request = Request::get(path)
        .header(header::HOST, guard.door().authority(&address))
        .header(
            header::COOKIE,
            guard.cookies.pair(&address, (shared.clock)()),
        )
        .body(Empty::<Bytes>::new())?;
    let _driver = shared.owner.spawn_held("health", async move {
        let _ = driver.await;
    });
    Ok(sender.send_request(request).await?.status())
}
