//! `mizzen doctor`.

use mizzen_core::verb::ErrorCode;
use mizzen_core::{CheckState, Client, ConnectError, CoreConfig, DoctorReport, examine};

use super::block_on;
use crate::args::Doctor;
use crate::connect::{self, Started};
use crate::output::{Cell, Failure, Output, Tone, columns, failed};

/// Asks the running core; without one looks by itself, so that it also helps when no core can start.
pub(super) fn run(args: &Doctor, output: Output) -> Result<(), Failure> {
    let config = connect::world()?;
    if args.fix {
        repair(&config, output)?;
    }
    let report = block_on(report(&config))?;
    if output.json {
        output.object(&report)?;
    } else {
        print(&report, output)?;
    }
    let bad = report
        .checks
        .iter()
        .filter(|check| check.state == CheckState::Problem)
        .count();
    match bad {
        0 => Ok(()),
        _ if output.json => Err(Failure::ExitCode(ErrorCode::Failed.exit_code())),
        1 => Err(failed(
            ErrorCode::Failed,
            "one thing is missing",
            "follow the fix above",
        )),
        _ => Err(failed(
            ErrorCode::Failed,
            format!("{bad} things are missing"),
            "follow the fixes above",
        )),
    }
}

/// What can be repaired without harm: directories, and a core that does not run.
fn repair(config: &CoreConfig, output: Output) -> Result<(), Failure> {
    if let Err(error) = config.dirs.prepare() {
        output.note(&format!("mizzen: {error}."));
        return Ok(());
    }
    let runs = block_on(async { Ok(Client::connect(&config.dirs).await.is_ok()) })?;
    if runs {
        return Ok(());
    }
    match connect::start_in_background()? {
        Started::Ready => output.note("Started the core."),
        Started::AlreadyRuns => {}
        Started::Failed(error) => output.error(&error),
    }
    Ok(())
}

async fn report(config: &CoreConfig) -> Result<DoctorReport, Failure> {
    match Client::connect(&config.dirs).await {
        Ok(client) => Ok(client.doctor().await?),
        Err(ConnectError::NoCore | ConnectError::Incompatible { .. } | ConnectError::Io(_)) => {
            Ok(examine(config).await)
        }
    }
}

fn print(report: &DoctorReport, output: Output) -> Result<(), Failure> {
    let mark = |state| match state {
        CheckState::Ok => Cell::toned(output, Tone::Good, "ok"),
        CheckState::Warning => Cell::toned(output, Tone::Busy, "note"),
        CheckState::Problem => Cell::toned(output, Tone::Bad, "MISSING"),
    };
    let mut rows = Vec::new();
    for check in &report.checks {
        rows.push(vec![
            mark(check.state),
            Cell::new(&check.title),
            Cell::new(&check.message),
        ]);
        if let Some(fix) = &check.fix {
            rows.push(vec![
                Cell::new(""),
                Cell::new(""),
                Cell::new(&format!("fix: {fix}")),
            ]);
        }
    }
    columns(&rows).iter().try_for_each(|line| output.line(line))
}
