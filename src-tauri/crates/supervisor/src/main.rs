//! PID 1 of a session's container.
fn main() {}
