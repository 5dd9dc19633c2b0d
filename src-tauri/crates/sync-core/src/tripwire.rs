//! Files that a person's tools run or obey without being asked: an editor that opens the folder, a shell that enters it,
//! git when it commits. Pure.

use crate::name::RelPath;
use crate::tree::Node;

/// All that lies in these.
const DIRS: [&str; 3] = [".devcontainer", ".githooks", ".husky"];
/// In a directory of this name; all in lower case.
const IN_DIRS: [(&str, &str); 9] = [
    (".cargo", "config"),
    (".cargo", "config.toml"),
    (".claude", "settings.json"),
    (".claude", "settings.local.json"),
    (".idea", "workspace.xml"),
    (".idea", "runconfigurations"),
    (".vscode", "launch.json"),
    (".vscode", "settings.json"),
    (".vscode", "tasks.json"),
];
const FILES: [&str; 8] = [
    ".devcontainer.json",
    ".envrc",
    ".lefthook.yaml",
    ".lefthook.yml",
    ".mcp.json",
    ".pre-commit-config.yaml",
    "lefthook.yaml",
    "lefthook.yml",
];
const ENDING: &str = ".code-workspace";

/// Whether tools heed a file of this path. It counts wherever it lies, since any folder may be opened by itself, and in any
/// case, since some disks know none.
fn is_tripwire(path: &RelPath) -> bool {
    let names: Vec<String> = path
        .components()
        .map(|name| String::from_utf8_lossy(name).to_lowercase())
        .collect();
    let Some((file, above)) = names.split_last() else {
        return false;
    };
    let lies_in = above.iter().any(|name| DIRS.contains(&name.as_str()));
    let mut pairs = names.windows(2);
    let is_pair = |pair: &[String]| IN_DIRS.contains(&(pair[0].as_str(), pair[1].as_str()));
    lies_in || pairs.any(is_pair) || FILES.contains(&file.as_str()) || file.ends_with(ENDING)
}

/// All of these at and below a place that came there.
pub fn tripwires(path: &RelPath, came: &Node, found: &mut Vec<RelPath>) {
    match came {
        Node::Dir(dir) => dir
            .iter()
            .for_each(|(name, child)| tripwires(&path.join(name), child, found)),
        Node::File(_) | Node::Link(_) if is_tripwire(path) => found.push(path.clone()),
        Node::File(_) | Node::Link(_) | Node::Unsyncable(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::{RelPath, is_tripwire};

    #[test]
    fn what_tools_run_by_themselves_is_known_by_its_path() {
        for (path, expected) in [
            (".envrc", true),
            ("deep/below/.ENVRC", true),
            (".vscode/tasks.json", true),
            ("web/.vscode/settings.json", true),
            (".vscode/extensions.json", false),
            (".devcontainer/devcontainer.json", true),
            (".devcontainer", false),
            (".husky/_/pre-commit", true),
            (".idea/runConfigurations/all.xml", true),
            (".idea/misc.xml", false),
            ("team.code-workspace", true),
            ("lefthook.yml", true),
            ("tasks.json", false),
            ("src/envrc", false),
            ("", false),
        ] {
            let found = is_tripwire(&RelPath::new(path.as_bytes()).unwrap());
            assert_eq!(found, expected, "{path}");
        }
    }
}
