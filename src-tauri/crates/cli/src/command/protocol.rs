//! `mizzen protocol`.

use mizzen_core::protocol::{self, Found, Standing};
use mizzen_core::verb::ErrorCode;
use serde::Serialize;

use super::block_on;
use crate::args::Protocol;
use crate::connect;
use crate::output::{Cell, Failure, Output, Tone, columns};

pub(super) fn run(args: &Protocol, output: Output) -> Result<(), Failure> {
    let found = match args {
        Protocol::Check { dir } => protocol::check(dir)?,
        Protocol::AgentTest { image } => {
            let config = connect::world()?;
            if output.watched {
                output.note(&format!("Trying {image}; this takes about a minute."));
            }
            let stop = async {
                if tokio::signal::ctrl_c().await.is_err() {
                    std::future::pending::<()>().await;
                }
            };
            let tried = block_on(async { Ok(protocol::agent_test(&config, image, stop).await?) })?;
            let stopped = "mizzen: the trial was interrupted; its container is removed.";
            tried.ok_or_else(|| Failure::Interrupted(stopped.to_owned()))?
        }
    };
    let is_wrong = |it: &Found| matches!(it.standing, Standing::Wrong | Standing::Untried);
    let is_fine = !found.iter().any(is_wrong);
    match output.json {
        true => output.object(&Told {
            fine: is_fine,
            found: &found,
        })?,
        false => print(&found, output)?,
    }
    match is_fine {
        true => Ok(()),
        false => Err(Failure::ExitCode(ErrorCode::Failed.exit_code())),
    }
}

/// All of it as scripts read it.
#[derive(Serialize)]
struct Told<'a> {
    fine: bool,
    found: &'a [Found],
}

fn print(found: &[Found], output: Output) -> Result<(), Failure> {
    let mark = |standing| match standing {
        Standing::Fine => Cell::toned(output, Tone::Good, "ok"),
        Standing::Note => Cell::toned(output, Tone::Busy, "note"),
        Standing::Wrong => Cell::toned(output, Tone::Bad, "WRONG"),
        Standing::Untried => Cell::toned(output, Tone::Quiet, "-"),
    };
    let mut rows = Vec::new();
    for it in found {
        rows.push(vec![
            mark(it.standing),
            Cell::new(&it.name),
            Cell::new(&it.message),
        ]);
        if let Some(next) = &it.next {
            let next = Cell::new(&format!("fix: {next}"));
            rows.push(vec![Cell::new(""), Cell::new(""), next]);
        }
    }
    columns(&rows).iter().try_for_each(|line| output.line(line))
}
