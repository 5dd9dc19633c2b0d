//! Rigs that the end-to-end tests share.

pub mod chromium;
pub mod figure;
