//! The request that makes a container: one pure function, and the only place that knows its shape.
//!
//! The defaults follow the CIS Docker Benchmark, section 5 (no host network, limits, no new
//! privileges, a process limit, no published ports).

use std::collections::HashMap;
use std::path::Path;

use bollard::models;

use crate::spec::{ContainerSpec, Limits, Mount, SpecError, Tmpfs};

/// Smallest memory limit that engines accept.
const MIN_MEMORY: u64 = 6 << 20;

/// Builds the body of the create request.
pub(crate) fn create_body(spec: &ContainerSpec) -> Result<models::ContainerCreateBody, SpecError> {
    Ok(models::ContainerCreateBody {
        image: Some(spec.image.clone()),
        user: Some(format!("{}:{}", spec.user.uid(), spec.user.gid())),
        labels: Some(spec.labels.clone().into_iter().collect()),
        env: Some(environment(spec)?),
        entrypoint: spec.entrypoint.clone(),
        cmd: spec.command.clone(),
        working_dir: spec.working_dir.clone(),
        hostname: spec.hostname.clone(),
        stop_timeout: spec.stop_timeout.map(|limit| limit.as_secs() as i64),
        // A terminal would mix frames and output on the log stream; the supervisor owns terminals.
        tty: Some(false),
        open_stdin: Some(false),
        host_config: Some(host_config(spec)?),
        ..Default::default()
    })
}

fn host_config(spec: &ContainerSpec) -> Result<models::HostConfig, SpecError> {
    let limits = checked(spec.limits)?;
    Ok(models::HostConfig {
        privileged: Some(false),
        cap_drop: Some(vec!["ALL".to_owned()]),
        security_opt: Some(vec!["no-new-privileges".to_owned()]),
        readonly_rootfs: Some(spec.read_only_root),
        ipc_mode: Some("private".to_owned()),
        // The supervisor is process 1 and reaps.
        init: Some(false),
        pids_limit: Some(i64::from(limits.pids)),
        memory: Some(limits.memory_bytes as i64),
        memory_swap: Some(limits.memory_bytes as i64),
        nano_cpus: Some((limits.cpus * 1e9).round() as i64),
        ulimits: Some(vec![ulimit("nofile", 8192), ulimit("core", 0)]),
        restart_policy: Some(models::RestartPolicy {
            name: Some(models::RestartPolicyNameEnum::NO),
            maximum_retry_count: None,
        }),
        log_config: Some(log_config()),
        network_mode: Some(spec.network.clone().unwrap_or_else(|| "none".to_owned())),
        publish_all_ports: Some(false),
        mounts: Some(spec.mounts.iter().map(mount).collect::<Result<_, _>>()?),
        tmpfs: Some(spec.tmpfs.iter().map(tmpfs).collect::<Result<_, _>>()?),
        ..Default::default()
    })
}

fn checked(limits: Limits) -> Result<Limits, SpecError> {
    if limits.memory_bytes < MIN_MEMORY || limits.memory_bytes > i64::MAX as u64 {
        return Err(SpecError::Limit("memory"));
    }
    if !(0.01..=10_000.0).contains(&limits.cpus) {
        return Err(SpecError::Limit("processor"));
    }
    // 0 means "unlimited" to the engine.
    if limits.pids == 0 {
        Err(SpecError::Limit("process"))
    } else {
        Ok(limits)
    }
}

fn environment(spec: &ContainerSpec) -> Result<Vec<String>, SpecError> {
    spec.env
        .iter()
        .map(|(name, value)| {
            let usable = !name.is_empty() && !name.contains(['=', '\0']) && !value.contains('\0');
            if usable {
                Ok(format!("{name}={value}"))
            } else {
                Err(SpecError::EnvName(name.clone()))
            }
        })
        .collect()
}

fn ulimit(name: &str, value: i64) -> models::ResourcesUlimits {
    models::ResourcesUlimits {
        name: Some(name.to_owned()),
        soft: Some(value),
        hard: Some(value),
    }
}

/// `local` keeps a flood of output within 30 MB on disk; the engine's default keeps all of it.
fn log_config() -> models::HostConfigLogConfig {
    let options = [("max-size", "10m"), ("max-file", "3")];
    models::HostConfigLogConfig {
        typ: Some("local".to_owned()),
        config: Some(
            options
                .map(|(key, value)| (key.to_owned(), value.to_owned()))
                .into(),
        ),
    }
}

/// Describes a mount by the API's `Mounts`.
///
/// Never by its `Binds`: there a missing source becomes a folder of root's, and ':' in a path
/// changes the meaning.
fn mount(mount: &Mount) -> Result<models::Mount, SpecError> {
    let mut described = models::Mount {
        target: Some(absolute(mount.target())?),
        ..Default::default()
    };
    match mount {
        Mount::Bind {
            source, read_only, ..
        } => {
            described.typ = Some(models::MountType::BIND);
            described.source = Some(host_path(source)?);
            described.read_only = Some(*read_only);
        }
        Mount::Volume {
            name,
            labels,
            empty,
            ..
        } => {
            described.typ = Some(models::MountType::VOLUME);
            described.source = Some(name.clone());
            described.volume_options = Some(models::MountVolumeOptions {
                no_copy: Some(*empty),
                labels: Some(labels.clone().into_iter().collect::<HashMap<_, _>>()),
                ..Default::default()
            });
        }
        Mount::Tmpfs {
            read_only,
            size_bytes,
            mode,
            ..
        } => {
            described.typ = Some(models::MountType::TMPFS);
            described.read_only = Some(*read_only);
            described.tmpfs_options = Some(models::MountTmpfsOptions {
                size_bytes: Some(i64::try_from(*size_bytes).unwrap_or(i64::MAX)),
                mode: Some(i64::from(*mode)),
                options: None,
            });
        }
    }
    Ok(described)
}

/// Describes a memory file system by the one form that can name its owner.
fn tmpfs(tmpfs: &Tmpfs) -> Result<(String, String), SpecError> {
    let mut options = format!(
        "rw,nosuid,nodev,noexec,size={},mode={:04o}",
        tmpfs.size_bytes, tmpfs.mode
    );
    if let Some(owner) = tmpfs.owner {
        options.push_str(&format!(",uid={},gid={}", owner.uid(), owner.gid()));
    }
    Ok((absolute(&tmpfs.target)?, options))
}

fn absolute(path: &str) -> Result<String, SpecError> {
    let clean = path.starts_with('/') && !path.contains('\0');
    if clean {
        Ok(path.to_owned())
    } else {
        Err(SpecError::RelativePath(path.to_owned()))
    }
}

fn host_path(path: &Path) -> Result<String, SpecError> {
    let text = path
        .to_str()
        .ok_or_else(|| SpecError::NotUnicode(path.to_owned()))?;
    // The engine's machine may run another system than ours: both forms of "absolute" pass.
    if path.is_absolute() {
        Ok(text.to_owned())
    } else {
        absolute(text)
    }
}

#[cfg(test)]
mod tests;
