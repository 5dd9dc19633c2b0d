//! What the shape of the repository promises, read from the repository itself.
//!
//! Each module is one promise of ARCHITECTURE.md or CONTRIBUTING.md; a failure names the file
//! and what to do about it.

mod arrows;
mod dependencies;
mod documents;
mod files;
mod licences;
mod purity;
mod repository;
