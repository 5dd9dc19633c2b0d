//! `mizzen engines`.

use mizzen_core::Client;
use mizzen_core::view::{EngineChoice, EngineState};

use crate::output::{Cell, Failure, Output, Tone, columns};

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
