//! Two folders kept in step while all goes wrong that can: what is written survives, and both come to the same end.

mod alone;
mod damaged;
mod files;
mod folding;
mod full_disk;
mod killed;
mod link;
mod mounts;
mod pair;
#[cfg(target_os = "linux")]
mod spelling;
mod storm;
mod wild;
