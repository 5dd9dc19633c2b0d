//! `mizzen logs`: what a session's container writes, or one of its commands.

use std::io::{self, Write};

use mizzen_core::{Client, LogOptions, OutputOptions, OutputSaid};

use super::output::{Printer, last_lines};
use crate::args::Logs;
use crate::output::{Failure, Output};

pub(super) async fn run(client: &Client, args: &Logs, output: Output) -> Result<(), Failure> {
    if let Some(id) = &args.command {
        return of_command(client, args, id, output).await;
    }
    let options = LogOptions {
        tail: args.tail,
        follow: args.follow,
    };
    let mut lines = client.logs(&args.session, options).await?;
    while let Some(line) = lines.next().await? {
        if output.json {
            output.object(&line)?;
        } else if line.is_error {
            // As `docker logs` does: what the container wrote to its standard error goes to ours.
            writeln!(io::stderr().lock(), "{}", line.text).map_err(|_| Failure::OutputClosed)?;
        } else {
            output.line(&line.text)?;
        }
    }
    Ok(())
}

async fn of_command(client: &Client, args: &Logs, id: &str, output: Output) -> Result<(), Failure> {
    let options = OutputOptions {
        id: id.to_owned(),
        from: 0,
        follow: args.follow,
    };
    let mut said = client.output(&args.session, options).await?;
    let mut printer = Printer::new(output);
    // The last lines are known at the end only.
    let mut all = Vec::new();
    loop {
        match (said.next().await?, args.tail) {
            (OutputSaid::Bytes(bytes), None) => printer.print(&bytes)?,
            (OutputSaid::Bytes(bytes), Some(_)) => all.extend(bytes),
            (OutputSaid::Ended(_), None) => return Ok(()),
            (OutputSaid::Ended(_), Some(count)) => {
                printer.print(last_lines(&all, count))?;
                return Ok(());
            }
        }
    }
}
