//! Looks for what is missing, and names its fix.

mod checks;
mod report;
#[cfg(target_os = "linux")]
mod watchers;

use std::time::Duration;

use mizzen_contexts::SelectError;
use mizzen_docker::{Engine, Link};
use mizzen_tasks::Owner;

use crate::engines;
use crate::translate::EngineIdentity;
use crate::world::CoreConfig;

pub use report::{CheckState, DoctorCheck, DoctorReport};

/// An engine that accepts and never answers is told after this time.
const ENGINE_DEADLINE: Duration = Duration::from_secs(6);

/// What an engine that does not answer is taken for: one on a machine like this.
const OWN_ARCH: &str = if cfg!(target_arch = "aarch64") {
    "arm64"
} else {
    "amd64"
};

/// Containers of any core: a doctor looks at none.
const LABEL: [&str; 2] = ["dev.mizzen.app", "mizzen"];

/// What a running core knows that a look from outside does not.
pub(crate) struct Live {
    /// All in use.
    pub(crate) engines: Vec<Engine>,
    pub(crate) gateway: Result<u16, String>,
}

/// Looks at everything without a running core.
pub async fn examine(config: &CoreConfig) -> DoctorReport {
    let owner = Owner::root("doctor");
    let selected = engines::selected(config);
    let engine = selected
        .as_ref()
        .ok()
        .map(|identity| engines::spawn(&owner, identity, LABEL.map(str::to_owned).into()));
    let (engine, _events) = engine.unzip();
    let engines: Vec<Engine> = engine.into_iter().collect();
    report(config, &selected, &engines, None).await
}

/// Looks at everything from within the core.
pub(crate) async fn examine_live(config: &CoreConfig, live: &Live) -> DoctorReport {
    let selected = engines::selected(config);
    report(config, &selected, &live.engines, Some(&live.gateway)).await
}

async fn report(
    config: &CoreConfig,
    selected: &Result<EngineIdentity, SelectError>,
    engines: &[Engine],
    gateway: Option<&Result<u16, String>>,
) -> DoctorReport {
    let links = futures::future::join_all(engines.iter().map(settled)).await;
    let mut found = engines.iter().zip(links).collect::<Vec<_>>();
    let is_selected = |(engine, _): &(&Engine, Link)| {
        selected
            .as_ref()
            .is_ok_and(|identity| identity.name == engine.name())
    };
    let own = found.iter().position(is_selected);
    let (engine, link) = own.map(|place| found.remove(place)).unzip();
    let arch = match &link {
        Some(Link::Online(info)) => info.arch.as_str(),
        Some(Link::Connecting | Link::Offline(_)) | None => OWN_ARCH,
    };
    let supervisor = engines::supervisors(config).for_arch(arch);
    let mut checks = vec![checks::engine(selected, link.as_ref())];
    checks.extend(
        found
            .iter()
            .map(|(engine, link)| checks::other_engine(engine, link)),
    );
    checks.push(checks::supervisor(&supervisor));
    if let (Some(engine), Some(Link::Online(_))) = (engine, &link) {
        checks.push(checks::image(config, engine, &supervisor).await);
    }
    checks.extend([
        checks::directories(&config.dirs),
        checks::settings(&config.dirs),
        checks::gateway(config, gateway).await,
        checks::localhost_names().await,
        checks::disk(&config.dirs.state),
        #[cfg(target_os = "linux")]
        watchers::look(),
        checks::display(config),
        checks::log(&config.dirs, gateway.is_some()),
    ]);
    DoctorReport { checks }
}

/// Waits for the first attempt to connect.
async fn settled(engine: &Engine) -> Link {
    let mut link = engine.link();
    let decided = link.wait_for(|link| *link != Link::Connecting);
    match tokio::time::timeout(ENGINE_DEADLINE, decided).await {
        Ok(Ok(link)) => link.clone(),
        Ok(Err(_)) | Err(_) => Link::Connecting,
    }
}
