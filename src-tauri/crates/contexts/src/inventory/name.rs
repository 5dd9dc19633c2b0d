//! Names that each side has for itself.

/// Never carried over, deleted or counted, whichever side has it.
const SPECIAL: [&str; 2] = ["containai-docker", "default"];

pub(crate) fn is_special_name(name: &str) -> bool {
    SPECIAL.contains(&name)
}

pub(super) fn is_special_folder(folder: &str) -> bool {
    SPECIAL
        .iter()
        .any(|name| crate::store::context_id(name).eq_ignore_ascii_case(folder))
}
