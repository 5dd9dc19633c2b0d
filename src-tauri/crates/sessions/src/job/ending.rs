//! What is kept of a session that is removed.

use std::fmt::Write;
use std::time::Duration;

use futures::StreamExt;
use mizzen_docker::{ContainerFact, LogOptions};

use super::Job;
use crate::archive::{self, End};
use crate::listing;

/// Lines of a container's log that are kept, and the most that they are in bytes.
const LINES: u32 = 2000;
const LOG: usize = 1 << 20;
/// How long the engine may take to tell them.
const PATIENCE: Duration = Duration::from_secs(5);

impl Job {
    /// Keeps the last report and the logs of a session that is down; nothing of that holds its removal up.
    pub(super) async fn archive(&self) {
        let end = self.end().await;
        let (state_dir, record) = (self.world.state_dir.clone(), self.record.clone());
        let kept = move || archive::keep(&state_dir, &record, end.as_ref());
        listing::in_background(&self.record.name, kept).await;
    }

    /// What the engine knows of the end; none when there is no container.
    async fn end(&self) -> Option<End> {
        let id = self.container_id()?;
        let fact = self.engine.inspect(&id).await.ok().flatten()?;
        let log = tokio::time::timeout(PATIENCE, self.log_tail(&id)).await;
        Some(End {
            words: words(&fact),
            log: log.unwrap_or_default(),
        })
    }

    async fn log_tail(&self, id: &str) -> String {
        let options = LogOptions {
            tail: Some(LINES),
            ..LogOptions::default()
        };
        let Ok(lines) = self.engine.logs(id, options).await else {
            return String::new();
        };
        let mut lines = std::pin::pin!(lines);
        let mut log = String::new();
        while let Some(Ok(line)) = lines.next().await {
            if log.len() + line.text.len() > LOG {
                log.push_str("(cut)\n");
                break;
            }
            let at = line.at.map(|at| format!("{at} ")).unwrap_or_default();
            let _ = writeln!(log, "{at}{}", line.text);
        }
        log
    }
}

/// How a container ended, for a person who looks later.
fn words(fact: &ContainerFact) -> String {
    let code = fact.exit_code.map_or_else(
        || "It did not run.".to_owned(),
        |code| format!("It ended with exit code {code}."),
    );
    let at = fact.finished_at.map(|at| format!(" At {at}."));
    let killed = if fact.oom_killed {
        " The kernel killed it for lack of memory."
    } else {
        ""
    };
    format!(
        "Container {}. {code}{}{killed}\n",
        fact.id,
        at.unwrap_or_default()
    )
}
