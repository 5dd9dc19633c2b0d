//! Where the running supervisor is told.

use std::io;
use std::path::Path;

use mizzen_status::{REPORT_MAX, Report};
use mizzen_tasks::Owner;
use serde_json::json;

use super::super::board::Board;
use super::super::talks::{self, Caller};
use super::sockets;

/// Listens until the owner ends, at the first place that will do.
pub(crate) fn serve(owner: &Owner, private: Option<&Path>, board: &Board) -> io::Result<()> {
    let mut listener = Err(io::Error::other("there is no place for a socket"));
    for path in sockets(private.as_slice()) {
        listener = listener.or_else(|_| talks::bind(&path));
    }
    let board = board.clone();
    let hear = move |line, caller| hear(line, caller, board.clone());
    talks::serve(owner, "report", (listener?, REPORT_MAX + 1), hear);
    Ok(())
}

async fn hear(line: String, mut caller: Caller, board: Board) -> io::Result<()> {
    let answer = match line.trim_end().parse::<Report>() {
        Ok(report) => {
            board.take(report);
            json!({ "ok": true })
        }
        Err(why) => json!({ "error": why.to_string() }),
    };
    caller.tell(format!("{answer}\n").as_bytes()).await
}
