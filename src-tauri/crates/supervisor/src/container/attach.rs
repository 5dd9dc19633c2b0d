//! The core's way into the container: a wire on our stdio or the direct line it offers there, until the core hangs up.

use std::io;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use mizzen_fsx::{SafeDir, Watch};
use mizzen_status::{STATUS_FILE, Status};
use mizzen_tasks::Owner;
use mizzen_wire::control::{Answer, Question, SETTLE_MAX, serve};
use mizzen_wire::{Hello, Opening, StreamKind, SupervisorReport};
use tokio::sync::{Notify, mpsc};
use tokio::time::{sleep, timeout};

use super::board::CODE_SERVER;
use super::identity::Identity;
use super::stdio::stdio;
use super::{VERSION, carrying, complain, direct_line, forward, git, places, probe, shell, sync};

/// How long shells may take to end after the core has hung up.
const FAREWELL: Duration = Duration::from_secs(3);
/// Between two looks where there are no file events.
const PAUSE: Duration = Duration::from_millis(100);
/// Largest report that fits into an answer beside the rest.
pub(crate) const REPORT_CAP: u64 = 32 * 1024;

/// Serves one core until it hangs up.
pub(crate) async fn attach(identity: Identity) -> ExitCode {
    match serve_wire(identity).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(error);
            ExitCode::FAILURE
        }
    }
}

async fn serve_wire(identity: Identity) -> Result<(), Box<dyn std::error::Error>> {
    let owner = Owner::root("attach");
    let hello = Hello::new("mizzen-supervisor", VERSION);
    let (wire, mut incoming) =
        mizzen_wire::accept(&owner, stdio()?, hello, direct_line::call).await?;
    let identity = Arc::new(identity);
    let (alive, mut all_ended) = mpsc::channel::<()>(1);
    while let Some(opening) = incoming.next().await {
        let (identity, alive) = (identity.clone(), alive.clone());
        owner.spawn("stream", async move {
            // A stream that fails is the core's to notice; there is nobody else to tell.
            let _ = serve_stream(opening, &identity).await;
            drop(alive);
        });
    }
    drop(alive);
    // Shells see the end of their streams now, and end what runs in them.
    let _ = timeout(FAREWELL, all_ended.recv()).await;
    match wire.closed().await {
        mizzen_wire::Closed::Failed(cause) => Err(cause.into()),
        mizzen_wire::Closed::ByUs | mizzen_wire::Closed::ByPeer => Ok(()),
    }
}

async fn serve_stream(opening: Opening, identity: &Identity) -> io::Result<()> {
    let request = opening.request().await?;
    match request.kind().clone() {
        StreamKind::Control => {
            let answer = async |question| match question {
                Question::Ping => Answer::Pong,
                Question::Report => Answer::Report(Box::new(report(identity))),
                Question::SettledReport => Answer::Report(Box::new(settled(identity).await)),
            };
            serve(request.accept().await?, answer).await
        }
        StreamKind::Forward(target) => forward::serve(request, &target, identity).await,
        StreamKind::Sync => sync::serve(request).await,
        StreamKind::Git(task) => git::serve(request, task, identity).await,
        StreamKind::Status => carrying::serve(request).await,
        StreamKind::Shell(spec) => shell::serve(request, spec, identity).await,
        StreamKind::Probe(probe) => probe::serve(request.accept().await?, probe).await,
    }
}

/// The first report in which code-server runs or is missing; after a while, any.
async fn settled(identity: &Identity) -> SupervisorReport {
    let hinted = Arc::new(Notify::new());
    let hint = hinted.clone();
    // A user's file watchers are soon used up by dozens of sessions, which all share that user.
    let watched = places::runtime_dir(identity.uid);
    let watch = Watch::new(watched, move || hint.notify_one());
    let hints = watch.as_ref().ok().map(|_| &*hinted);
    first_settled(hints, || report(identity)).await
}

/// Looks at each hint, or again and again where there are none.
async fn first_settled(
    hints: Option<&Notify>,
    look: impl Fn() -> SupervisorReport,
) -> SupervisorReport {
    let until_settled = async {
        loop {
            let report = look();
            match (report.services.get(CODE_SERVER).map(String::as_str), hints) {
                (Some("running" | "missing"), _) => return report,
                (_, Some(hints)) => hints.notified().await,
                (_, None) => sleep(PAUSE).await,
            }
        }
    };
    match timeout(SETTLE_MAX, until_settled).await {
        Ok(settled) => settled,
        Err(_) => look(),
    }
}

fn report(identity: &Identity) -> SupervisorReport {
    let runtime = places::runtime_dir(identity.uid);
    let workspace_problem = places::workspace_problem(Path::new(places::WORKSPACE));
    let status_json = runtime
        .as_deref()
        .and_then(|dir| own_status(dir, identity.uid));
    let status = status_json
        .as_deref()
        .and_then(|json| json.parse::<Status>().ok());
    SupervisorReport {
        version: VERSION.to_owned(),
        uid: identity.uid,
        gid: identity.gid,
        user: identity.user.clone(),
        workspace_ok: workspace_problem.is_none(),
        workspace_problem,
        services: status.map(|status| status.services).unwrap_or_default(),
        code_server_socket: runtime.as_deref().map(places::code_server_socket),
        status_json,
    }
}

/// The report that PID 1 leaves for us.
fn own_status(runtime: &Path, uid: u32) -> Option<String> {
    let dir = SafeDir::open(runtime).ok()?;
    let bytes = dir.read_regular(STATUS_FILE, REPORT_CAP, Some(uid)).ok()?;
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use tokio::sync::Notify;
    use tokio::time::Instant;

    use super::{CODE_SERVER, PAUSE, SETTLE_MAX, SupervisorReport, first_settled};

    fn says(word: &str) -> SupervisorReport {
        SupervisorReport {
            services: [(CODE_SERVER.to_owned(), word.to_owned())].into(),
            ..SupervisorReport::default()
        }
    }

    /// Says so often that it starts, and then that it runs; counts who looks.
    async fn settle(starting: u32, hints: Option<&Notify>) -> (SupervisorReport, u32) {
        let looks = Cell::new(0);
        let report = first_settled(hints, || {
            looks.set(looks.get() + 1);
            says(match looks.get() <= starting {
                true => "starting",
                false => "running",
            })
        });
        (report.await, looks.get())
    }

    #[tokio::test(start_paused = true)]
    async fn without_file_events_it_is_looked_at_again_and_again() {
        let begun = Instant::now();
        assert_eq!(settle(3, None).await, (says("running"), 4));
        assert!(begun.elapsed() < 4 * PAUSE, "{:?}", begun.elapsed());
        let (last, looks) = settle(u32::MAX, None).await;
        assert_eq!(last, says("starting"), "it has a limit");
        assert!(SETTLE_MAX.div_duration_f64(PAUSE) >= f64::from(looks - 2));
    }

    #[tokio::test(start_paused = true)]
    async fn with_them_it_is_looked_at_when_there_is_a_hint() {
        let hints = Notify::new();
        hints.notify_one();
        assert_eq!(settle(1, Some(&hints)).await, (says("running"), 2));
        assert_eq!(settle(5, Some(&hints)).await, (says("starting"), 2));
    }
}
