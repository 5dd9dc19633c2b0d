//! A workspace that is kept in step, whoever keeps it.

use std::sync::Arc;

use mizzen_sessions::Flushed;
use mizzen_sync::told::Stand;
use mizzen_sync::{Link, Order, Question, Refusal, Word};
use tokio::sync::watch;

use super::mirrored::Mirrored;
use super::shared::Shared;
use crate::view::{SyncAnswer, SyncView};

/// One that is kept; cheap to clone.
#[derive(Clone)]
pub(super) enum Workspace {
    /// By a link of ours.
    Linked(Arc<Shared>),
    /// By its container.
    Mirrored(Arc<Mirrored>),
}

impl Workspace {
    pub(super) fn session(&self) -> &str {
        match self {
            Self::Linked(shared) => &shared.session,
            Self::Mirrored(mirrored) => &mirrored.session,
        }
    }

    pub(super) fn key(&self) -> &str {
        match self {
            Self::Linked(shared) => &shared.key,
            Self::Mirrored(mirrored) => &mirrored.key,
        }
    }

    pub(super) fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Linked(one), Self::Linked(other)) => Arc::ptr_eq(one, other),
            (Self::Mirrored(one), Self::Mirrored(other)) => Arc::ptr_eq(one, other),
            _ => false,
        }
    }

    pub(super) fn view(&self) -> SyncView {
        match self {
            Self::Linked(shared) => shared.view(),
            Self::Mirrored(mirrored) => mirrored.view(),
        }
    }

    pub(super) fn changes(&self) -> watch::Receiver<Stand> {
        match self {
            Self::Linked(shared) => shared.changes(),
            Self::Mirrored(mirrored) => mirrored.changes(),
        }
    }

    pub(super) async fn flush(&self, consent: bool) -> Result<String, String> {
        match self {
            Self::Linked(shared) => {
                shared.orders(Order::Said(Word::Flush));
                if consent {
                    shared.orders(Order::Consent);
                }
                shared.flush().await
            }
            Self::Mirrored(mirrored) => mirrored.flush(consent).await,
        }
    }

    pub(super) async fn flush_unless_paused(&self) -> Flushed {
        match self {
            Self::Linked(shared) => shared.flush_unless_paused().await,
            Self::Mirrored(mirrored) => mirrored.flush_unless_paused().await,
        }
    }

    pub(super) async fn ask(
        &self,
        question: Question,
    ) -> Result<Result<SyncAnswer, Refusal>, String> {
        match self {
            Self::Linked(shared) => {
                let ask = move |link: &mut Link| mizzen_sync::answer(link, &question);
                let answered = shared.ask(ask).await?;
                Ok(answered.map(SyncAnswer::from))
            }
            Self::Mirrored(mirrored) => mirrored.ask(question).await,
        }
    }
}
