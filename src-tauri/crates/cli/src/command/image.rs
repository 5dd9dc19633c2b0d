//! `mizzen image`.

use mizzen_core::Client;
use mizzen_core::verb::Verb;
use mizzen_sync_core::sized;

use super::verbs;
use crate::args::Image;
use crate::output::{Cell, Failure, Output, Tone, columns};

pub(super) async fn run(client: &Client, args: Image, output: Output) -> Result<(), Failure> {
    match args {
        Image::Build { engine, rebuild } => {
            verb(client, Verb::BuildImage { engine, rebuild }, output).await
        }
        Image::List { engine } => list(client, engine, output).await,
        Image::Prune { engine } => verb(client, Verb::PruneImages { engine }, output).await,
    }
}

async fn verb(client: &Client, verb: Verb, output: Output) -> Result<(), Failure> {
    let outcome = verbs::run(client, verb, output).await?;
    if output.json {
        output.object(&outcome)
    } else {
        output.line(&outcome.message)
    }
}

async fn list(client: &Client, engine: Option<String>, output: Output) -> Result<(), Failure> {
    let images = client.images(engine).await?;
    if output.json {
        return output.object(&images);
    }
    let header =
        ["IMAGE", "ENGINE", "SIZE", ""].map(|title| Cell::toned(output, Tone::Quiet, title));
    let mut rows = vec![header.to_vec()];
    rows.extend(images.iter().map(|image| {
        let note = if image.current {
            "current"
        } else {
            "out of date"
        };
        vec![
            Cell::new(&image.reference),
            Cell::new(&image.engine),
            Cell::new(&sized(image.size_bytes)),
            Cell::toned(
                output,
                if image.current {
                    Tone::Good
                } else {
                    Tone::Quiet
                },
                note,
            ),
        ]
    }));
    columns(&rows).iter().try_for_each(|line| output.line(line))
}
