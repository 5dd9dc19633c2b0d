//! The gateway as a browser meets it, before sessions whose services run in this process.
#![allow(clippy::unwrap_used, reason = "a test ends where its rig fails")]

mod faults;
mod launch;
mod logs;
mod own_ports;
mod passing;
mod ports;
mod refusals;
mod rig;
mod service;
mod websockets;
