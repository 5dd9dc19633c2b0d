//! Which contexts there are, as the CLI lists them.

use std::path::Path;

use crate::select::{DEFAULT, SelectError, SelectionEnv, is_context_name};
use crate::store::{self, context_id};

/// Most contexts that are listed.
const MOST: usize = 1000;

/// Names of all contexts in order, `default` first. What cannot be read as a context is none.
///
/// # Errors
/// There is a store, and it cannot be listed.
pub fn context_names(env: &SelectionEnv) -> Result<Vec<String>, SelectError> {
    let folders = env.config_folder().join("contexts/meta");
    let mut names: Vec<String> = store::folders(&folders, MOST)?
        .into_iter()
        .filter_map(|folder| name_in(&folders, &folder))
        .collect();
    names.sort();
    names.insert(0, DEFAULT.to_owned());
    Ok(names)
}

/// The context that a folder is of: the folder is named by it.
fn name_in(folders: &Path, folder: &str) -> Option<String> {
    let name = store::name_in(&folders.join(folder)).ok().flatten()?;
    let is_its_own = context_id(&name) == folder;
    (is_its_own && is_context_name(&name)).then_some(name)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{SelectionEnv, context_names};
    use crate::store::context_id;

    #[test]
    fn contexts_are_listed_by_their_names_and_nothing_else_is() {
        let home = tempfile::tempdir().unwrap();
        let env = SelectionEnv {
            home: home.path().to_owned(),
            ..SelectionEnv::default()
        };
        assert_eq!(context_names(&env).unwrap(), ["default"]);
        let meta = home.path().join(".docker/contexts/meta");
        let put = |folder: &str, text: &str| {
            fs::create_dir_all(meta.join(folder)).unwrap();
            mizzen_fsx::write_atomic(meta.join(folder).join("meta.json"), text.as_bytes()).unwrap();
        };
        put(&context_id("far"), r#"{"Name":"far"}"#);
        put(&context_id("a.lab"), r#"{"Name":"a.lab"}"#);
        put(&context_id("ghost"), r#"{"Name":"far"}"#);
        put(&context_id("torn"), "{");
        put(&context_id("a b"), r#"{"Name":"a b"}"#);
        fs::create_dir(meta.join("empty")).unwrap();
        mizzen_fsx::write_atomic(meta.join("file"), b"").unwrap();
        assert_eq!(context_names(&env).unwrap(), ["default", "a.lab", "far"]);
    }
}
