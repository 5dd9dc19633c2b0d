use mizzen_fsx::{SafeDir, write_atomic};
use serde_json::json;

use super::{SessionWord, read_docker_file, read_registry, read_session_file};
use crate::{Keep, Reading, write_json};

fn holding(name: &str, json: &str) -> (tempfile::TempDir, SafeDir) {
    let dir = tempfile::tempdir().unwrap();
    write_atomic(dir.path().join(name), json.as_bytes()).unwrap();
    let safe = SafeDir::open(dir.path()).unwrap();
    (dir, safe)
}

const REGISTRY: &str = r#"{
  "containers": [{
    "session_name": "feature-auth", "container_id": "abc123def456", "status": "running",
    "started_at": "2024-01-20T10:00:00Z",
    "host_port_mappings": { "3000": "3000", "5432": "15432" },
    "health_endpoint": "http://localhost:3000/health", "later": true
  }, { "session_name": "web", "container_id": "../../etc" }, 5],
  "last_updated": "2024-01-20T10:33:00Z"
}"#;

#[test]
fn the_protocols_registry_is_read_and_kept() {
    let (dir, safe) = holding("registry.json", REGISTRY);
    let registry = read_registry(&safe, None).good().unwrap();
    let [entry] = registry.containers.as_slice() else {
        panic!("{registry:?}")
    };
    assert_eq!(
        (entry.session_name.as_str(), entry.status.as_str()),
        ("feature-auth", "running")
    );
    assert_eq!(
        entry.host_port_mappings.keys().collect::<Vec<_>>(),
        ["3000", "5432"]
    );
    let endpoint = entry.health_endpoint.as_ref().unwrap();
    assert_eq!(endpoint.to_string(), "http://localhost:3000/health");
    write_json(dir.path().join("registry.json"), &registry, None).unwrap();
    assert_eq!(read_registry(&safe, None).good().unwrap(), registry);
    assert_eq!(registry.containers[0].extra["later"], true);
}

#[test]
fn row_26_ports_that_are_none_are_dropped_and_the_others_stay() {
    let odd = r#""3000": "99999", "a": "1", "1": "a", "2": "-2", "-2": "2", "0": "3", "3": "0", "4": "+4", "5": 5, "#;
    let odd = REGISTRY.replace(r#""3000": "3000", "#, odd);
    let (_dir, safe) = holding("registry.json", &odd);
    let registry = read_registry(&safe, None).good().unwrap();
    let ports = &registry.containers[0].host_port_mappings;
    assert_eq!(ports.keys().collect::<Vec<_>>(), ["5432"]);
}

#[test]
fn row_25_an_address_elsewhere_is_none() {
    let elsewhere = REGISTRY.replace("localhost:3000", "169.254.169.254");
    let (_dir, safe) = holding("registry.json", &elsewhere);
    let registry = read_registry(&safe, None).good().unwrap();
    assert_eq!(registry.containers[0].health_endpoint, None);
}

#[test]
fn row_64_a_newer_schema_is_not_ours_to_rewrite() {
    let (_dir, safe) = holding("registry.json", r#"{"schema": 2, "containers": []}"#);
    assert!(matches!(
        read_registry(&safe, None),
        Reading::Keep(Keep::Newer(2))
    ));
}

#[test]
fn a_session_file_of_an_older_tool_keeps_its_fields() {
    let text = json!({
        "name": "web", "branch": "para/web", "worktree_path": "/p/web",
        "created_at": "2024-01-20T10:00:00Z", "status": "Review",
        "session_type": {"Container": {"container_id": "abc"}}, "sandbox_profile": "permissive"
    });
    let (dir, safe) = holding("web.state", &text.to_string());
    let mut file = read_session_file(&safe, "web", None).good().unwrap();
    assert_eq!(file.status, SessionWord::Review);
    file.status = SessionWord::Active;
    write_json(dir.path().join("web.state"), &file, None).unwrap();
    let again = read_session_file(&safe, "web", None).good().unwrap();
    assert_eq!(again.extra["sandbox_profile"], "permissive");
    assert_eq!(again, file);
}

#[test]
fn an_incomplete_file_is_kept_with_the_missing_field_named() {
    let (_dir, safe) = holding("web.docker", r#"{"schema": 1, "session_name": "web"}"#);
    let Reading::Keep(keep) = read_docker_file(&safe, "web", None) else {
        panic!("must keep")
    };
    assert!(keep.to_string().contains("container_id"), "{keep}");
}
