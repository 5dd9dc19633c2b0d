//! Whether there is a desktop to draw on.

use crate::launch::Refusal;

/// Tauri's event loop panics where no display can be opened; this says it in a sentence first.
#[cfg(target_os = "linux")]
pub(crate) fn check() -> Result<(), Refusal> {
    if gtk::init().is_ok() {
        return Ok(());
    }
    let named = |name| std::env::var_os(name).filter(|value| !value.is_empty());
    let problem = match named("WAYLAND_DISPLAY").or_else(|| named("DISPLAY")) {
        Some(display) => format!("the display {} cannot be opened", display.display()),
        None => "there is no display".to_owned(),
    };
    Err(Refusal::no_display(&problem))
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn check() -> Result<(), Refusal> {
    Ok(())
}
