//! `mizzen engines`.

use mizzen_core::Client;
use mizzen_core::verb::{ErrorCode, Verb};
use mizzen_core::view::{EngineChoice, EngineState};
use serde::Serialize;

use crate::args::EnginesOf;
use crate::output::{Cell, Failure, Output, Tone, columns, failed, plain};

pub(super) async fn list(client: &Client, output: Output) -> Result<(), Failure> {
    let engines = client.engines().await?;
    if output.json {
        return output.object(&engines);
    }
    let titles = ["ENGINE", "STATE", "SELECTED BY", "ENDPOINT"];
    let titles = titles.map(|title| Cell::toned(output, Tone::Quiet, title));
    let mut rows = vec![titles.to_vec()];
    for engine in &engines {
        let (tone, state) = state(engine);
        rows.push(vec![
            Cell::new(&engine.name),
            Cell::toned(output, tone, state),
            Cell::new(engine.selected_by.as_deref().unwrap_or_default()),
            Cell::new(engine.endpoint.as_deref().unwrap_or_default()),
        ]);
    }
    columns(&rows)
        .iter()
        .try_for_each(|line| output.line(line))?;
    for engine in &engines {
        if let Some(reason) = &engine.reason {
            let hint = engine.hint.as_deref().unwrap_or_default();
            output.note(&format!("! {}: {reason}; {hint}", engine.name));
        }
        for warning in &engine.warnings {
            output.note(&format!("! {}: {warning}", engine.name));
        }
    }
    Ok(())
}

fn state(engine: &EngineChoice) -> (Tone, &'static str) {
    match engine.state {
        Some(EngineState::Online) => (Tone::Good, "online"),
        Some(EngineState::Connecting) => (Tone::Busy, "connecting"),
        Some(EngineState::Offline) => (Tone::Bad, "offline"),
        None if engine.endpoint.is_none() => (Tone::Bad, "unusable"),
        None => (Tone::Quiet, "not in use"),
    }
}

/// What a wish prints as JSON.
#[derive(Serialize)]
struct Done {
    message: String,
}

/// Lets an engine be spoken to in the clear, or no longer.
pub(super) async fn expose(client: &Client, of: EnginesOf, output: Output) -> Result<(), Failure> {
    let mut settings = client.snapshot().await?.settings;
    let exposed = &mut settings.exposed_engines;
    let message = match of {
        EnginesOf::Allow { context, yes } => {
            let address = exposed_address(client, &context).await?;
            if !yes {
                return Err(risk(&context, &address));
            }
            let message = format!(
                "`{context}` may be used in the clear at {address}, and nowhere else. Take it back: mizzen engines refuse {context}"
            );
            exposed.insert(context, address);
            message
        }
        EnginesOf::Refuse { context } => match exposed.remove(&context) {
            Some(address) => {
                format!("`{context}` is not used in the clear any more, at {address}.")
            }
            None => format!("`{context}` was not allowed to be used in the clear."),
        },
    };
    client.run(Verb::SaveSettings { settings }).await?;
    if output.json {
        return output.object(&Done { message });
    }
    output.line(&plain(&message))
}

/// Where an engine listens that speaks in the clear.
async fn exposed_address(client: &Client, context: &str) -> Result<String, Failure> {
    let engines = client.engines().await?;
    let Some(engine) = engines.iter().find(|engine| engine.name == context) else {
        let message = format!("there is no Docker context `{context}`");
        return Err(failed(ErrorCode::NotFound, message, "see `mizzen engines`"));
    };
    engine.exposed.clone().ok_or_else(|| {
        let message = format!("`{context}` is not reached over plain TCP to another machine");
        let hint = "there is nothing to allow: see `mizzen engines`";
        failed(ErrorCode::Usage, message, hint)
    })
}

fn risk(context: &str, address: &str) -> Failure {
    let message = format!(
        "{address} asks nobody for a key and encrypts nothing: whoever is on the network between can read all that goes to \
         the sessions of `{context}`, change it, and be root on that machine; so can everybody who reaches that port"
    );
    let hint = format!(
        "give it TLS or ssh instead; or take the risk, for this address alone: mizzen engines allow {context} --yes"
    );
    failed(ErrorCode::Policy, message, hint)
}
