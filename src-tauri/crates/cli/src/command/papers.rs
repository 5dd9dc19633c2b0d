//! Completions and manual pages, both made from the definition of the command line.

use std::io::{self, Write};
use std::path::Path;

use clap::{Command, CommandFactory};
use clap_complete::Shell;
use mizzen_core::verb::ErrorCode;

use crate::args::{Cli, CompletionShell};
use crate::output::{Failure, failed};

pub(super) fn completions(shell: CompletionShell) -> Result<(), Failure> {
    let shell = match shell {
        CompletionShell::Bash => Shell::Bash,
        CompletionShell::Zsh => Shell::Zsh,
        CompletionShell::Fish => Shell::Fish,
    };
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "mizzen", &mut script);
    print(&script)
}

pub(super) fn man(folder: Option<&Path>) -> Result<(), Failure> {
    match folder {
        None => print(&page(&Cli::command()).map_err(|_| Failure::OutputClosed)?),
        Some(folder) => {
            let mut command = Cli::command();
            // Names of subcommands with those of their parents.
            command.build();
            write_pages(&command, folder).map_err(|error| {
                let message = format!("{}: {error}", folder.display());
                failed(
                    ErrorCode::Failed,
                    message,
                    "give a folder that you can write to",
                )
            })
        }
    }
}

fn write_pages(command: &Command, folder: &Path) -> io::Result<()> {
    std::fs::create_dir_all(folder)?;
    let name = command
        .get_display_name()
        .unwrap_or_else(|| command.get_name());
    std::fs::File::create(folder.join(format!("{name}.1")))?.write_all(&page(command)?)?;
    let children = command
        .get_subcommands()
        .filter(|child| child.get_name() != "help");
    children
        .into_iter()
        .try_for_each(|child| write_pages(child, folder))
}

fn page(command: &Command) -> io::Result<Vec<u8>> {
    let mut page = Vec::new();
    clap_mangen::Man::new(command.clone()).render(&mut page)?;
    Ok(page)
}

fn print(bytes: &[u8]) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    stdout
        .write_all(bytes)
        .and_then(|()| stdout.flush())
        .map_err(|_| Failure::OutputClosed)
}
