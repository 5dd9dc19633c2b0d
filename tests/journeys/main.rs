//! What a stranger does: clones the repository and types what the README says.

mod read_me;
