//! Rewrites heads on their way through: what a session may not see, and what it may not tell a browser.

use http::header::{
    ACCEPT_ENCODING, ALT_SVC, CONNECTION, CONTENT_LENGTH, COOKIE, EXPECT, FORWARDED, HOST,
    PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, SEC_WEBSOCKET_EXTENSIONS, SET_COOKIE, TE, TRAILER,
    TRANSFER_ENCODING, UPGRADE,
};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Uri, Version};

use crate::cookie;

/// A session's service as its browser names it.
pub(crate) struct Host {
    /// What the browser's `Host` header says.
    pub(crate) authority: String,
    /// What the names of the service's cookies begin with in the browser, where it shares the host with others.
    pub(crate) cookie_prefix: Option<String>,
}

/// Headers about one connection rather than the message (RFC 9110, 7.6.1).
const HOP_BY_HOP: [HeaderName; 9] = [
    CONNECTION,
    UPGRADE,
    TE,
    TRAILER,
    TRANSFER_ENCODING,
    PROXY_AUTHENTICATE,
    PROXY_AUTHORIZATION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
];

/// Whether a browser asks to leave HTTP for a websocket; no other protocol is let through.
pub(crate) fn asks_for_websocket(headers: &HeaderMap) -> bool {
    headers
        .get(UPGRADE)
        .is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"websocket"))
}

/// Makes a browser's request fit for the session.
pub(crate) fn to_session(head: &mut Parts, host: &Host) {
    let websocket = asks_for_websocket(&head.headers);
    // Known here: with both, the coding decides (RFC 9112, 6.3), and a length that disagrees smuggles a request.
    if head.headers.contains_key(TRANSFER_ENCODING) {
        head.headers.remove(CONTENT_LENGTH);
    }
    strip_hop_by_hop(&mut head.headers);
    // `Expect` was answered by our own server; the rest only a proxy may say.
    for name in [EXPECT, FORWARDED] {
        head.headers.remove(name);
    }
    for name in ["x-forwarded-for", "x-forwarded-port", "x-real-ip"] {
        head.headers.remove(name);
    }
    keep_the_services_cookies(&mut head.headers, host.cookie_prefix.as_deref());
    // code-server compares a websocket's Origin with X-Forwarded-Host, else Host: both are the browser's own.
    let authority = HeaderValue::try_from(&host.authority).expect("BUG: a label is ASCII");
    head.headers.insert(HOST, authority.clone());
    head.headers
        .insert(HeaderName::from_static("x-forwarded-host"), authority);
    head.headers.insert(
        HeaderName::from_static("x-forwarded-proto"),
        HeaderValue::from_static("http"),
    );
    set_connection(&mut head.headers, websocket);
    head.uri = origin_form(&head.uri);
    head.version = Version::HTTP_11;
}

/// Asks for bytes as they are, not packed: code-server would pack 19 MB for each new browser, and the browser unpack
/// them at each visit.
pub(crate) fn ask_for_plain(headers: &mut HeaderMap) {
    // No header at all would leave the choice to the service (RFC 9110, 12.5.3).
    headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    // The only extension that browsers offer packs as well (RFC 7692).
    headers.remove(SEC_WEBSOCKET_EXTENSIONS);
}

/// Makes a session's answer fit for the browser.
pub(crate) fn to_browser(headers: &mut HeaderMap, host: &Host, websocket: bool) {
    strip_hop_by_hop(headers);
    // An alternative service would take the browser past the gateway.
    headers.remove(ALT_SVC);
    keep_cookies_at_home(headers, host.cookie_prefix.as_deref());
    if websocket {
        set_connection(headers, true);
    }
}

/// The path and query alone: a session is no proxy.
fn origin_form(uri: &Uri) -> Uri {
    uri.path_and_query()
        .cloned()
        .map_or_else(|| Uri::from_static("/"), Uri::from)
}

