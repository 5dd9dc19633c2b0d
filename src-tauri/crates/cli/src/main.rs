//! Mizzen's command line: a client of the core.
fn main() {}
