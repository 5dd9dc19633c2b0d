//! `mizzen logs`.

use std::io::{self, Write};

use mizzen_core::{Client, LogOptions};

use crate::args::Logs;
use crate::output::{Failure, Output};

pub(super) async fn run(client: &Client, args: &Logs, output: Output) -> Result<(), Failure> {
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
