//! The mirror of Docker contexts, with the real Docker command line as the one who writes on both sides.

mod as_docker;
mod both;
mod emptied;
mod foreign_disk;
mod inside;
mod killed;
mod resting;
mod rig;
mod storm;
mod wild;
