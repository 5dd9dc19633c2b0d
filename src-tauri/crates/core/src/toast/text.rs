//! Text for notification servers, which draw bodies as markup.

/// Longest title, in characters.
const TITLE: usize = 80;
/// Longest body, in characters before escaping.
const BODY: usize = 240;

/// One plain line.
pub(super) fn title(text: &str) -> String {
    clip(visible(text).replace('\n', " "), TITLE)
}

/// A few plain lines, escaped.
pub(super) fn body(text: &str) -> String {
    escape(&clip(visible(text), BODY))
}

/// Without controls, and without the marks that turn the direction of the text around them.
fn visible(text: &str) -> String {
    text.chars()
        .filter(|&c| c == '\n' || !(c.is_control() || is_invisible(c)))
        .collect()
}

fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{061C}' | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}'
        | '\u{FEFF}' | '\u{FFF9}'..='\u{FFFB}' | '\u{E0000}'..='\u{E007F}')
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
