//! Atomic writes, safe reads and file watching with errors that name their path.
