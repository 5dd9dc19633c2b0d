//! What a click in the tray or on a toast does.

use mizzen_core::menu::{Action, Navigate};
use mizzen_core::toast::Toast;
use mizzen_core::verb::{ApiError, Verb};
use tauri::AppHandle;

use crate::shell::Shell;
use crate::{browser, login, windows};

pub(crate) fn act(app: &AppHandle, action: Action) {
    let shell = Shell::of(app);
    match action {
        Action::Show(place) => windows::show(app, Some(place)),
        Action::Quit => shell.quit(app),
        Action::SetStartAtLogin(on) => {
            if let Err(error) = login::set(app, on) {
                report(app, None, &error);
            }
        }
        Action::Run(verb) => {
            let subject = subject(&verb).map(str::to_owned);
            let client = shell.client();
            in_background(app, "verb", subject, async move {
                client?.run(verb).await.map(drop)
            });
        }
        Action::OpenCodeServer { session } => {
            let (handle, subject) = (app.clone(), Some(session.clone()));
            in_background(app, "open", subject, async move {
                browser::open(&handle, &session, None).await
            });
        }
    }
}

/// Carries out what a click asked for; its failure is told, because no window is there to show it.
fn in_background(
    app: &AppHandle,
    name: &str,
    subject: Option<String>,
    work: impl Future<Output = Result<(), ApiError>> + Send + 'static,
) {
    let handle = app.clone();
    Shell::of(app).tasks.spawn(name, async move {
        if let Err(error) = work.await {
            report(&handle, subject.as_deref(), &error);
        }
    });
}

fn report(app: &AppHandle, session: Option<&str>, error: &ApiError) {
    tracing::warn!(session, problem = %error, hint = error.hint, "refused");
    let shell = Shell::of(app);
    if shell
        .snapshot()
        .is_none_or(|snapshot| snapshot.settings.notifications)
    {
        shell.toasts.show(Toast::of_refusal(session, error));
    } else if let Some(session) = session {
        windows::show(app, Some(Navigate::to_session(session)));
    }
}

fn subject(verb: &Verb) -> Option<&str> {
    match verb {
        Verb::Start(it)
        | Verb::Stop(it)
        | Verb::Pause(it)
        | Verb::Resume(it)
        | Verb::Restart(it)
        | Verb::SyncPause(it)
        | Verb::SyncResume(it)
        | Verb::GitFetch(it) => Some(&it.session),
        Verb::SyncFlush(it) => Some(&it.session),
        Verb::Remove(it) => Some(&it.session),
        Verb::Exec(it) => Some(&it.session),
        Verb::CancelCommand(it) => Some(&it.session),
        Verb::Up(_)
        | Verb::BuildImage { .. }
        | Verb::PruneImages { .. }
        | Verb::RetryEngine { .. }
        | Verb::DismissAlert { .. }
        | Verb::SaveSettings { .. } => None,
    }
}
