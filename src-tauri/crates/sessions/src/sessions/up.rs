//! `up`: which session a folder means, and making one when it means none.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use mizzen_docker::Engine;
use tokio::sync::oneshot;

use super::{Sessions, UpRequest, ask};
use crate::actor::{Actor, Asked, Changes, Handle};
use crate::error::{ErrorKind, SessionError};
use crate::fact::{Done, OnProgress, SessionFact};
use crate::folder::{self, Folder};
use crate::limits::Limits;
use crate::machine::{Phase, Wanted, Wish};
use crate::name::SessionName;
use crate::record::{Intent, Record};
use crate::workspace::WorkspaceKind;

/// Processes that a session may have.
const PIDS: u32 = 512;

/// Which session is meant.
#[derive(Debug, PartialEq)]
enum Meant {
    /// One that there is.
    Existing(Arc<SessionFact>),
    /// One that has to be made, under this name.
    New(SessionName),
}

impl Sessions {
    /// Brings a folder's session up, made when there is none.
    ///
    /// The work goes on when the caller drops the future; a second call joins it.
    pub async fn up(
        &self,
        request: UpRequest,
        on_progress: OnProgress,
    ) -> Result<Done, SessionError> {
        loop {
            let answer = match self.meant(&request)? {
                Meant::Existing(fact) => {
                    let handle = self.handle(&fact.name.key()).await?;
                    ask(
                        &handle,
                        Wish::Start,
                        Some(changes(&request)),
                        on_progress.clone(),
                    )
                    .await
                }
                Meant::New(name) => self.create(name, &request, on_progress.clone()).await?,
            };
            if let Some(answer) = answer {
                return answer;
            }
            // RACE: the session was removed while it was asked, or somebody else makes it. What is meant may be another now.
            if self.inner.owner.stopping().is_cancelled() {
                return Err(SessionError::shutting_down());
            }
            tokio::task::yield_now().await;
        }
    }

    fn meant(&self, request: &UpRequest) -> Result<Meant, SessionError> {
        let name = request
            .name
            .as_deref()
            .map(SessionName::parse)
            .transpose()?;
        let facts = self.world().facts.borrow().clone();
        let all: Vec<&Arc<SessionFact>> = facts.values().collect();
        let meant = which(&all, &real(&request.dir), name)?;
        if let (Meant::Existing(fact), Some(engine)) = (&meant, &request.engine)
            && *engine != fact.engine
        {
            let message = format!(
                "Session `{}` lives on the engine `{}`, not on `{engine}`.",
                fact.name, fact.engine
            );
            return Err(refuse(
                message,
                "Leave the engine out, or give another name.",
            ));
        }
        if let (Meant::Existing(fact), Some(kind)) = (&meant, request.workspace)
            && kind != fact.workspace
        {
            let (name, word) = (&fact.name, fact.workspace.word());
            let message = format!("Session `{name}` has a workspace of kind `{word}`.");
            let hint = "Leave the kind out, or give another name: a session keeps the kind it was made with.";
            return Err(refuse(message, hint));
        }
        Ok(meant)
    }

    /// Makes a session; none when somebody else began to make it, or when it ended before it answered.
    async fn create(
        &self,
        name: SessionName,
        request: &UpRequest,
        on_progress: OnProgress,
    ) -> Result<Option<Result<Done, SessionError>>, SessionError> {
        let folder = folder::inspect(&request.dir, &self.world().off_limits())?;
        let engine = self.engine(request.engine.as_deref()).await?;
        let record = self.new_record(name, folder, &engine, request)?;
        let (reply, answer) = oneshot::channel();
        let key = record.name.key();
        let mut handles = self.inner.handles.lock().await;
        match handles.get(&key) {
            None => {}
            Some(None) => return Err(SessionError::being_forgotten(&key)),
            // RACE: somebody began to make it since we looked, maybe for another folder. What is meant is seen once it is
            // shown, which is the first that its actor does.
            Some(Some(_)) => return Ok(None),
        }
        let asked = Asked {
            wish: Wish::Start,
            changes: None,
            on_progress,
            reply,
        };
        let handle = self.host_new(record, engine, asked);
        handles.insert(key, Some(handle));
        drop(handles);
        Ok(answer.await.ok())
    }

    fn host_new(&self, record: Record, engine: Engine, asked: Asked) -> Handle {
        let key = record.name.key();
        let (actor, handle) =
            Actor::of(self.inner.world.clone(), &self.inner.owner, engine, record);
        self.host(key, &handle, actor.create(asked));
        handle
    }

