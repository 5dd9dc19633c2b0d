//! Decides, from a request's head alone, whether it may pass.

use std::time::SystemTime;

use http::header::{COOKIE, HOST, ORIGIN, UPGRADE};
use http::request::Parts;
use http::{HeaderMap, HeaderName, Method};

use crate::address::Address;
use crate::cookie::Cookies;
use crate::door::Door;
use crate::page::Refusal;
use crate::state::Key;
use crate::token::Tokens;

/// Query parameter of a launch URL.
const LAUNCH: &str = "mizzen-launch";
/// How the asking page relates to the one asked for; set by the browser, and by no page.
const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// What to do with a request.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Hand it to the session.
    Forward(Address),
    /// Send the browser to the same place without the token, with a cookie when it has none yet.
    Redirect {
        location: String,
        cookie: Option<String>,
    },
    /// Answer with a page that says why not.
    Refuse(Refusal),
}

/// All that decides who may come in.
pub(crate) struct Guard {
    pub(crate) tokens: Tokens,
    pub(crate) cookies: Cookies,
}

impl Guard {
    pub(crate) fn new(key: Key, door: Door) -> Self {
        Self {
            tokens: Tokens::default(),
            cookies: Cookies::new(key, door),
        }
    }

    /// The port that it guards.
    pub(crate) fn door(&self) -> &Door {
        &self.cookies.door
    }

    /// A URL that opens a session's service once.
    pub(crate) fn launch_url(&self, address: Address) -> String {
        let origin = self.door().origin(&address);
        format!("{origin}/?{LAUNCH}={}", self.tokens.issue(address))
    }

    /// Checks host, origin, token and cookie, in this order.
    pub(crate) fn judge(&self, head: &Parts, now: SystemTime) -> Verdict {
        let Some(address) = self.address(head) else {
            return Verdict::Refuse(Refusal::UnknownHost);
        };
        let is_own = may_come_from(head, &self.door().origin(&address))
            && (!self.door().has_neighbours() || is_said_to_be_own(head));
        if !is_own {
            return Verdict::Refuse(Refusal::ForeignOrigin);
        }
        let admitted = head
            .headers
            .get_all(COOKIE)
            .iter()
            .any(|header| self.cookies.admits(header.as_bytes(), &address, now));
        match take_token(head) {
            Some((token, rest)) => self.launch(&token, rest, address, admitted, now),
            None if admitted => Verdict::Forward(address),
            None => Verdict::Refuse(Refusal::NoCookie),
        }
    }

    /// The address that the request is for; none unless all of the head agrees on it.
    fn address(&self, head: &Parts) -> Option<Address> {
        let host = only(&head.headers, HOST)??;
        // Known here: a target with an authority is the proxy form; RFC 9112 has it override `Host`, so both must agree.
        let agrees = head
            .uri
            .authority()
            .is_none_or(|said| said.as_str().eq_ignore_ascii_case(host));
        let plain = head.uri.scheme_str().is_none_or(|scheme| scheme == "http");
        (agrees && plain && head.method != Method::CONNECT)
            .then(|| self.door().address(host))
            .flatten()
    }

    fn launch(
        &self,
        token: &str,
        rest: String,
        address: Address,
        admitted: bool,
        now: SystemTime,
    ) -> Verdict {
        let redeemed = self.tokens.redeem(token, &address);
        if !redeemed && !admitted {
            return Verdict::Refuse(Refusal::StaleLink);
        }
        // The location is absolute: a path that begins with `//` would otherwise name another host.
        let location = format!("{}{rest}", self.door().origin(&address));
        Verdict::Redirect {
            location,
            cookie: redeemed.then(|| self.cookies.header(&address, now)),
        }
    }
}

/// A header that may stand there once: `Some(None)` when it is missing, none when it is repeated or not text.
fn only(headers: &HeaderMap, name: HeaderName) -> Option<Option<&str>> {
    let mut values = headers.get_all(name).iter();
    let first = match values.next() {
        Some(value) => Some(value.to_str().ok()?),
        None => None,
    };
    values.next().is_none().then_some(first)
}

/// Whether a request with this head may stem from a page of this origin, or from the user.
///
/// Browsers name the origin of every websocket, and of every request but GET and HEAD. They write `null` where a page's
/// referrer policy hides it; `Sec-Fetch-Site`, which no page can set, still tells where it came from.
fn may_come_from(head: &Parts, origin: &str) -> bool {
    let Some(said) = only(&head.headers, ORIGIN) else {
        return false;
    };
    let hidden = said.is_none_or(|said| said == "null");
    if !hidden {
        return said == Some(origin);
    }
    if head.headers.contains_key(UPGRADE) {
        return false;
    }
    let safe = matches!(head.method, Method::GET | Method::HEAD | Method::OPTIONS);
    safe || only(&head.headers, FETCH_SITE) == Some(Some("same-origin"))
}

/// Whether the browser says that a page of the same origin asks, or the user.
///
/// Where sessions share a host, `SameSite` does not keep them apart, and a GET without `Origin` may be a neighbour's.
fn is_said_to_be_own(head: &Parts) -> bool {
    let said = only(&head.headers, FETCH_SITE).flatten();
    matches!(said, Some("same-origin" | "none")) || head.headers.contains_key(UPGRADE)
}

/// Splits the launch token off a GET's query: the token, and the path with what is left of the query.
fn take_token(head: &Parts) -> Option<(String, String)> {
    let query = head.uri.query().filter(|_| head.method == Method::GET)?;
    let is_token = |pair: &&str| pair.split_once('=').is_some_and(|(name, _)| name == LAUNCH);
    let token = query.split('&').find(is_token)?.split_once('=')?.1;
    let rest: Vec<_> = query.split('&').filter(|pair| !is_token(pair)).collect();
    let path = head.uri.path();
    let place = if rest.is_empty() {
        path.to_owned()
    } else {
        format!("{path}?{}", rest.join("&"))
    };
    Some((token.to_owned(), place))
}

#[cfg(test)]
mod tests;
