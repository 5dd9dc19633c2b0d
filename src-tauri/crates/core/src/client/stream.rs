//! Streams from the core: events, log lines, and a look that lasts.

use interprocess::local_socket::tokio::Stream;
use tokio::io::WriteHalf;

use super::connection::{Connection, InCall, Lines, Said, ask, receive};
use super::{LogLine, LogOptions, core_gone};
use crate::control::frame::{Answer, Body, Call, Item};
use crate::dirs::Dirs;
use crate::verb::ApiError;
use crate::view::{Event, Snapshot};

/// Every event after a snapshot, without a gap, until it ends.
pub struct EventStream {
    call: InCall,
}

/// Why a stream of events ended. Either way: follow anew for a fresh snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FollowEnd {
    /// The caller read too slowly, and events were dropped.
    #[error("events came faster than they were read")]
    Lagged,
    /// The core ended, or the connection to it.
    #[error("the connection to the core ended")]
    Disconnected,
}

impl EventStream {
    pub(super) async fn open(connection: &Connection) -> Result<(Snapshot, Self), ApiError> {
        let mut call = connection.call(Call::Follow).await?;
        match call.next().await {
            Said::Item(Item::Snapshot(snapshot)) => Ok((*snapshot, Self { call })),
            Said::Item(_) | Said::Cut | Said::End(Ok(_)) => Err(core_gone()),
            Said::End(Err(error)) => Err(error),
        }
    }

    /// Waits for the next event. Cancel safe.
    ///
    /// # Errors
    /// When the stream has ended.
    pub async fn next(&mut self) -> Result<Event, FollowEnd> {
        match self.call.next().await {
            Said::Item(Item::Event(event)) => Ok(*event),
            Said::End(Ok(Answer::Lagged)) => Err(FollowEnd::Lagged),
            Said::Cut if self.call.is_connected() => Err(FollowEnd::Lagged),
            Said::Item(_) | Said::End(_) | Said::Cut => Err(FollowEnd::Disconnected),
        }
    }
}

/// Lines of a session's log, read no faster than the caller asks.
pub struct LineStream {
    lines: Lines,
    /// Held: the core ends the stream with the connection.
    _write: WriteHalf<Stream>,
    over: bool,
}

impl LineStream {
    pub(super) async fn open(
        dirs: &Dirs,
        session: &str,
        options: LogOptions,
    ) -> Result<Self, ApiError> {
        let call = Call::Logs {
            session: session.to_owned(),
            options,
        };
        let (lines, write) = ask(dirs, call).await?;
        Ok(Self {
            lines,
            _write: write,
            over: false,
        })
    }

    /// Waits for the next line; none at the log's end. Cancel safe.
    ///
    /// # Errors
    /// When there is no such session, or it or its engine went away.
    pub async fn next(&mut self) -> Result<Option<LogLine>, ApiError> {
        if self.over {
            return Ok(None);
        }
        let body = receive(&mut self.lines).await;
        self.over = !matches!(body, Ok(Body::Item(_)));
        match body? {
            Body::Item(Item::Line(line)) => Ok(Some(line)),
            Body::Item(_) => Err(core_gone()),
            Body::Done(_) => Ok(None),
            Body::Failed(error) => Err(error),
        }
    }
}

/// While it lives, CPU and memory use flow into the session's view.
pub struct Look {
    _call: InCall,
}

impl Look {
    pub(super) async fn open(connection: &Connection, session: &str) -> Result<Self, ApiError> {
        let call = connection
            .call(Call::Look {
                session: session.to_owned(),
            })
            .await?;
        Ok(Self { _call: call })
    }
}
