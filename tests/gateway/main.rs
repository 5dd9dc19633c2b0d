//! The gateway as a browser meets it, before sessions whose services run in this process.

mod faults;
mod launch;
mod logs;
mod passing;
mod ports;
mod refusals;
mod rig;
mod service;
mod websockets;
