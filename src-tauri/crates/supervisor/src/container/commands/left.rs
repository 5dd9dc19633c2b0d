//! What a command has left running, in its process group or in a session of its own.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::Duration;

use mizzen_status::CommandId;
use tokio::time::sleep;

/// Says which command a process was started by; all that it starts has it, too.
pub(super) const MARK: &str = "MIZZEN_COMMAND";
/// What ends with its command may take as long.
const SETTLES: Duration = Duration::from_millis(100);

/// So many processes of a command go on after its end. One that has no mark any more is not known to be its.
pub(super) async fn count(id: &CommandId) -> u64 {
    let mark = format!("{MARK}={id}");
    let first = look(&mark).await;
    if first.is_empty() {
        return 0;
    }
    sleep(SETTLES).await;
    first.intersection(&look(&mark).await).count() as u64
}

/// The kernel may have to wait for a process to tell of it, and nobody here is to wait with it.
async fn look(mark: &str) -> BTreeSet<String> {
    let mark = mark.to_owned();
    let looked = tokio::task::spawn_blocking(move || marked(Path::new("/proc"), &mark));
    looked.await.expect("BUG: looking does not panic")
}

/// Processes that carry a mark. One that has ended and waits to be collected has no environment.
fn marked(proc: &Path, mark: &str) -> BTreeSet<String> {
    let listed = fs::read_dir(proc).into_iter().flatten().flatten();
    let pids = listed.filter_map(|entry| entry.file_name().into_string().ok());
    let pids = pids.filter(|pid| pid.bytes().all(|b| b.is_ascii_digit()));
    let has_mark = |pid: &String| {
        let environment = fs::read(proc.join(pid).join("environ")).unwrap_or_default();
        environment
            .split(|b| *b == 0)
            .any(|it| it == mark.as_bytes())
    };
    pids.filter(has_mark).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::marked;

    #[test]
    fn a_mark_is_that_of_one_command_and_no_other() {
        let proc = tempfile::tempdir().unwrap();
        for (pid, environment) in [
            ("7", "A=b\0MIZZEN_COMMAND=one\0"),
            ("8", "MIZZEN_COMMAND=one\0"),
            ("9", "MIZZEN_COMMAND=one-more\0"),
            ("10", "X=MIZZEN_COMMAND=one\0"),
            ("11", ""),
            ("self", "MIZZEN_COMMAND=one\0"),
        ] {
            let dir = proc.path().join(pid);
            fs::create_dir(&dir).unwrap();
            mizzen_fsx::write_atomic(dir.join("environ"), environment.as_bytes()).unwrap();
        }
        let found: Vec<_> = marked(proc.path(), "MIZZEN_COMMAND=one")
            .into_iter()
            .collect();
        assert_eq!(found, ["7", "8"]);
    }
}
