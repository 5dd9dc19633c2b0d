//! What the page may ask; thin, one command per wish.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};

use mizzen_core::verb::{ApiError, Outcome, Verb};
use mizzen_core::view::{
    ContextsAnswer, ContextsQuestion, EngineChoice, Snapshot, SyncAnswer, SyncQuestion,
};
use mizzen_core::{
    DoctorReport, LineStream, LogLine, LogOptions, OutputOptions, OutputSaid, OutputStream,
    OutputText,
};
use mizzen_tasks::Task;
use tauri::ipc::{Channel, Invoke};
use tauri::{AppHandle, State, Wry};
use tauri_plugin_dialog::DialogExt;
use tokio::sync::oneshot;

use crate::shell::Shell;
use crate::{browser, login, windows};

pub(crate) fn handler() -> impl Fn(Invoke<Wry>) -> bool + Send + Sync + 'static {
    tauri::generate_handler![
        ui_ready,
        snapshot,
        run_verb,
        ask_sync,
        ask_contexts,
        engines,
        open_session,
        doctor,
        follow_logs,
        follow_output,
        stop_logs,
        look,
        pick_folder,
        start_at_login,
        set_start_at_login,
    ]
}

#[tauri::command]
fn ui_ready(app: AppHandle) {
    windows::page_ready(&app);
}

/// From the board, not from the core: never older than an event that the page was sent.
#[tauri::command]
async fn snapshot(shell: State<'_, Shell>) -> Result<Snapshot, ApiError> {
    match shell.snapshot() {
        Some(snapshot) => Ok((*snapshot).clone()),
        None => shell.client()?.snapshot().await,
    }
}

#[tauri::command]
async fn run_verb(shell: State<'_, Shell>, verb: Verb) -> Result<Outcome, ApiError> {
    shell.client()?.run(verb).await
}

#[tauri::command]
async fn ask_sync(
    shell: State<'_, Shell>,
    session: String,
    question: SyncQuestion,
) -> Result<SyncAnswer, ApiError> {
    shell.client()?.ask_sync(&session, question).await
}

#[tauri::command]
async fn ask_contexts(
    shell: State<'_, Shell>,
    question: ContextsQuestion,
) -> Result<ContextsAnswer, ApiError> {
    shell.client()?.ask_contexts(question).await
}

#[tauri::command]
async fn engines(shell: State<'_, Shell>) -> Result<Vec<EngineChoice>, ApiError> {
    shell.client()?.engines().await
}

#[tauri::command]
async fn open_session(app: AppHandle, session: String, port: Option<u16>) -> Result<(), ApiError> {
    browser::open(&app, &session, port).await
}

#[tauri::command]
async fn doctor(shell: State<'_, Shell>) -> Result<DoctorReport, ApiError> {
    shell.client()?.doctor().await
}

#[tauri::command]
fn look(shell: State<'_, Shell>, session: Option<String>) {
    shell.looking.set(session);
}

#[tauri::command]
async fn pick_folder(app: AppHandle) -> Option<String> {
    let (chosen, choice) = oneshot::channel();
    app.dialog()
        .file()
        .set_title("Project folder")
        .pick_folder(move |folder| {
            let _ = chosen.send(folder);
        });
    let folder = choice.await.ok()??;
    Some(folder.into_path().ok()?.to_string_lossy().into_owned())
}

#[tauri::command]
fn start_at_login(app: AppHandle) -> bool {
    login::is_on(&app)
}

#[tauri::command]
fn set_start_at_login(app: AppHandle, on: bool) -> Result<(), ApiError> {
    login::set(&app, on)
}

/// Logs that the page follows; they end with it.
#[derive(Default)]
pub(crate) struct LogFollowers {
    last: AtomicU32,
    tasks: Mutex<HashMap<u32, Task>>,
}

impl LogFollowers {
    fn tasks(&self) -> std::sync::MutexGuard<'_, HashMap<u32, Task>> {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn stop_all(&self) {
        self.tasks().clear();
    }
}

/// Lines of the log that the page gets at first.
const TAIL: u32 = 500;
/// At most so many lines in one message to the page.
const BATCH: usize = 256;

#[tauri::command]
async fn follow_logs(
    shell: State<'_, Shell>,
    session: String,
    channel: Channel<Vec<LogLine>>,
) -> Result<u32, ApiError> {
    let options = LogOptions {
        tail: Some(TAIL),
        follow: true,
    };
    let lines = shell.client()?.logs(&session, options).await?;
    Ok(follow(&shell, &session, pass_on(lines, channel)))
}

/// What a command of a session says, as lines of a log.
#[tauri::command]
async fn follow_output(
    shell: State<'_, Shell>,
    session: String,
    id: String,
    channel: Channel<Vec<LogLine>>,
) -> Result<u32, ApiError> {
    let options = OutputOptions {
        id,
        from: 0,
        follow: true,
    };
    let said = shell.client()?.output(&session, options).await?;
    Ok(follow(&shell, &session, pass_output_on(said, channel)))
}

fn follow(shell: &Shell, session: &str, pass_on: impl Future<Output = ()> + Send + 'static) -> u32 {
    let follower = shell.followers.last.fetch_add(1, Ordering::Relaxed);
    let task = shell.tasks.spawn_held(&format!("logs:{session}"), pass_on);
    shell.followers.tasks().insert(follower, task);
    follower
}

#[tauri::command]
fn stop_logs(shell: State<'_, Shell>, follower: u32) {
    shell.followers.tasks().remove(&follower);
}

/// Sends lines in batches: as many as have come by the time the page took the last ones.
async fn pass_on(mut lines: LineStream, channel: Channel<Vec<LogLine>>) {
    while let Ok(Some(first)) = lines.next().await {
        let mut batch = vec![first];
        while batch.len() < BATCH {
            match futures::FutureExt::now_or_never(lines.next()) {
                Some(Ok(Some(line))) => batch.push(line),
                _ => break,
            }
        }
        if channel.send(batch).is_err() {
            return;
        }
    }
}

/// Longest line that is waited for.
const LINE_MAX: usize = 64 * 1024;

/// Sends the lines of each piece. A line that is not at its end waits for it, or for the end of all.
async fn pass_output_on(mut said: OutputStream, channel: Channel<Vec<LogLine>>) {
    let mut text = OutputText::default();
    let mut begun = String::new();
    while let Ok(OutputSaid::Bytes(bytes)) = said.next().await {
        begun.push_str(&text.take(&bytes));
        let ends = begun.rfind('\n').map(|end| end + 1);
        // A line without an end is cut.
        let whole = ends.unwrap_or(if begun.len() > LINE_MAX {
            begun.len()
        } else {
            0
        });
        let rest = begun.split_off(whole);
        let lines = std::mem::replace(&mut begun, rest);
        if !lines.is_empty() && channel.send(lines.lines().map(line).collect()).is_err() {
            return;
        }
    }
    if !begun.is_empty() {
        // The page may be gone: then nobody wants the last line.
        let _gone = channel.send(vec![line(&begun)]);
    }
}

fn line(text: &str) -> LogLine {
    LogLine {
        at: None,
        is_error: false,
        text: text.to_owned(),
    }
}
