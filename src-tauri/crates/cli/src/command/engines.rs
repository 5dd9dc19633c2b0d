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
    if let Some(beaten) = engines.iter().find_map(beaten) {
        output.note(&plain(&beaten));
    }
    if let Some(unheard) = unheard(&Shell::this(), &engines) {
        output.note(&format!("! {unheard}"));
    }
    Ok(())
}

/// What the selected engine was chosen in spite of.
fn beaten(engine: &EngineChoice) -> Option<String> {
    let by = engine.selected_by.as_deref()?;
    let beats = engine.beats.iter();
    let beats: Vec<String> = beats
        .map(|beaten| format!("{} ({})", beaten.by, beaten.says))
        .collect();
    let beats = match &*beats {
        [] => return None,
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    };
    let name = &engine.name;
    Some(format!(
        "`{name}` is selected by {by}, which goes before {beats}"
    ))
}

/// What a shell's variables say of the engine to use; one that is empty says nothing.
struct Shell {
    host: Option<String>,
    context: Option<String>,
}

impl Shell {
    fn this() -> Self {
        let set = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
        Self {
            host: set("DOCKER_HOST"),
            context: set("DOCKER_CONTEXT"),
        }
    }
}

/// Says that the engine is another one than this shell means, where it means one and names none.
pub(super) async fn warn_of_this_shell(client: &Client, output: Output) {
    let shell = Shell::this();
    if shell.host.is_none() && shell.context.is_none() {
        return;
    }
    // Where they cannot be listed, what was asked for tells why.
    let engines = client.engines().await.unwrap_or_default();
    if let Some(unheard) = unheard(&shell, &engines) {
        output.note(&format!("! {unheard}"));
    }
}

/// The variables that count are those that Mizzen was started with: what a shell's own say beside them, if it is anything
/// else.
fn unheard(shell: &Shell, engines: &[EngineChoice]) -> Option<String> {
    let selected = engines.iter().find_map(|engine| {
        let by = engine.selected_by.as_deref()?;
        Some((engine.name.as_str(), by))
    });
    let (name, by) = selected?;
    let (said, next) = match (&shell.host, &shell.context) {
        (Some(_), _) if by == HOST => return None,
        (Some(host), _) => (
            format!("DOCKER_HOST={host} of this shell does not count"),
            "name the engine's context with --engine",
        ),
        (None, Some(context)) if context == name && by != HOST => return None,
        (None, Some(context)) => (
            format!("DOCKER_CONTEXT={context} of this shell does not count"),
            "name it with --engine",
        ),
        (None, None) if matches!(by, HOST | CONTEXT) => (
            format!("{by} decides although this shell has none"),
            "name another one with --engine",
        ),
        (None, None) => return None,
    };
    Some(format!(
        "{said}: Mizzen runs with the variables that it was started with, and `{name}` is selected by {by}; {next}, or end \
         Mizzen, and the next command starts it with those of this shell: mizzen serve --stop"
    ))
}

const HOST: &str = "DOCKER_HOST";
const CONTEXT: &str = "DOCKER_CONTEXT";

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

#[cfg(test)]
mod tests {
    use super::*;

    fn check(host: &str, context: &str, selected: (&str, &str), expected: &str) {
        let set = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        let shell = Shell {
            host: set(host),
            context: set(context),
        };
        let (name, by) = selected;
        let engine = EngineChoice {
            name: name.to_owned(),
            endpoint: None,
            exposed: None,
            selected_by: set(by),
            beats: Vec::new(),
            in_use: true,
            state: None,
            reason: None,
            hint: None,
            warnings: Vec::new(),
        };
        let said = unheard(&shell, &[engine]).unwrap_or_default();
        assert!(said.starts_with(expected), "{said}");
        assert_eq!(said.is_empty(), expected.is_empty(), "{said}");
    }

    #[test]
    fn what_a_shell_says_of_the_engine_beside_the_mizzen_that_runs_is_told() {
        let used = ("lab", "docker context use");
        let by_host = ("default", "DOCKER_HOST");
        let by_context = ("lab", "DOCKER_CONTEXT");
        check("", "", used, "");
        check("", "lab", used, "");
        check("", "lab", by_context, "");
        check("unix:///s", "lab", by_host, "");
        check("", "far", used, "DOCKER_CONTEXT=far of this shell does not");
        check(
            "",
            "default",
            by_host,
            "DOCKER_CONTEXT=default of this shell",
        );
        check("unix:///s", "", used, "DOCKER_HOST=unix:///s of this shell");
        check("", "", by_host, "DOCKER_HOST decides although this shell");
        check("", "", by_context, "DOCKER_CONTEXT decides although this");
    }
}
