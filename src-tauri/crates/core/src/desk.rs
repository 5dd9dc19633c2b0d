//! Where requests arrive: the one door through which clients reach everything.

use std::sync::Arc;

use futures::stream::{self, Stream};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{broadcast, mpsc, watch};
use tokio_util::sync::CancellationToken;

use crate::client::{LogLine, LogOptions, ShellSpec};
use crate::dirs::Dirs;
use crate::doctor::DoctorReport;
use crate::settings;
use crate::store::Store;
use crate::verb::{ApiError, ErrorCode, Outcome, Verb};
use crate::view::{Change, Event, Settings, Snapshot, VerbProgress};

/// Answers every request; shared by all clients.
pub(crate) struct Desk {
    pub(crate) dirs: Dirs,
    pub(crate) store: Arc<Store>,
    pub(crate) settings: watch::Sender<Settings>,
    pub(crate) stop: CancellationToken,
}

/// Somebody looks at a session.
pub(crate) struct Looking;

impl Desk {
    pub(crate) fn snapshot(&self) -> Snapshot {
        self.store.snapshot()
    }

    pub(crate) fn follow(&self) -> (Snapshot, broadcast::Receiver<Arc<Event>>) {
        self.store.follow()
    }

    pub(crate) fn ask_to_stop(&self) {
        self.stop.cancel();
    }

    pub(crate) async fn run(
        &self,
        verb: Verb,
        _progress: mpsc::Sender<VerbProgress>,
    ) -> Result<Outcome, ApiError> {
        match verb {
            Verb::SaveSettings { settings } => self.save_settings(settings),
            _ => Err(no_engine()),
        }
    }

    fn save_settings(&self, settings: Settings) -> Result<Outcome, ApiError> {
        settings::save(&self.dirs.settings_file(), &settings).map_err(|error| ApiError {
            code: ErrorCode::Usage,
            message: error.to_string(),
            hint: "correct the value and save again".to_owned(),
        })?;
        if self
            .settings
            .send_if_modified(|old| std::mem::replace(old, settings.clone()) != settings)
        {
            self.store.publish([Change::Settings { settings }]);
        }
        Ok(Outcome {
            message: "Settings saved.".to_owned(),
            session: None,
        })
    }

    pub(crate) async fn logs(
        &self,
        _session: &str,
        _options: LogOptions,
    ) -> Result<impl Stream<Item = Result<LogLine, ApiError>> + Unpin + use<>, ApiError> {
        Err::<stream::Empty<_>, _>(no_engine())
    }

    pub(crate) fn launch_url(
        &self,
        _session: &str,
        _port: Option<u16>,
    ) -> Result<String, ApiError> {
        Err(no_engine())
    }

    pub(crate) async fn doctor(&self) -> DoctorReport {
        DoctorReport { checks: Vec::new() }
    }

    pub(crate) fn look(&self, _session: &str) -> Result<Looking, ApiError> {
        Ok(Looking)
    }

    pub(crate) async fn shell(
        &self,
        _session: &str,
        _spec: ShellSpec,
    ) -> Result<impl AsyncRead + AsyncWrite + Send + Unpin + use<>, ApiError> {
        Err::<tokio::io::DuplexStream, _>(no_engine())
    }
}

fn no_engine() -> ApiError {
    ApiError {
        code: ErrorCode::EngineUnreachable,
        message: "no engine answers".to_owned(),
        hint: "run `mizzen doctor`".to_owned(),
    }
}
