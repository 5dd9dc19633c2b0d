//! What a container uses, sampled by its engine about once a second while someone looks.

use futures::Stream;
use hyper::Method;
use serde::Deserialize;

use crate::containers::segment;
use crate::deadline::{LIST, QUICK, within};
use crate::lines::Lines;
use crate::{DockerError, Engine};

const LINE_CAP: usize = 1 << 20;

const OP: &str = "read the container's statistics";

/// One sample.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StatsSample {
    /// Processor time since the sample before; 100 is one processor. None in the first sample.
    pub cpu_percent: Option<f64>,
    /// Memory in use, without cached files, as `docker stats` counts it.
    pub memory_bytes: u64,
    /// Memory limit; the machine's memory when there is none.
    pub memory_limit_bytes: u64,
    /// Processes and threads.
    pub pids: u64,
}

impl Engine {
    /// Samples a container until it ends or the stream is dropped.
    pub async fn stats(
        &self,
        id: &str,
    ) -> Result<impl Stream<Item = Result<StatsSample, DockerError>> + Send + use<>, DockerError>
    {
        let path = format!("/containers/{}/stats?stream=true", segment(OP, id)?);
        let transport = self.transport();
        let opened = transport.open(OP, Method::GET, &path, None);
        let response = within(OP, QUICK, opened).await?;
        let lines = Lines::new(OP, response.into_body(), LINE_CAP);
        Ok(futures::stream::unfold(Some(lines), |lines| async {
            let mut lines = lines?;
            let sample = lines.next_within(LIST).await?.and_then(|line| parse(&line));
            // An error is the last item.
            let next = sample.is_ok().then_some(lines);
            Some((sample, next))
        }))
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Raw {
    cpu_stats: Cpu,
    precpu_stats: Cpu,
    memory_stats: Memory,
    pids_stats: Pids,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Cpu {
    cpu_usage: CpuUsage,
    system_cpu_usage: Option<u64>,
    online_cpus: Option<u32>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct CpuUsage {
    total_usage: u64,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Memory {
    usage: u64,
    limit: u64,
    stats: MemoryParts,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct MemoryParts {
    /// cgroup v1.
    total_inactive_file: Option<u64>,
    /// cgroup v2, and a part only on v1.
    inactive_file: Option<u64>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Pids {
    current: Option<u64>,
}

fn parse(line: &[u8]) -> Result<StatsSample, DockerError> {
    let raw: Raw = serde_json::from_slice(line)
        .map_err(|e| DockerError::server(OP, format!("a sample makes no sense: {e}")))?;
    let parts = &raw.memory_stats.stats;
    let cached = parts
        .total_inactive_file
        .or(parts.inactive_file)
        .unwrap_or(0);
    Ok(StatsSample {
        cpu_percent: cpu_percent(&raw.precpu_stats, &raw.cpu_stats),
        memory_bytes: raw.memory_stats.usage.saturating_sub(cached),
        memory_limit_bytes: raw.memory_stats.limit,
        pids: raw.pids_stats.current.unwrap_or(0),
    })
}

/// Share of the machine's processor time between two samples, times its processors.
fn cpu_percent(before: &Cpu, now: &Cpu) -> Option<f64> {
    let machine = now
        .system_cpu_usage?
        .checked_sub(before.system_cpu_usage?)?;
    let used = now
        .cpu_usage
        .total_usage
        .checked_sub(before.cpu_usage.total_usage)?;
    let share = (machine > 0).then(|| used as f64 / machine as f64)?;
    Some(share * f64::from(now.online_cpus.unwrap_or(1)) * 100.0)
}

#[cfg(test)]
mod tests;
