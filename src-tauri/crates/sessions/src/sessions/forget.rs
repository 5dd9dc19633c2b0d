//! Forgetting a session whose engine is out of reach: nobody can stop or remove its container from here.

use tokio::sync::oneshot;

use super::Sessions;
use crate::actor::Told;
use crate::archive;
use crate::commands;
use crate::error::SessionError;
use crate::fact::Done;
use crate::listing;
use crate::para;
use crate::record::Record;
use crate::words;

impl Sessions {
    /// Takes away a session's files and record, and leaves what its engine has; none when its engine can be asked, or
    /// there is no such session.
    pub(super) async fn forget(&self, key: &str) -> Result<Option<Done>, SessionError> {
        let is_out_of_reach = self.fact(key).is_ok_and(|fact| fact.out_of_reach);
        if !is_out_of_reach || !self.let_go(key).await {
            return Ok(None);
        }
        let Some(record) = self.take_name(key).await else {
            return Ok(None);
        };
        let (reply, answer) = oneshot::channel();
        let (sessions, key) = (self.clone(), key.to_owned());
        // Whoever asked may leave; the name is given back all the same.
        self.inner
            .owner
            .spawn(&format!("forget:{key}"), async move {
                let done = sessions.forget_all_of(&key, record).await;
                sessions.inner.handles.lock().await.remove(&key);
                // Nobody may be left to be told.
                let _left = reply.send(done);
            });
        let done = answer.await;
        done.map_err(|_| SessionError::shutting_down())?.map(Some)
    }

    /// Keeps a session's name from being made or adopted; none when there is none of it, or another forgets it already.
    /// No other session is held up: its files may be many, and its disk slow.
    async fn take_name(&self, key: &str) -> Option<Record> {
        let mut handles = self.inner.handles.lock().await;
        if matches!(handles.get(key), Some(None)) {
            return None;
        }
        let registry = &self.world().registry;
        let record = registry.find(|record| record.name.key() == key).await?;
        handles.insert(key.to_owned(), None);
        Some(record)
    }

    /// The record goes last: what is ended before is begun again.
    async fn forget_all_of(&self, key: &str, record: Record) -> Result<Done, SessionError> {
        let world = self.world();
        let (shared, ended) = (self.inner.world.clone(), record.clone());
        let kept = move || {
            shared.step("forget: files");
            archive::keep(&shared.state_dir, &ended, None)
        };
        listing::in_background(&record.name, kept).await;
        para::remove_session(&record).await?;
        world.registry.remove(key).await?;
        world.publish(key, None);
        commands::forget(&world.state_dir, key);
        listing::write(&self.inner.world, &record, None).await;
        tracing::info!(session = %record.name, engine = record.engine, "forgot a session");
        Ok(Done {
            message: words::forgotten(&record),
            name: record.name,
            session: None,
        })
    }

    /// Ends who serves a session that is out of reach; answers whether nobody serves it.
    async fn let_go(&self, key: &str) -> bool {
        let Some(handle) = self.inner.handles.lock().await.get(key).cloned().flatten() else {
            return true;
        };
        let (reply, answer) = oneshot::channel();
        // One that has ended serves nobody.
        let asked = handle.tell.send(Told::Forget(reply)).await;
        asked.is_err() || answer.await.unwrap_or(true)
    }
}
