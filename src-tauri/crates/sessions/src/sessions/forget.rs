//! Forgetting a session whose engine is no longer in use: nobody can stop or remove its container from here.

use super::Sessions;
use crate::archive;
use crate::commands;
use crate::error::SessionError;
use crate::fact::Done;
use crate::listing;
use crate::para;
use crate::record::Record;
use crate::words;

impl Sessions {
    /// Takes away a session's files and record, and leaves what its engine has; none when its engine is in use, or
    /// there is no such session.
    pub(super) async fn forget(&self, key: &str) -> Result<Option<Done>, SessionError> {
        // Held to the end: nobody makes or adopts a session of this name meanwhile.
        let handles = self.inner.handles.lock().await;
        let world = self.world();
        let found = world.registry.find(|record| record.name.key() == key).await;
        let is_out_of_use = |record: &Record| world.engines.in_use(&record.engine).is_none();
        let Some(record) = found.filter(is_out_of_use) else {
            return Ok(None);
        };
        debug_assert!(!handles.contains_key(key), "actors need an engine");
        let (state_dir, ended) = (world.state_dir.clone(), record.clone());
        let kept = move || archive::keep(&state_dir, &ended, None);
        listing::in_background(&record.name, kept).await;
        para::remove_session(&record)?;
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
}
