//! Mizzen's tray application.
fn main() {}
