//! The pages that the gateway writes itself: one for each reason not to forward.

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use http_body_util::Full;

/// Why a request is not forwarded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The host is not of our form or not on our port.
    UnknownHost,
    /// The browser is not logged in for this host.
    NoCookie,
    /// The launch token was used, is too old, or never was one.
    StaleLink,
    /// Another site's page asks.
    ForeignOrigin,
    /// Logged in, but the session was removed since.
    NoSession,
    /// The session does not run.
    NotRunning { session: String, state: String },
    /// Nothing listens on the port in the container.
    NothingListens { session: String, reason: String },
    /// The session or its engine does not answer.
    Unreachable { session: String, reason: String },
    /// The service accepted the request and then said nothing.
    Silent { session: String },
    /// The service does not speak HTTP as it should.
    Garbled { session: String },
    /// The session has as many streams open as it may.
    Busy { session: String },
}

/// What a page says.
struct Words {
    status: StatusCode,
    title: &'static str,
    /// HTML of our own, with nothing in it that came from outside.
    advice: &'static str,
    /// From outside: escaped before it is shown.
    detail: String,
}

const FROM_TRAY: &str = "Open the session from Mizzen: click the tray icon, choose the session and then \
    <b>Open code-server</b>, or type <code>mizzen open SESSION</code> in a terminal.";

impl Refusal {
    fn words(&self) -> Words {
        let with = |status, title, advice, detail| Words {
            status,
            title,
            advice,
            detail,
        };
        let plain = |title, advice| with(StatusCode::FORBIDDEN, title, advice, String::new());
        match self {
            Self::UnknownHost => plain("This is not the address of a session", FROM_TRAY),
            Self::NoCookie => plain("This browser is not logged in to this session", FROM_TRAY),
            Self::StaleLink => plain(
                "This link was used already, or is more than a minute old",
                FROM_TRAY,
            ),
            Self::ForeignOrigin => plain(
                "Another site asked for this page",
                "Mizzen lets no other site into a session. If it was you: open the session from the tray.",
            ),
            Self::NoSession => with(
                StatusCode::NOT_FOUND,
                "This session is no longer there",
                "It was removed, or got another name. Mizzen's window lists the sessions that exist.",
                String::new(),
            ),
            Self::NotRunning { session, state } => with(
                StatusCode::SERVICE_UNAVAILABLE,
                "This session does not run",
                "Start it from Mizzen's tray menu or with <code>mizzen start</code>, then load this page again.",
                format!("{session}: {state}"),
            ),
            Self::NothingListens { session, reason } => with(
                StatusCode::BAD_GATEWAY,
                "Nothing answers on this port in the session",
                "Start the server inside the session, then load this page again.",
                format!("{session}: {reason}"),
            ),
            Self::Unreachable { session, reason } => with(
                StatusCode::BAD_GATEWAY,
                "The session cannot be reached",
                "Mizzen's window shows what is wrong with it, and what to do.",
                format!("{session}: {reason}"),
            ),
            Self::Silent { session } => with(
                StatusCode::GATEWAY_TIMEOUT,
                "The session does not answer",
                "It may be very busy. Load this page again, or restart the session from Mizzen's tray menu.",
                session.clone(),
            ),
            Self::Garbled { session } => with(
                StatusCode::BAD_GATEWAY,
                "The session gave no proper answer",
                "What runs in the session broke off, or does not speak HTTP. Its log in Mizzen's window says more.",
                session.clone(),
            ),
            Self::Busy { session } => with(
                StatusCode::SERVICE_UNAVAILABLE,
                "Too much is open in this session",
                "Close some of its tabs, then load this page again.",
                session.clone(),
            ),
        }
    }

    /// The page, with its status.
    pub(crate) fn page(&self) -> Response<Full<Bytes>> {
        let words = self.words();
        let mut response = Response::new(Full::from(words.html()));
        *response.status_mut() = words.status;
        let headers = response.headers_mut();
        for (name, value) in [
            (header::CONTENT_TYPE, "text/html; charset=utf-8"),
            (
                header::CONTENT_SECURITY_POLICY,
                "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
            ),
            (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
            (header::CACHE_CONTROL, "no-store"),
            (header::REFERRER_POLICY, "no-referrer"),
        ] {
            headers.insert(name, HeaderValue::from_static(value));
        }
        response
    }
}

impl Words {
    fn html(&self) -> String {
        let detail = match escape(&self.detail) {
            text if text.is_empty() => text,
            text => format!("<p class=detail>{text}</p>"),
        };
        include_str!("page.html")
            .replace("{{title}}", self.title)
            .replace("{{advice}}", self.advice)
            .replace("{{detail}}", &detail)
    }
}

/// Longest detail shown, in characters.
const DETAIL_MAX: usize = 300;

/// Text as HTML shows it: no markup, no control or direction characters, not endless.
fn escape(text: &str) -> String {
    let mut html = String::new();
    for c in text.chars().filter(|c| !is_invisible(*c)).take(DETAIL_MAX) {
        match c {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            // Keeps the template's own marks out of what is filled in.
            '{' => html.push_str("&#123;"),
            c => html.push(c),
        }
    }
    html
}

fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt as _;

    use super::*;

    async fn text(refusal: Refusal) -> String {
        let body = refusal
            .page()
            .into_body()
            .collect()
            .await
            .unwrap()
            .to_bytes();
        String::from_utf8(body.to_vec()).unwrap()
    }

    #[tokio::test]
    async fn says_how_to_open_it_from_the_tray() {
        for refusal in [Refusal::UnknownHost, Refusal::NoCookie, Refusal::StaleLink] {
            let html = text(refusal.clone()).await;
            assert!(html.contains("click the tray icon"), "{refusal:?}");
            assert!(!html.contains("{{"), "{refusal:?}");
            assert!(!html.contains("class=detail>"), "{refusal:?}");
        }
    }

    #[tokio::test]
    async fn markup_from_a_container_is_text() {
        let reason = "<script>alert('x')</script>\u{1b}]0;\u{7}\u{202e}{{title}}&".to_owned();
        let html = text(Refusal::NothingListens {
            session: "web".to_owned(),
            reason,
        })
        .await;
        assert!(html.contains(
            "web: &lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;]0;&#123;&#123;title}}&amp;"
        ));
    }

    #[tokio::test]
    async fn endless_reasons_are_cut() {
        let html = text(Refusal::Unreachable {
            session: "web".to_owned(),
            reason: "x".repeat(100_000),
        })
        .await;
        assert!(html.len() < 10_000);
    }

    #[test]
    fn is_kept_by_no_cache_and_shown_in_no_frame() {
        let page = Refusal::NoCookie.page();
        assert_eq!(page.status(), StatusCode::FORBIDDEN);
        assert_eq!(page.headers()[header::CACHE_CONTROL], "no-store");
        assert!(
            page.headers()[header::CONTENT_SECURITY_POLICY]
                .to_str()
                .unwrap()
                .contains("frame-ancestors 'none'")
        );
    }
}
