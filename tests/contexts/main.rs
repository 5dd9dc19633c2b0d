//! The mirror of Docker contexts, with the real Docker command line as the one who writes on both sides.

mod both;
mod emptied;
mod killed;
mod rig;
mod wild;
