//! cargo xtask: the developer's one tool.
fn main() {}
