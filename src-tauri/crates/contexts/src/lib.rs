//! The Docker CLI's context store and which engine is selected.
