//! Who an engine is, and what speaks against it.

use bollard::models::SystemVersion;

use super::{Engine, EngineInfo, known};
use crate::deadline::{QUICK, call};
use crate::{DockerError, Endpoint};

/// Asks an engine who it is.
pub(super) async fn info(engine: &Engine) -> Result<EngineInfo, DockerError> {
    const OP: &str = "reach the engine";
    engine.transport().reach(OP).await?;
    let version = call(OP, QUICK, engine.docker().version()).await?;
    let info = call(OP, QUICK, engine.docker().info()).await?;
    Ok(EngineInfo {
        warnings: warnings(&engine.endpoint(), &version),
        version: version.version.unwrap_or_default(),
        api_version: version.api_version.unwrap_or_default(),
        os: version.os.unwrap_or_default(),
        arch: version.arch.unwrap_or_default(),
        cpus: info.ncpu.and_then(|n| u32::try_from(n).ok()).unwrap_or(0),
        memory_bytes: info
            .mem_total
            .and_then(|n| u64::try_from(n).ok())
            .unwrap_or(0),
        rootless: info
            .security_options
            .unwrap_or_default()
            .iter()
            .any(|o| o == "name=rootless"),
    })
}

/// What speaks against an engine that answers.
fn warnings(endpoint: &Endpoint, version: &SystemVersion) -> Vec<String> {
    let components = version.components.as_deref().unwrap_or_default();
    let part = |name: &str| {
        let found = components.iter().find(|part| part.name == name);
        found.map_or("", |part| part.version.as_str())
    };
    let mut warnings = known::problems(known::Versions {
        engine: version.version.as_deref().unwrap_or_default(),
        platform: version
            .platform
            .as_ref()
            .map_or("", |part| part.name.as_str()),
        containerd: part("containerd"),
        runc: part("runc"),
    });
    if let Endpoint::Tls { tls, .. } = endpoint
        && tls.skips_verification()
    {
        let unchecked = "whoever answers is believed to be this engine: its context says SkipTLSVerify; \
                         give the context the engine's ca.pem instead";
        warnings.insert(0, unchecked.to_owned());
    }
    warnings
}
