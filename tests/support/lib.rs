//! Rigs that the end-to-end tests share.
//!
//! Invariant: what a rig starts ends with it, and nothing waits without a deadline.

pub mod chromium;
#[cfg(unix)]
pub mod desktop;
pub mod dice;
#[cfg(unix)]
pub mod engine;
pub mod engines;
#[cfg(unix)]
pub mod far_machine;
pub mod figure;
pub mod on_engine;
pub mod own;
pub mod own_core;
#[cfg(unix)]
pub mod proxy;
#[cfg(unix)]
pub mod reported;
#[cfg(unix)]
pub mod rig;
pub mod syncing;
#[cfg(unix)]
pub mod tls_front;
