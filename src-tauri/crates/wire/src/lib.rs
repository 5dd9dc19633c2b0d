//! One byte stream to many typed, flow-controlled streams.
//!
//! The core starts `mizzen-supervisor attach` in a container and calls [`connect`] on its stdio;
//! the supervisor calls [`accept`]. After a handshake either side has a [`Wire`]; the core opens
//! streams of a [`StreamKind`], and the supervisor answers each before bytes flow. The handshake
//! may move the bytes to a [`DirectLine`]; stdio is then the leash, whose end is the wire's.
//!
//! Invariant: every byte from the container is hostile. Lengths are capped before anything is
//! allocated, streams are counted, and a peer that floods, stalls or lies ends its own wire only.
//! Invariant: only the core opens streams; a container that opens one has broken the protocol.
//! Invariant: memory held for a peer is bounded by [`MAX_STREAMS`] × 256 KiB + 32 MiB.
//! Invariant: texts from the peer are not fit to be shown before they are sanitised.

mod blocking;
pub mod control;
mod direct_line;
mod frame;
pub mod git;
mod handshake;
mod kind;
mod mux;
mod parts;
pub mod pty;
mod stream;

pub use blocking::{BlockingReader, BlockingWriter, into_blocking};
pub use control::{Control, SupervisorReport};
pub use direct_line::{BoxedIo, DirectLine, Io, Offer, Token, Way};
pub use frame::{FRAME_CAP, read_frame, write_frame};
pub use handshake::{HandshakeError, Hello, VERSION};
pub use kind::{Probe, ShellSpec, StreamKind, Target};
pub use mux::{Closed, Incoming, MAX_STREAMS, OpenError, Opening, Request, Wire, accept, connect};
pub use parts::{read_part, write_part};
pub use stream::Stream;

#[cfg(test)]
mod tests;
