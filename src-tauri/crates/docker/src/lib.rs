//! Docker Engines: connection, events, images, containers, exec; the only crate that names bollard.
//!
//! Invariant: one task per engine holds the event stream and the breaker; events leave it in order.
//! Invariant: every call has a deadline, and every buffer filled by an engine or a container has a cap.
//! Invariant: a container is made from [`ContainerSpec`] only, whose safe defaults cannot be left out.
//! Invariant: an engine that asks for TLS is spoken to in TLS or not at all.
//! Invariant: neither environment values nor file contents reach a log.

mod archive;
mod build;
mod containers;
mod create;
mod deadline;
mod demux;
mod dial;
mod endpoint;
mod engine;
mod error;
mod exec;
mod fact;
mod image;
mod lines;
mod logs;
mod oom;
mod place;
mod resources;
mod spec;
mod ssh_address;
mod stats;
mod tls;
mod transport;

pub use archive::{TarBuilder, TarError, TarFile};
pub use build::{BuildError, BuildProgress, BuildSpec};
pub use demux::StderrTail;
pub use dial::SshClient;
pub use endpoint::{Endpoint, EndpointError, without_password};
pub use engine::{Engine, EngineEvent, EngineInfo, EngineOptions, Link, Offline};
pub use error::{DockerError, DockerErrorKind};
pub use exec::{ExecExit, ExecIo, ExecOutput, ExecSpec, ExecStream};
pub use fact::{ContainerFact, ContainerState, Health};
pub use image::ImageFact;
pub use logs::{LogLine, LogOptions, LogSource};
pub use oom::KILLED;
pub use place::{NoPlace, Place};
pub use resources::{ResourceFact, VolumeFact};
pub use spec::{ContainerSpec, Limits, Mount, SpecError, Tmpfs, User};
pub use ssh_address::SshAddress;
pub use stats::StatsSample;
pub use tls::{Tls, TlsError, TlsFiles};
