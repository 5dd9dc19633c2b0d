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
use crate::words;

impl Sessions {
    /// Takes away a session's files and record, and leaves what its engine has; none when its engine can be asked, or
    /// there is no such session.
    pub(super) async fn forget(&self, key: &str) -> Result<Option<Done>, SessionError> {
        let is_out_of_reach = self.fact(key).is_ok_and(|fact| fact.out_of_reach);
        if !is_out_of_reach || !self.let_go(key).await {
            return Ok(None);
        }
        // Held to the end: nobody makes or adopts a session of this name meanwhile.
        let mut handles = self.inner.handles.lock().await;
        let world = self.world();
        let found = world.registry.find(|record| record.name.key() == key).await;
        let Some(record) = found else {
            return Ok(None);
        };
        handles.remove(key);
        let (state_dir, ended) = (world.state_dir.clone(), record.clone());
        let kept = move || archive::keep(&state_dir, &ended, None);
        listing::in_background(&record.name, kept).await;
        para::remove_session(&record).await?;
        world.registry.remove(key).await?;
        world.publish(key, None);
        commands::forget(&world.state_dir, key);
        listing::write(&self.inner.world, &record, None).await;
        tracing::info!(session = %record.name, engine = record.engine, "forgot a session");
        Ok(Some(Done {
            message: words::forgotten(&record),
            name: record.name,
            session: None,
        }))
    }

    /// Ends who serves a session that is out of reach; answers whether nobody serves it.
    async fn let_go(&self, key: &str) -> bool {
        let Some(handle) = self.inner.handles.lock().await.get(key).cloned() else {
            return true;
        };
        let (reply, answer) = oneshot::channel();
        // One that has ended serves nobody.
        let asked = handle.tell.send(Told::Forget(reply)).await;
        asked.is_err() || answer.await.unwrap_or(true)
    }
}
