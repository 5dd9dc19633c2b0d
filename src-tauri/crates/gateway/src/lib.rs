//! The loopback reverse proxy in front of every session's web services: `http://<session>.localhost:8743/`, or
//! `http://127.0.0.1:<port>/` with a port of each service's own, for browsers that do not resolve `*.localhost`.
//!
//! Invariant: it listens on loopback only, and answers only hosts of its own form on its own port.
//! Invariant: no byte reaches a session without a valid cookie for exactly that host.
//! Invariant: a session never sees the gateway's cookie and never sets one for another host.
//! Invariant: no launch token and no cookie is ever logged.
//! Invariant: one upstream connection per request, so no session's bytes end up in another answer.

mod address;
mod bind;
mod cookie;
mod door;
mod forward;
mod gateway;
mod guard;
mod health;
mod page;
mod proxy;
mod serve;
mod state;
mod token;
mod upstream;

pub use address::{Target, host_label};
pub use bind::GatewayError;
pub use gateway::{Clock, Gateway, GatewayConfig, Limits};
pub use health::HealthError;
pub use upstream::{BoxFuture, DialError, Dialled, Io, Upstream};
