//! What the figures were taken on.

use anyhow::{Context, Result};

use crate::tool;

/// One sentence: date, revision, machine and versions.
pub(super) fn describe() -> Result<String> {
    Ok(format!(
        "Taken on {} at revision {}: {}, {}, engine {}.",
        said("date", &["--utc", "+%Y-%m-%d"])?,
        said("git", &["describe", "--always", "--dirty"])?,
        processor()?,
        said("uname", &["--kernel-name", "--kernel-release"])?,
        said("docker", &["version", "--format", "{{.Server.Version}}"])?,
    ))
}

fn processor() -> Result<String> {
    let model = std::fs::read_to_string("/proc/cpuinfo")?
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(": "))
        .map_or_else(
            || "unknown processor".to_owned(),
            |(_, model)| model.trim().to_owned(),
        );
    let memory = std::fs::read_to_string("/proc/meminfo")?
        .split_whitespace()
        .nth(1)
        .and_then(|kib| kib.parse::<u64>().ok())
        .context("/proc/meminfo")?;
    let processors = std::thread::available_parallelism()?;
    Ok(format!(
        "{processors} processors ({model}), {} GiB",
        memory.div_ceil(1 << 20)
    ))
}

fn said(program: &str, args: &[&str]) -> Result<String> {
    let output = tool::command(program, args)
        .output()
        .with_context(|| program.to_owned())?;
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}
