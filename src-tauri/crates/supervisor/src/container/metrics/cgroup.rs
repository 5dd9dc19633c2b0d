//! What the kernel counts of a container, in both layouts of control groups (cgroups(7), and `cgroup-v1/` and
//! `cgroup-v2.rst` of the kernel's documentation). A file that is missing or odd is a number that is not known.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Where a container finds its own group.
pub(super) const MOUNT: &str = "/sys/fs/cgroup";

/// Version 1 has no word for "no limit": it says the largest multiple of a page.
const NO_LIMIT: u64 = 1 << 60;

/// What a container uses; none is not known.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Usage {
    /// Of all processors, since the container began.
    pub(super) cpu: Option<Duration>,
    /// Without what the kernel can take back at once.
    pub(super) memory: Option<u64>,
    pub(super) memory_limit: Option<u64>,
    pub(super) pids: Option<u64>,
}

/// A container's group.
pub(super) enum Cgroup {
    /// One directory has all.
    V2(PathBuf),
    /// Each controller has its own.
    V1(PathBuf),
}

impl Cgroup {
    pub(super) fn find(mount: impl AsRef<Path>) -> Self {
        let mount = mount.as_ref().to_owned();
        match mount.join("cgroup.controllers").exists() {
            true => Self::V2(mount),
            false => Self::V1(mount),
        }
    }

    pub(super) fn usage(&self) -> Usage {
        match self {
            Self::V2(group) => Usage {
                cpu: entry(&group.join("cpu.stat"), "usage_usec").map(Duration::from_micros),
                memory: memory(group, "memory.current", "inactive_file"),
                memory_limit: number(&group.join("memory.max")),
                pids: number(&group.join("pids.current")),
            },
            Self::V1(mount) => {
                let group = mount.join("memory");
                let limit = number(&group.join("memory.limit_in_bytes"));
                Usage {
                    cpu: number(&mount.join("cpuacct/cpuacct.usage")).map(Duration::from_nanos),
                    memory: memory(&group, "memory.usage_in_bytes", "total_inactive_file"),
                    memory_limit: limit.filter(|limit| *limit < NO_LIMIT),
                    pids: number(&mount.join("pids/pids.current")),
                }
            }
        }
    }
}

/// As the engine counts it: without pages of files that nobody has used lately.
fn memory(group: &Path, all: &str, inactive: &str) -> Option<u64> {
    let all = number(&group.join(all))?;
    let inactive = entry(&group.join("memory.stat"), inactive).unwrap_or(0);
    Some(all.saturating_sub(inactive))
}

fn number(path: &Path) -> Option<u64> {
    fs::read_to_string(path).ok()?.trim().parse().ok()
}

/// A line `name number`.
fn entry(path: &Path, name: &str) -> Option<u64> {
    let text = fs::read_to_string(path).ok()?;
    let mut lines = text.lines().filter_map(|line| line.split_once(' '));
    lines.find(|(key, _)| *key == name)?.1.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{Cgroup, Duration, Usage};

    fn usage(files: &[(&str, &str)]) -> Usage {
        let mount = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = mount.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            mizzen_fsx::write_atomic(path, text.as_bytes()).unwrap();
        }
        Cgroup::find(mount.path()).usage()
    }

    #[test]
    fn version_2_has_all_in_one_directory() {
        let found = usage(&[
            ("cgroup.controllers", "cpu memory pids\n"),
            (
                "cpu.stat",
                "nr_periods 0\nusage_usec 1500000\nuser_usec 1\n",
            ),
            ("memory.current", "5000\n"),
            ("memory.stat", "anon 1\ninactive_file 2000\n"),
            ("memory.max", "max\n"),
            ("pids.current", "7\n"),
        ]);
        let expected = Usage {
            cpu: Some(Duration::from_millis(1500)),
            memory: Some(3000),
            memory_limit: None,
            pids: Some(7),
        };
        assert_eq!(found, expected);
        let limited = usage(&[("cgroup.controllers", ""), ("memory.max", "4294967296\n")]);
        assert_eq!(limited.memory_limit, Some(1 << 32));
    }

    #[test]
    fn version_1_has_a_directory_for_each_controller() {
        let files = |limit| {
            usage(&[
                ("cpuacct/cpuacct.usage", "1500000000\n"),
                ("memory/memory.usage_in_bytes", "5000\n"),
                (
                    "memory/memory.stat",
                    "inactive_file 1\ntotal_inactive_file 9000\n",
                ),
                ("memory/memory.limit_in_bytes", limit),
                ("pids/pids.current", "7\n"),
            ])
        };
        let expected = Usage {
            cpu: Some(Duration::from_millis(1500)),
            memory: Some(0),
            memory_limit: Some(1 << 20),
            pids: Some(7),
        };
        assert_eq!(files("1048576\n"), expected);
        assert_eq!(files("9223372036854771712\n").memory_limit, None);
    }

    #[test]
    fn what_is_missing_or_odd_is_not_known() {
        assert_eq!(usage(&[]), Usage::default());
        let odd = [
            ("memory/memory.usage_in_bytes", "-1"),
            ("pids/pids.current", "many"),
        ];
        assert_eq!(usage(&odd), Usage::default());
    }
}
