//! `status.json`, whatever it holds.
#![no_main]

#[allow(dead_code, reason = "each target holds one law")]
#[path = "../../src-tauri/crates/status/tests/laws/mod.rs"]
mod laws;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| laws::status(bytes));
