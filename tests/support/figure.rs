//! Figures of a benchmark: a median with its spread, printed for `cargo xtask bench`.

use std::time::Duration;

use serde::Serialize;

/// One row of a table in docs/benchmarks.md.
#[derive(Debug, Serialize)]
pub struct Figure {
    name: String,
    goal: String,
    median: String,
    spread: String,
    runs: usize,
}

impl Figure {
    /// Samples that `show` turns into text with its unit.
    ///
    /// # Panics
    /// Without samples.
    #[must_use]
    pub fn new(name: &str, goal: &str, samples: &[f64], show: impl Fn(f64) -> String) -> Self {
        let at = |share| show(percentile(samples, share));
        Self {
            name: name.to_owned(),
            goal: goal.to_owned(),
            median: at(0.5),
            spread: format!("{} to {}, p95 {}", at(0.0), at(1.0), at(0.95)),
            runs: samples.len(),
        }
    }

    /// What cannot be measured, for want of a program.
    #[must_use]
    pub fn none(name: &str, lacks: &str) -> Self {
        Self {
            name: name.to_owned(),
            goal: String::new(),
            median: "not measured".to_owned(),
            spread: format!("`{lacks}` is not installed"),
            runs: 0,
        }
    }

    /// Durations, in the unit that suits them.
    #[must_use]
    pub fn of_times(name: &str, goal: &str, samples: &[Duration]) -> Self {
        let seconds: Vec<f64> = samples.iter().map(Duration::as_secs_f64).collect();
        Self::new(name, goal, &seconds, show_seconds)
    }

    /// Tells `cargo xtask bench`, which reads lines of JSON.
    #[expect(clippy::print_stdout, reason = "read by cargo xtask bench")]
    pub fn print(&self) {
        println!(
            "{}",
            serde_json::to_string(self).expect("BUG: text is JSON")
        );
    }
}

fn show_seconds(seconds: f64) -> String {
    match seconds {
        s if s >= 1.0 => format!("{s:.2} s"),
        s if s >= 1e-3 => format!("{:.1} ms", s * 1e3),
        s => format!("{:.1} µs", s * 1e6),
    }
}

/// The sample below which this share of them lies; the nearest one, none is made up.
fn percentile(samples: &[f64], share: f64) -> f64 {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "few"
    )]
    let place = ((sorted.len() - 1) as f64 * share).round() as usize;
    sorted[place]
}
