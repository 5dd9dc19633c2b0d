//! Hands a session's address to the browser.
//!
//! Invariant: opens nothing but an address of our own gateway, and only after code-server answered
//! through it.

use mizzen_core::verb::{ApiError, ErrorCode};
use tauri::{AppHandle, Url};

use crate::shell::Shell;

/// Opens code-server of a session, or what listens on `port` in it.
pub(crate) async fn open(
    app: &AppHandle,
    session: &str,
    port: Option<u16>,
) -> Result<(), ApiError> {
    let shell = Shell::of(app);
    // The core gives the address away only when code-server answers.
    let url = shell.client()?.launch_url(session, port).await?;
    let gateway = shell
        .snapshot()
        .and_then(|snapshot| snapshot.core.gateway_port);
    if !is_ours(&url, gateway) {
        // Not in the log: an address of ours carries a token.
        return Err(refusal(
            "the core named an address that is not its gateway's".to_owned(),
        ));
    }
    // Off the main thread: a launcher may take a quarter of a second, and several are tried.
    let opened = tokio::task::spawn_blocking(move || open::that_detached(url)).await;
    match opened {
        Ok(Ok(())) => {
            tracing::info!(session, "browser opened");
            Ok(())
        }
        Ok(Err(error)) => Err(refusal(format!("no browser could be started: {error}"))),
        Err(_ended) => Err(refusal("Mizzen is ending".to_owned())),
    }
}

fn is_ours(url: &str, gateway: Option<u16>) -> bool {
    let Ok(url) = Url::parse(url) else {
        return false;
    };
    let host = url.host_str().unwrap_or_default();
    // At the bare address each session has a port of its own.
    let is_our_host = host == "127.0.0.1" || host.ends_with(".localhost") && url.port() == gateway;
    url.scheme() == "http"
        && gateway.is_some()
        && is_our_host
        && url.port().is_some()
        && url.username().is_empty()
        && url.password().is_none()
}

fn refusal(message: String) -> ApiError {
    let hint = "copy the session's address from the window".to_owned();
    ApiError {
        code: ErrorCode::Failed,
        message,
        hint,
    }
}
