//! The core's control socket and what its clients see.

mod events;
mod foreign_user;
mod git;
mod looking;
mod manners;
mod reports;
mod sync;
