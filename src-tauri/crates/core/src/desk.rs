//! Where requests arrive: the one door through which clients reach everything.

use std::sync::Arc;

use futures::stream::{self, Stream};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{broadcast, mpsc, watch};
use tokio_util::sync::CancellationToken;

use crate::client::{LogLine, LogOptions, ShellSpec};
use crate::doctor::{self, DoctorReport};
use crate::settings;
use crate::store::Store;
use crate::verb::{ApiError, ErrorCode, Outcome, Verb};
use crate::view::{Change, Event, ImageView, Settings, Snapshot, VerbProgress};
use crate::world::CoreConfig;

/// Answers every request; shared by all clients.
pub(crate) struct Desk {
    pub(crate) config: CoreConfig,
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
        settings::save(&self.config.dirs.settings_file(), &settings).map_err(|error| {
            ApiError::new(
                ErrorCode::Usage,
                error.to_string(),
                "correct the value and save again",
            )
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

    pub(crate) async fn images(&self) -> Result<Vec<ImageView>, ApiError> {
        Err(no_engine())
    }

    pub(crate) async fn launch_url(
        &self,
        _session: &str,
        _port: Option<u16>,
    ) -> Result<String, ApiError> {
        Err(no_engine())
    }

    pub(crate) async fn doctor(&self) -> DoctorReport {
        doctor::examine_live(
            &self.config,
            &doctor::Live {
                engine: None,
                gateway: Err("none".into()),
            },
        )
        .await
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
    ApiError::new(
        ErrorCode::EngineUnreachable,
        "no engine answers",
        "run `mizzen doctor`",
    )
}
