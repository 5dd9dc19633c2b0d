//! Text for notification servers, which draw bodies as markup.

use mizzen_status::sanitise;

/// Longest title, in characters.
const TITLE: usize = 80;
/// Longest body, in characters before escaping.
const BODY: usize = 240;

/// More than is ever shown, less than would cost time to look at.
const LOOKED_AT: usize = 4096;

/// One plain line.
pub(super) fn title(text: &str) -> String {
    clip(sanitise(text, LOOKED_AT).replace(['\n', '\t'], " "), TITLE)
}

/// A few plain lines, escaped.
pub(super) fn body(text: &str) -> String {
    escape(&clip(sanitise(text, LOOKED_AT), BODY))
}

fn clip(text: String, cap: usize) -> String {
    if text.chars().count() <= cap {
        return text;
    }
    let kept: String = text.chars().take(cap - 1).collect();
    format!("{}…", kept.trim_end())
}

/// Cut before escaping, never after: half an entity would be markup again.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

/// Undoes [`escape`].
pub(super) fn unescape(text: &str) -> String {
    text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&amp;", "&")
}
