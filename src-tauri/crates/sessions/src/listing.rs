//! A project's files about its sessions: copies of the truth, so a failure to write them costs nothing.

use std::sync::Arc;

use mizzen_fsx::PathError;

use crate::fact::SessionFact;
use crate::name::SessionName;
use crate::para;
use crate::record::Record;
use crate::world::World;

/// Writes the list of a project's containers: all other sessions', and this one as it is given.
pub(crate) async fn write(world: &Arc<World>, record: &Record, this: Option<&SessionFact>) {
    let _listing = world.listing.lock().await;
    let facts = world.facts.borrow().clone();
    let (world, owned, this) = (world.clone(), record.clone(), this.cloned());
    let written = move || {
        let others = facts.values().map(Arc::as_ref);
        let mut here: Vec<&SessionFact> = others
            .filter(|other| other.project == owned.project && other.name != owned.name)
            .collect();
        here.extend(&this);
        here.sort_by_key(|fact| fact.name.key());
        para::write_registry(&owned.project, owned.user, &here, world.now())
    };
    in_background(&record.name, written).await;
}

/// Writes off the runtime's threads, since a disk may be slow.
pub(crate) async fn in_background(
    session: &SessionName,
    write: impl FnOnce() -> Result<(), PathError> + Send + 'static,
) {
    match tokio::task::spawn_blocking(write).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::debug!(%session, %error, "files not written"),
        Err(error) => tracing::warn!(%session, %error, "writing files ended badly"),
    }
}
