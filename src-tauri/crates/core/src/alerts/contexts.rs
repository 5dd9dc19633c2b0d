//! What a person should know of Docker contexts.

use std::time::Instant;

use super::{Alerts, News};
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

    /// What a container did to a context, once.
    pub(crate) fn on_news(
        &mut self,
        news: &ContextNews,
        at: jiff::Timestamp,
        now: Instant,
    ) -> Option<Change> {
        match news {
            ContextNews::Changed {
                name,
                message,
                hint,
                change,
            } => {
                let kind = AlertKind::ContextChanged;
                let alert = AlertView {
                    undo: Some(*change),
                    ..alert(kind, &id(name), message.clone(), hint.clone(), at)
                };
                self.raise(alert, News::Happening, now)
            }
            ContextNews::TakenBack { name } => self.clear(&id(name), now),
        }
    }
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
