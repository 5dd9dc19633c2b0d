//! The command line on a real engine, as a person at a terminal meets it.

mod adoption;
mod engine_restart;
mod engines;
mod errors;
mod exec;
mod far;
mod gateway;
mod killed;
mod life;
mod offline;
mod outside;
mod papers;
mod protocol;
mod remote;
mod reported;
mod selection;
mod shell;
mod sync;
mod sync_container;
mod sync_known;
mod sync_settings;
mod terminal;
