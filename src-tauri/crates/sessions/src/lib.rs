//! The session state machine and its verbs.
