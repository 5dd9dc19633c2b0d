//! The status protocol's files: schema, tolerant reader, atomic writer.
//!
//! Invariant: no file, whatever its content, makes a reader panic, block, or use memory beyond a
//! small multiple of its cap. Invalid content keeps the last good value ([`Reading::Keep`]).
//! Invariant: text that a container wrote leaves this crate sanitised; unknown fields survive.
//! Invariant: freshness is the reader's own time since arrival, never a time from a file.

mod ack;
mod carried;
mod check;
mod commands;
mod document;
mod fields;
mod freshness;
mod health;
mod host;
mod metrics;
mod outbox;
mod report;
mod status;
mod text;
mod words;

pub use ack::{ACKS, Ack, AckState, LEDGER_FILE, LEDGER_MAX};
pub use carried::{CarriedFile, End, NotTaken, PART_MAX, Part, Taker, Teller, carried_file};
pub use check::{Finding, Verdict, check};
pub use commands::{
    Command, CommandId, Commands, Exec, LOG_MAX, OUTPUT_MAX, Order, Priority, QUEUE, Queued,
    Signal, TIMEOUT_DEFAULT, TIMEOUT_MAX, one_word, read_commands, write_commands,
};
pub use document::{Keep, Reading, write_json};
pub use freshness::Freshness;
pub use health::{BadEndpoint, HealthEndpoint, HealthSettingsError, project_health_endpoint};
pub use host::{
    DockerFile, Registry, RegistryEntry, SECURITY_PROFILE, SessionFile, SessionWord,
    read_docker_file, read_registry, read_session_file,
};
pub use metrics::{Metrics, read_metrics, write_metrics};
pub use outbox::{Asked, Outbox, Refused, Shown};
pub use report::{REPORT_MAX, Report};
pub use status::{
    Health, NOTICES, Notice, Progress, STATUS_MAX, Status, StatusWord, read_status, write_status,
};
pub use text::{TEXT_CAP, sanitise};

/// Version of the files' schema that this crate writes.
pub const SCHEMA: u64 = 1;
/// Name of the file in which a container reports.
pub const STATUS_FILE: &str = "status.json";
/// Name of the file in which a container says what it uses.
pub const METRICS_FILE: &str = "metrics.json";
/// Name of the file in which the host asks for things to be done.
pub const COMMANDS_FILE: &str = "commands.json";
/// Name of the file in which the host lists its containers.
pub const REGISTRY_FILE: &str = "registry.json";
