//! What is under way, drawn on standard error while somebody watches: the phases of a verb, or one line.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use mizzen_core::view::{Phase, PhaseState, VerbProgress};

use crate::output::{Output, plain};

/// Draws a line per phase; the active one is drawn over in place.
pub(crate) struct Progress {
    watched: bool,
    active: Option<(Phase, Instant)>,
}

/// Longest text after a phase's name: a terminal's line must not wrap, or it cannot be drawn over.
const TEXT_MAX: usize = 60;

impl Progress {
    pub(crate) fn new(output: Output) -> Self {
        Self {
            watched: output.watched,
            active: None,
        }
    }

    pub(crate) fn show(&mut self, report: &VerbProgress) {
        if !self.watched {
            return;
        }
        let began = match self.active {
            Some((phase, began)) if phase == report.phase => began,
            _ => Instant::now(),
        };
        self.active = (report.state == PhaseState::Active).then_some((report.phase, began));
        let text: String = plain(&report.message).chars().take(TEXT_MAX).collect();
        let name = title(report.phase);
        let seconds = began.elapsed().as_secs_f64();
        draw(&match report.state {
            PhaseState::Active => format!("\r\x1b[K  … {name:<12} {text}"),
            PhaseState::Done => format!("\r\x1b[K  ✓ {name:<12} {seconds:.1} s\n"),
            PhaseState::Failed => format!("\r\x1b[K  ✗ {name:<12} {text}\n"),
        });
    }

    /// Leaves no half-drawn line behind.
    pub(crate) fn finish(&mut self) {
        if self.active.take().is_some() {
            draw("\r\x1b[K");
        }
    }
}

/// One line, drawn over in place; from any thread.
#[derive(Clone)]
pub(crate) struct Line {
    watched: bool,
    drawn: Arc<AtomicBool>,
}

impl Line {
    pub(crate) fn new(output: Output) -> Self {
        Self {
            watched: output.watched,
            drawn: Arc::default(),
        }
    }

    pub(crate) fn show(&self, text: &str) {
        if self.watched {
            self.drawn.store(true, Ordering::Relaxed);
            draw(&format!("\r\x1b[K{text}"));
        }
    }

    /// Makes room for what is said next.
    pub(crate) fn clear(&self) {
        if self.drawn.swap(false, Ordering::Relaxed) {
            draw("\r\x1b[K");
        }
    }
}

fn draw(text: &str) {
    let mut stderr = io::stderr().lock();
    let _closed = stderr
        .write_all(text.as_bytes())
        .and_then(|()| stderr.flush());
}

pub(crate) fn title(phase: Phase) -> &'static str {
    match phase {
        Phase::Check => "check",
        Phase::Image => "image",
        Phase::Container => "container",
        Phase::Supervisor => "supervisor",
        Phase::Workspace => "workspace",
        Phase::Sync => "sync",
        Phase::Git => "git",
        Phase::CodeServer => "code-server",
        Phase::Stop => "stop",
        Phase::Remove => "remove",
    }
}
