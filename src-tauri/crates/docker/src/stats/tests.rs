use super::*;

fn sample(json: &serde_json::Value) -> StatsSample {
    parse(json.to_string().as_bytes()).expect("a sample")
}

#[test]
fn use_is_counted_as_docker_stats_counts_it() {
    let v1 = serde_json::json!({
        "precpu_stats": { "cpu_usage": { "total_usage": 100 }, "system_cpu_usage": 1000, "online_cpus": 4 },
        "cpu_stats": { "cpu_usage": { "total_usage": 150 }, "system_cpu_usage": 1400, "online_cpus": 4 },
        "memory_stats": { "usage": 1000, "limit": 5000, "stats": { "total_inactive_file": 300, "inactive_file": 1 } },
        "pids_stats": { "current": 3 },
    });
    assert_eq!(
        sample(&v1),
        StatsSample {
            cpu_percent: Some(50.0),
            memory_bytes: 700,
            memory_limit_bytes: 5000,
            pids: 3
        }
    );
}

#[test]
fn newer_control_groups_name_the_cache_otherwise() {
    let v2 = serde_json::json!({
        "memory_stats": { "usage": 1000, "limit": 5000, "stats": { "inactive_file": 400 } },
    });
    assert_eq!(sample(&v2).memory_bytes, 600);
}

#[test]
fn the_first_sample_of_a_run_knows_no_processor_use() {
    let first = serde_json::json!({
        "precpu_stats": { "cpu_usage": { "total_usage": 0 } },
        "cpu_stats": { "cpu_usage": { "total_usage": 150 }, "system_cpu_usage": 1400 },
    });
    assert_eq!(sample(&first).cpu_percent, None);
}

#[test]
fn counters_that_ran_backwards_are_no_use_at_all() {
    let restarted = serde_json::json!({
        "precpu_stats": { "cpu_usage": { "total_usage": 200 }, "system_cpu_usage": 1000 },
        "cpu_stats": { "cpu_usage": { "total_usage": 150 }, "system_cpu_usage": 1400 },
    });
    assert_eq!(sample(&restarted).cpu_percent, None);
}

#[test]
fn a_stopped_container_s_empty_sample_is_zero() {
    let empty = serde_json::json!({ "memory_stats": {}, "pids_stats": {} });
    assert_eq!(sample(&empty).memory_bytes, 0);
}
