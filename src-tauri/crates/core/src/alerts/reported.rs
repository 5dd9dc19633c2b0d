//! What a container says of itself, as alerts: its errors and its warnings.

use mizzen_sessions::{SessionFact, sentence};
use mizzen_status::sanitise;

use super::session_id;
use crate::view::{AlertKind, AlertView};

pub(super) const KINDS: [AlertKind; 2] = [AlertKind::ReportedErrors, AlertKind::ReportedWarnings];

/// Longest part of a container's text that an alert repeats.
const SAID: usize = 200;

/// The alert of one kind; none when the container reports nothing of it.
pub(super) fn alert(
    kind: AlertKind,
    session: &SessionFact,
    at: jiff::Timestamp,
) -> Option<AlertView> {
    let (what, said) = match kind {
        AlertKind::ReportedErrors => ("an error", &session.report.errors),
        AlertKind::ReportedWarnings => ("a warning", &session.report.warnings),
        _ => return None,
    };
    let newest = sanitise(said.first()?, SAID);
    let others = match said.len() - 1 {
        0 => String::new(),
        1 => " (and 1 other)".to_owned(),
        more => format!(" (and {more} others)"),
    };
    let name = session.name.as_str();
    Some(AlertView {
        id: session_id(kind, name),
        kind,
        session: Some(name.to_owned()),
        engine: Some(session.engine.clone()),
        undo: None,
        message: sentence(&format!(
            "Session `{name}` reports {what}: {newest}{others}"
        )),
        hint: format!("See all that it reports: mizzen show {name}"),
        at: at.to_string(),
    })
}
