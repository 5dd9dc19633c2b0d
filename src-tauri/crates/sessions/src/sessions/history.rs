//! What was committed in a session, fetched on demand.

use super::Sessions;
use crate::error::{ErrorKind, SessionError};
use crate::fact::Done;
use crate::git::{self, Place, Way};
use crate::workspace::WorkspaceKind;

impl Sessions {
    /// Fetches what was committed in a synced session into `refs/mizzen/` of the project's repository.
    ///
    /// # Errors
    /// There is nothing to fetch from or into, or not all of it could be fetched.
    pub async fn fetch_history(&self, name: &str) -> Result<Done, SessionError> {
        let fact = self.fact(name)?;
        let session = &fact.name;
        let refused =
            |message: String, hint: &str| Err(SessionError::new(ErrorKind::State, message, hint));
        if fact.workspace == WorkspaceKind::Bind {
            let message =
                format!("The folder of session `{session}` is mounted: its commits are there.");
            return refused(message, "See `git log` in the folder.");
        }
        let user = crate::folder::inspect(&fact.project, &self.world().off_limits())?.user;
        let place = Place {
            session: session.clone(),
            folder: fact.project.clone(),
            user,
            home: self.world().home.clone(),
            now: self.world().now(),
        };
        if !place.has_repository() {
            let message = format!(
                "{} is not the top of a git repository.",
                fact.project.display()
            );
            return refused(message, "Make it one: git init");
        }
        let wire = self.wire(name).await?;
        let way = Way {
            place: &place,
            wire: &wire,
        };
        let taken = git::take(way).await?;
        let said = taken.said();
        if let (false, Some(said)) = (taken.refused.is_empty(), &said) {
            let hint = "Give it another name in the session.";
            return Err(SessionError::new(ErrorKind::Failed, said, hint));
        }
        Ok(Done {
            message: said.unwrap_or_else(|| format!("Session `{session}` has no new commits.")),
            name: session.clone(),
            session: Some(fact),
        })
    }
}