    fn new_record(
        &self,
        name: SessionName,
        folder: Folder,
        engine: &Engine,
        request: &UpRequest,
    ) -> Result<Record, SessionError> {
        let settings = self.world().settings.borrow().clone();
        let limits = Limits {
            memory_bytes: request.memory_bytes.unwrap_or(settings.memory_bytes),
            cpus: request.cpus.unwrap_or(settings.cpus),
            pids: PIDS,
        };
        limits
            .check()
            .map_err(|error| error.in_phase(Phase::Check))?;
        let workspace = request.workspace.unwrap_or(WorkspaceKind::NEW);
        self.world().check_workspace(engine, workspace)?;
        Ok(Record {
            name,
            project: folder.path,
            engine: engine.name().to_owned(),
            engine_id: None,
            created_at: self.world().now(),
            user: folder.user,
            limits,
            workspace,
            branch: None,
            history_is_due: false,
            only_there: None,
            requested_image: request.image.clone().or(settings.image),
            image: String::new(),
            wanted: Wanted::Up,
            // In memory only: it is on disk before the engine hears of anything.
            intent: Some(Intent::Create {
                new_volumes: Vec::new(),
            }),
            container: None,
        })
    }
}

/// Decides which session a folder and, when given, a name mean.
fn which(
    all: &[&Arc<SessionFact>],
    dir: &Path,
    name: Option<SessionName>,
) -> Result<Meant, SessionError> {
    let of_folder: Vec<_> = all.iter().filter(|fact| fact.project == dir).collect();
    let name = match (name, of_folder.as_slice()) {
        (Some(name), _) => name,
        (None, [only]) => return Ok(Meant::Existing(Arc::clone(only))),
        (None, []) => SessionName::for_folder(dir)?,
        (None, several) => {
            let names: Vec<&str> = several.iter().map(|fact| fact.name.as_str()).collect();
            let message = format!(
                "`{}` has several sessions: {}.",
                dir.display(),
                names.join(", ")
            );
            return Err(refuse(message, "Say which one with --name."));
        }
    };
    match all.iter().find(|fact| fact.name.key() == name.key()) {
        None => Ok(Meant::New(name)),
        Some(fact) if fact.project == dir => Ok(Meant::Existing(Arc::clone(fact))),
        Some(fact) => {
            let message = format!(
                "There is a session `{}` already, of `{}`.",
                fact.name,
                fact.project.display()
            );
            Err(refuse(message, "Give another name with --name."))
        }
    }
}

fn refuse(message: String, hint: &str) -> SessionError {
    SessionError::new(ErrorKind::State, message, hint).in_phase(Phase::Check)
}

/// A folder's real path; one that is gone may still be a session's.
fn real(dir: &Path) -> PathBuf {
    dir.canonicalize().unwrap_or_else(|_| dir.to_owned())
}

fn changes(request: &UpRequest) -> Changes {
    Changes {
        image: request.image.clone(),
        memory_bytes: request.memory_bytes,
        cpus: request.cpus,
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::Arc;

    use expect_test::{Expect, expect};

    use super::{Meant, which};
    use crate::fact::SessionFact;
    use crate::name::SessionName;
    use crate::record::tests::record;

    fn fact(name: &str, project: &str) -> Arc<SessionFact> {
        let mut record = record(name);
        record.project = project.into();
        Arc::new(SessionFact::of(&record))
    }

    fn check(what: &str, dir: &str, name: Option<&str>, expected: Expect) {
        let all = [
            fact("web", "/srv/web"),
            fact("Two-a", "/srv/two"),
            fact("two-b", "/srv/two"),
        ];
        let all: Vec<_> = all.iter().collect();
        let name = name.map(|name| SessionName::parse(name).unwrap());
        let said = match which(&all, Path::new(dir), name) {
            Ok(Meant::Existing(fact)) => format!("existing {}", fact.name),
            Ok(Meant::New(name)) => format!("new {name}"),
            Err(error) => format!("{:?}: {} {}", error.kind, error.message, error.hint),
        };
        expected.assert_eq(&format!("{what}: {said}"));
    }

    #[test]
    fn a_folder_and_a_name_mean_one_session_or_are_refused() {
        check(
            "its only session",
            "/srv/web",
            None,
            expect!["its only session: existing web"],
        );
        check(
            "a new folder",
            "/srv/api",
            None,
            expect!["a new folder: new api"],
        );
        check(
            "a second session",
            "/srv/web",
            Some("fix"),
            expect!["a second session: new fix"],
        );
        check(
            "one of two",
            "/srv/two",
            Some("two-b"),
            expect!["one of two: existing two-b"],
        );
        check(
            "which of two",
            "/srv/two",
            None,
            expect![
                "which of two: State: `/srv/two` has several sessions: Two-a, two-b. Say which one with --name."
            ],
        );
        check(
            "a name of another's",
            "/srv/api",
            Some("web"),
            expect![
                "a name of another's: State: There is a session `web` already, of `/srv/web`. Give another name with --name."
            ],
        );
        check(
            "a folder called like another's session",
            "/other/web",
            None,
            expect![
                "a folder called like another's session: State: There is a session `web` already, of `/srv/web`. Give another name with --name."
            ],
        );
    }

    /// As they would be on a disk that takes them for one.
    #[test]
    fn row_29_names_that_differ_in_case_alone_are_one() {
        check(
            "of the same folder",
            "/srv/two",
            Some("TWO-A"),
            expect!["of the same folder: existing Two-a"],
        );
        check(
            "of another folder",
            "/srv/api",
            Some("Web"),
            expect![
                "of another folder: State: There is a session `web` already, of `/srv/web`. Give another name with --name."
            ],
        );
    }
}
