//! What a person should know of Docker contexts.

use std::time::Instant;

use super::{Alerts, News, Standing};
use crate::contexts::News as ContextNews;
use crate::view::{AlertKind, AlertView, Change, ContextsState, ContextsView};

const HELD: &str = "contexts_held";
const DAMAGED: &str = "contexts_damaged";

impl Alerts {
    /// How the mirror stands.
    pub(crate) fn on_contexts(
        &mut self,
        view: &ContextsView,
        at: jiff::Timestamp,
        now: Instant,
    ) -> Vec<Change> {
        let waits = !view.holds.is_empty();
        let damaged = match view.state {
            ContextsState::Damaged => true,
            ContextsState::Halted => !waits,
            ContextsState::Off
            | ContextsState::InStep
            | ContextsState::Working
            | ContextsState::Held => false,
        };
        let kinds = [
            (AlertKind::ContextsHeld, HELD, waits),
            (AlertKind::ContextsDamaged, DAMAGED, damaged),
        ];
        let told = kinds.map(|(kind, id, stands)| {
            let message = view.reason.clone().unwrap_or_default();
            let hint = view.hint.clone().unwrap_or_default();
            match stands {
                true => self.raise(alert(kind, id, message, hint, at), News::StillSo, now),
                false => self.clear(id, now),
            }
        });
        told.into_iter().flatten().collect()
    }

    /// What was done to a context. An alert that stands tells of the last change, and takes back all since the first: who
    /// puts it away has seen to those.
    pub(crate) fn on_news(
        &mut self,
        news: &ContextNews,
        at: jiff::Timestamp,
        now: Instant,
    ) -> Option<Change> {
        let (ContextNews::Changed { name, .. }
        | ContextNews::Decided { name, .. }
        | ContextNews::TakenBack { name }) = news;
        let standing = self.by_id.entry(id(name)).or_default();
        if standing.dismissed {
            *standing = Standing::default();
        }
        let told = standing.alert.as_ref().and_then(|alert| alert.undo);
        let (message, undo, hint) = match news {
            ContextNews::TakenBack { .. } => {
                standing.newer = None;
                return self.end(&id(name));
            }
            ContextNews::Changed {
                message,
                change,
                since,
                ..
            } => {
                let first = told.map_or(*change, |told| told.max(*since));
                (message, first, take_back(first, *change))
            }
            ContextNews::Decided {
                message, change, ..
            } => {
                let hint = format!("Take the other version: mizzen contexts undo {change}");
                (message, *change, hint)
            }
        };
        let kind = AlertKind::ContextChanged;
        let alert = AlertView {
            undo: Some(undo),
            ..alert(kind, &id(name), message.clone(), hint, at)
        };
        self.renew(alert, now)
    }
}

fn take_back(first: u64, last: u64) -> String {
    if first == last {
        return format!("Take it back: mizzen contexts undo {last}");
    }
    format!(
        "It is not the first. Take back all since the first: mizzen contexts undo {first}; the last one alone: mizzen contexts undo {last}"
    )
}

fn id(name: &str) -> String {
    format!("context_changed:{name}")
}

fn alert(
    kind: AlertKind,
    id: &str,
    message: String,
    hint: String,
    at: jiff::Timestamp,
) -> AlertView {
    AlertView {
        id: id.to_owned(),
        kind,
        session: None,
        engine: None,
        undo: None,
        message,
        hint,
        at: at.to_string(),
    }
}