fn set_connection(headers: &mut HeaderMap, websocket: bool) {
    if websocket {
        headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
        headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    } else {
        headers.insert(CONNECTION, HeaderValue::from_static("close"));
    }
}

fn strip_hop_by_hop(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all(CONNECTION)
        .iter()
        .flat_map(|value| value.as_bytes().split(|b| *b == b','))
        .filter_map(|name| HeaderName::from_bytes(name.trim_ascii()).ok())
        // A browser's `Connection: host` must not take away what the session relies on.
        .filter(|name| *name != HOST && *name != CONTENT_LENGTH)
        .collect();
    for name in named.iter().chain(&HOP_BY_HOP) {
        headers.remove(name);
    }
}

/// Takes every gateway's cookie out of a request, and on a shared host all that are not the service's own.
fn keep_the_services_cookies(headers: &mut HeaderMap, prefix: Option<&str>) {
    let prefix = prefix.unwrap_or_default().as_bytes();
    let kept: Vec<Vec<u8>> = headers
        .get_all(COOKIE)
        .iter()
        .flat_map(|header| cookie::pairs(header.as_bytes()))
        .filter(|(name, value)| !(cookie::is_ours(name) || name.is_empty() && value.is_empty()))
        .filter_map(|(name, value)| Some((name.strip_prefix(prefix)?, value)))
        .map(|(name, value)| {
            if name.is_empty() {
                value.to_vec()
            } else {
                [name, b"=", value].concat()
            }
        })
        .collect();
    headers.remove(COOKIE);
    if let Some(header) = HeaderValue::from_bytes(&kept.join(&b"; "[..]))
        .ok()
        .filter(|value| !value.is_empty())
    {
        headers.insert(COOKIE, header);
    }
}

/// Makes every cookie that a session sets host-only, and drops those that pass for a gateway's.
///
/// On a shared host a cookie gets the service's prefix, which the browser hands to no script: whoever knows it could
/// set cookies for the service.
fn keep_cookies_at_home(headers: &mut HeaderMap, prefix: Option<&str>) {
    let kept: Vec<HeaderValue> = headers
        .get_all(SET_COOKIE)
        .iter()
        .filter_map(|value| at_home(value.as_bytes(), prefix))
        .collect();
    headers.remove(SET_COOKIE);
    for value in kept {
        headers.append(SET_COOKIE, value);
    }
}

fn at_home(set_cookie: &[u8], prefix: Option<&str>) -> Option<HeaderValue> {
    let mut parts = set_cookie.split(|b| *b == b';');
    let pair = parts.next()?.trim_ascii();
    // Known here: a browser sends a nameless `=mizzen-…=x` back as `mizzen-…=x`, so leading `=` do not count.
    let bare = &pair[pair
        .iter()
        .take_while(|b| **b == b'=' || b.is_ascii_whitespace())
        .count()..];
    let (name, _) = cookie::pairs(bare).next()?;
    if cookie::is_ours(name) {
        return None;
    }
    let is = |attribute: &[u8], called: &[u8]| {
        let name = attribute.split(|b| *b == b'=').next().unwrap_or_default();
        name.trim_ascii().eq_ignore_ascii_case(called)
    };
    let pair = match prefix {
        None => pair.to_vec(),
        Some(prefix) => [prefix.as_bytes(), bare].concat(),
    };
    let attributes = parts
        .map(<[u8]>::trim_ascii)
        .filter(|attribute| !is(attribute, b"domain"))
        .filter(|attribute| prefix.is_none() || !is(attribute, b"httponly"));
    let hidden = prefix.map(|_| &b"HttpOnly"[..]);
    let kept: Vec<&[u8]> = [&pair[..]]
        .into_iter()
        .chain(attributes)
        .chain(hidden)
        .collect();
    HeaderValue::from_bytes(&kept.join(&b"; "[..])).ok()
}

#[cfg(test)]
mod tests;
