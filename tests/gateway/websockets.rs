//! Websockets: through to the session for our own pages, refused for all others.

use futures::{SinkExt as _, StreamExt as _};
use http::{HeaderValue, Request, Response, StatusCode, header};
use http_body_util::combinators::UnsyncBoxBody;
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use mizzen_tasks::Owner;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::Role;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async};

use crate::rig::Rig;
use crate::service::full;

/// The session's side: says everything twice.
pub(crate) fn accept(
    owner: &Owner,
    mut request: Request<Incoming>,
) -> Response<UnsyncBoxBody<bytes::Bytes, std::convert::Infallible>> {
    let Some(key) = request.headers().get(header::SEC_WEBSOCKET_KEY) else {
        return full(StatusCode::BAD_REQUEST, "no websocket");
    };
    let mut response = full(StatusCode::SWITCHING_PROTOCOLS, "");
    for (name, value) in [
        (header::CONNECTION, "Upgrade".to_owned()),
        (header::UPGRADE, "websocket".to_owned()),
        (
            header::SEC_WEBSOCKET_ACCEPT,
            derive_accept_key(key.as_bytes()),
        ),
    ] {
        response
            .headers_mut()
            .insert(name, HeaderValue::try_from(value).unwrap());
    }
    let upgrade = hyper::upgrade::on(&mut request);
    owner.spawn("echo", async move {
        let io = TokioIo::new(upgrade.await.unwrap());
        let mut socket = WebSocketStream::from_raw_socket(io, Role::Server, None).await;
        while let Some(Ok(message)) = socket.next().await {
            if message.is_close()
                || socket.send(message.clone()).await.is_err()
                || socket.send(message).await.is_err()
            {
                break;
            }
        }
    });
    response
}

async fn connect(
    rig: &Rig,
    headers: &[(header::HeaderName, String)],
) -> Result<WebSocketStream<TcpStream>, Error> {
    let mut request = Request::get(format!("ws://{}/ws", rig.host("web")))
        .header(header::HOST, rig.host("web"))
        .header(header::CONNECTION, "keep-alive, Upgrade")
        .header(header::UPGRADE, "websocket")
        .header(header::SEC_WEBSOCKET_VERSION, "13")
        .header(header::SEC_WEBSOCKET_KEY, "dGhlIHNhbXBsZSBub25jZQ==");
    for (name, value) in headers {
        request = request.header(name, value);
    }
    let request = request.body(()).unwrap();
    client_async(request, rig.connect().await)
        .await
        .map(|(socket, _)| socket)
}

async fn open(rig: &Rig) -> WebSocketStream<TcpStream> {
    let cookie = rig.log_in("web").await;
    let origin = format!("http://{}", rig.host("web"));
    connect(rig, &[(header::COOKIE, cookie), (header::ORIGIN, origin)])
        .await
        .unwrap()
}

#[tokio::test]
async fn messages_pass_both_ways() {
    let rig = Rig::new().await;
    let mut socket = open(&rig).await;
    for message in [Message::text("héllo"), Message::binary(vec![7; 1 << 20])] {
        socket.send(message.clone()).await.unwrap();
        assert_eq!(socket.next().await.unwrap().unwrap(), message);
        assert_eq!(socket.next().await.unwrap().unwrap(), message);
    }
}

#[tokio::test]
async fn a_closed_browser_closes_the_stream_into_the_session() {
    let rig = Rig::new().await;
    let mut dialled = rig.sessions.state().open.subscribe();
    let mut socket = open(&rig).await;
    socket.send(Message::text("x")).await.unwrap();
    socket.next().await.unwrap().unwrap();
    drop(socket);
    dialled.wait_for(|open| *open == 0).await.unwrap();
}

#[tokio::test]
async fn websockets_of_strangers_are_refused() {
    let rig = Rig::new().await;
    let cookie = rig.log_in("web").await;
    let own = format!("http://{}", rig.host("web"));
    for (reason, headers) in [
        ("no origin", vec![(header::COOKIE, cookie.clone())]),
        (
            "hidden origin",
            vec![
                (header::COOKIE, cookie.clone()),
                (header::ORIGIN, "null".to_owned()),
            ],
        ),
        (
            "foreign origin",
            vec![
                (header::COOKIE, cookie),
                (header::ORIGIN, "http://evil.example".to_owned()),
            ],
        ),
        ("no cookie", vec![(header::ORIGIN, own)]),
    ] {
        match connect(&rig, &headers).await {
            Err(Error::Http(answer)) => {
                assert_eq!(answer.status(), StatusCode::FORBIDDEN, "{reason}")
            }
            other => panic!("{reason}: {other:?}"),
        }
    }
    assert_eq!(*rig.sessions.state().open.borrow(), 0);
}

#[tokio::test]
async fn closing_the_gateway_ends_websockets() {
    let rig = Rig::new().await;
    let mut socket = open(&rig).await;
    let rig = rig.restart().await;
    assert!(!matches!(socket.next().await, Some(Ok(Message::Text(_)))));
    drop(rig);
}
