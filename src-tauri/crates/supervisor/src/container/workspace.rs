//! Looks again and again whether anybody can work in the workspace.

use std::path::Path;
use std::time::Duration;

use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::{sleep, timeout};

use super::board::Board;
use super::places::{self, WORKSPACE};

/// What it is called among errors.
const ABOUT: &str = "workspace";
/// Between two looks.
const EVERY: Duration = Duration::from_secs(5);
/// How long a look may take before that is told.
const PATIENCE: Duration = Duration::from_secs(2);

/// A look that is not done.
pub(crate) type Look = JoinHandle<Option<String>>;

/// Looks for the first time: the first report says what is wrong. Gives a look that takes long to [`keep`].
pub(crate) async fn first(board: &Board) -> Option<Look> {
    look(board, problem).await
}

/// Looks until the task is stopped.
pub(crate) async fn keep(board: Board, first: Option<Look>) {
    go_on(&board, first, problem).await;
}

fn problem() -> Option<String> {
    places::workspace_problem(Path::new(WORKSPACE))
}

async fn go_on(
    board: &Board,
    mut pending: Option<Look>,
    problem: impl Fn() -> Option<String> + Clone + Send + 'static,
) {
    loop {
        // While one hangs there is no other: it holds up one thread and no more.
        if let Some(look) = pending {
            board.set_error(ABOUT, look.await.expect("BUG: looking panicked"));
        }
        sleep(EVERY).await;
        pending = look(board, problem.clone()).await;
    }
}

/// Off the runtime's thread: a disk that hangs must not stop PID 1.
async fn look(
    board: &Board,
    problem: impl Fn() -> Option<String> + Send + 'static,
) -> Option<Look> {
    let mut look = spawn_blocking(problem);
    if let Ok(found) = timeout(PATIENCE, &mut look).await {
        board.set_error(ABOUT, found.expect("BUG: looking panicked"));
        return None;
    }
    board.set_error(ABOUT, Some(format!("{WORKSPACE} does not answer")));
    Some(look)
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex, mpsc};

    use mizzen_tasks::Owner;

    use super::{ABOUT, Board, go_on, look};

    #[tokio::test]
    async fn a_disk_that_hangs_is_told_until_it_answers() {
        let (answer, disk) = mpsc::channel::<()>();
        let disk = Arc::new(Mutex::new(disk));
        let at_the_disk = move || disk.lock().unwrap().recv().err().and(None);
        let (board, owner) = (Board::new(), Owner::root("test"));
        let mut facts = board.watch();
        let first = look(&board, at_the_disk.clone()).await;
        let message = facts.borrow_and_update().errors[ABOUT].message.clone();
        assert_eq!(message, "/workspace does not answer");
        owner.spawn("look", async move {
            go_on(&board, first, at_the_disk).await;
        });
        drop(answer);
        let told = facts.wait_for(|facts| facts.errors.is_empty());
        assert!(told.await.is_ok());
    }
}
