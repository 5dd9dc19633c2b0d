//! Which session a person looks at: its CPU and memory use are measured meanwhile.

use tauri::AppHandle;
use tokio::sync::watch;

use crate::shell::Shell;

/// The session on screen, as the page says.
#[derive(Default)]
pub(crate) struct Looking {
    session: watch::Sender<Option<String>>,
}

impl Looking {
    pub(crate) fn set(&self, session: Option<String>) {
        self.session.send_if_modified(|old| {
            let changed = *old != session;
            *old = session;
            changed
        });
    }

    pub(crate) fn session(&self) -> Option<String> {
        self.session.borrow().clone()
    }
}

/// Holds the core's look at that session, anew after every reconnection.
pub(crate) async fn keep(app: AppHandle) {
    let shell = Shell::of(&app);
    let mut session = shell.looking.session.subscribe();
    let mut clients = shell.clients();
    loop {
        let wanted = session.borrow_and_update().clone();
        let client = clients.borrow_and_update().clone();
        let look = match (client, wanted) {
            (Some(client), Some(session)) => client.look(&session).await.ok(),
            _ => None,
        };
        tokio::select! {
            Ok(()) = session.changed() => {}
            Ok(()) = clients.changed() => {}
            else => return,
        }
        drop(look);
    }
}
