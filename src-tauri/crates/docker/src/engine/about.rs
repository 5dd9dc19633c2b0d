//! Who an engine is, and what speaks against it.

use bollard::models::SystemVersion;

use super::{Engine, EngineInfo, known};
use crate::deadline::{QUICK, call};
use crate::{DockerError, Endpoint};

/// Asks an engine who it is.
pub(super) async fn info(engine: &Engine) -> Result<EngineInfo, DockerError> {
    const OP: &str = "reach the engine";
    // The way there has still to be opened, and is opened twice: events will have one of them for themselves.
    let limit = engine.transport().opens_within() + QUICK;
    let docker = engine.docker();
    let version = call(OP, limit, docker.version());
    let (version, info) = tokio::try_join!(version, call(OP, limit, docker.info()))?;
    Ok(EngineInfo {
        id: id(info.id, &version),
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

/// Longest name that an engine may have for itself.
const ID_CAP: usize = 256;

/// What an engine calls itself, where that can be believed: Podman makes a new name up for each answer.
fn id(told: Option<String>, version: &SystemVersion) -> Option<String> {
    let parts = version.components.as_deref().unwrap_or_default();
    let invents = parts.iter().any(|part| part.name == "Podman Engine");
    told.filter(|id| !invents && !id.is_empty() && id.len() <= ID_CAP)
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
    if endpoint.is_exposed() {
        let exposed = "all that is said to it goes over the network in the clear: who is on the way can read it, and be \
                       root there; give it TLS, or reach it by ssh";
        warnings.insert(0, exposed.to_owned());
    }
    warnings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_engine_is_known_by_the_id_that_it_keeps() {
        let docker = r#"{"Components":[{"Name":"Engine","Version":"28.0.0"}]}"#;
        let podman = r#"{"Components":[{"Name":"Podman Engine","Version":"5.0.0"}]}"#;
        let long = "x".repeat(ID_CAP + 1);
        for (version, told, known) in [
            (docker, Some("ABCD:EFGH"), Some("ABCD:EFGH")),
            (docker, Some(""), None),
            (docker, Some(long.as_str()), None),
            (docker, None, None),
            (podman, Some("1a0c"), None),
        ] {
            let version = serde_json::from_str(version).expect("a version");
            assert_eq!(id(told.map(str::to_owned), &version).as_deref(), known);
        }
    }
}
