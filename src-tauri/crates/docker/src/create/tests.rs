use std::path::PathBuf;
use std::time::Duration;

use expect_test::expect;

use super::*;
use crate::spec::User;

fn plain() -> ContainerSpec {
    let user = User::new(1000, 1001).expect("not root");
    ContainerSpec::new("image:1", "name", user)
}

fn json(spec: &ContainerSpec) -> String {
    let body = create_body(spec).expect("a valid spec");
    let value = serde_json::to_value(body).expect("JSON");
    serde_json::to_string_pretty(&value).expect("JSON")
}

#[test]
fn a_plain_container_has_every_safe_default() {
    expect![[r#"
        {
          "Env": [],
          "HostConfig": {
            "CapDrop": [
              "ALL"
            ],
            "Init": false,
            "IpcMode": "private",
            "LogConfig": {
              "Config": {
                "max-file": "3",
                "max-size": "10m"
              },
              "Type": "local"
            },
            "Memory": 4294967296,
            "MemorySwap": 4294967296,
            "Mounts": [],
            "NanoCpus": 2000000000,
            "NetworkMode": "none",
            "PidsLimit": 512,
            "Privileged": false,
            "PublishAllPorts": false,
            "ReadonlyRootfs": false,
            "RestartPolicy": {
              "Name": "no"
            },
            "SecurityOpt": [
              "no-new-privileges"
            ],
            "Tmpfs": {},
            "Ulimits": [
              {
                "Hard": 8192,
                "Name": "nofile",
                "Soft": 8192
              },
              {
                "Hard": 0,
                "Name": "core",
                "Soft": 0
              }
            ]
          },
          "Image": "image:1",
          "Labels": {},
          "OpenStdin": false,
          "Tty": false,
          "User": "1000:1001"
        }"#]]
    .assert_eq(&json(&plain()));
}

#[test]
fn a_session_s_container_in_full() {
    let bind = |source: &str, target: &str, read_only| Mount::Bind {
        source: PathBuf::from(source),
        target: target.to_owned(),
        read_only,
    };
    let mut spec = plain();
    spec.labels
        .insert("dev.mizzen.app".to_owned(), "mizzen".to_owned());
    spec.env.insert("HOME".to_owned(), "/home/coder".to_owned());
    spec.entrypoint = Some(vec!["/usr/local/bin/mizzen-supervisor".to_owned()]);
    spec.working_dir = Some("/workspace".to_owned());
    spec.hostname = Some("web".to_owned());
    spec.network = Some("mizzen-web".to_owned());
    spec.stop_timeout = Some(Duration::from_secs(30));
    spec.limits = Limits {
        memory_bytes: 1 << 30,
        cpus: 1.5,
        pids: 100,
    };
    spec.mounts = vec![
        bind("/home/me/a: b", "/workspace", false),
        Mount::Tmpfs {
            target: "/workspace/.para".to_owned(),
            read_only: true,
            size_bytes: 65_536,
            mode: 0o755,
        },
        Mount::Volume {
            empty: true,
            name: "mizzen-web-config".to_owned(),
            target: "/home/coder/.config".to_owned(),
            labels: spec.labels.clone(),
        },
    ];
    spec.tmpfs = vec![Tmpfs {
        target: "/run/mizzen".to_owned(),
        size_bytes: 1 << 20,
        mode: 0o700,
        owner: Some(spec.user),
    }];
    expect![[r#"
        {
          "Entrypoint": [
            "/usr/local/bin/mizzen-supervisor"
          ],
          "Env": [
            "HOME=/home/coder"
          ],
          "HostConfig": {
            "CapDrop": [
              "ALL"
            ],
            "Init": false,
            "IpcMode": "private",
            "LogConfig": {
              "Config": {
                "max-file": "3",
                "max-size": "10m"
              },
              "Type": "local"
            },
            "Memory": 1073741824,
            "MemorySwap": 1073741824,
            "Mounts": [
              {
                "ReadOnly": false,
                "Source": "/home/me/a: b",
                "Target": "/workspace",
                "Type": "bind"
              },
              {
                "ReadOnly": true,
                "Target": "/workspace/.para",
                "TmpfsOptions": {
                  "Mode": 493,
                  "SizeBytes": 65536
                },
                "Type": "tmpfs"
              },
              {
                "Source": "mizzen-web-config",
                "Target": "/home/coder/.config",
                "Type": "volume",
                "VolumeOptions": {
                  "Labels": {
                    "dev.mizzen.app": "mizzen"
                  },
                  "NoCopy": true
                }
              }
            ],
            "NanoCpus": 1500000000,
            "NetworkMode": "mizzen-web",
            "PidsLimit": 100,
            "Privileged": false,
            "PublishAllPorts": false,
            "ReadonlyRootfs": false,
            "RestartPolicy": {
              "Name": "no"
            },
            "SecurityOpt": [
              "no-new-privileges"
            ],
            "Tmpfs": {
              "/run/mizzen": "rw,nosuid,nodev,noexec,size=1048576,mode=0700,uid=1000,gid=1001"
            },
            "Ulimits": [
              {
                "Hard": 8192,
                "Name": "nofile",
                "Soft": 8192
              },
              {
                "Hard": 0,
                "Name": "core",
                "Soft": 0
              }
            ]
          },
          "Hostname": "web",
          "Image": "image:1",
          "Labels": {
            "dev.mizzen.app": "mizzen"
          },
          "OpenStdin": false,
          "StopTimeout": 30,
          "Tty": false,
          "User": "1000:1001",
          "WorkingDir": "/workspace"
        }"#]]
    .assert_eq(&json(&spec));
}

#[test]
fn root_is_no_user() {
    assert_eq!(User::new(0, 1000), Err(SpecError::Root));
    assert_eq!(User::new(0, 0), Err(SpecError::Root));
    assert!(
        User::new(1000, 0).is_ok(),
        "a group is no privilege without capabilities"
    );
}

#[test]
fn what_cannot_be_asked_for() {
    type Change = fn(&mut ContainerSpec);
    let rows: [(&str, Change); 12] = [
        ("relative target", |s| s.mounts.push(tmpfs_at("workspace"))),
        ("NUL in a target", |s| s.mounts.push(tmpfs_at("/a\0b"))),
        ("relative source", |s| {
            s.mounts.push(Mount::Bind {
                source: "work".into(),
                target: "/w".to_owned(),
                read_only: false,
            });
        }),
        ("relative memory file system", |s| {
            let tmpfs = Tmpfs {
                target: "run".to_owned(),
                size_bytes: 1,
                mode: 0,
                owner: None,
            };
            s.tmpfs.push(tmpfs);
        }),
        ("empty variable name", |s| {
            drop(s.env.insert(String::new(), "x".to_owned()))
        }),
        ("'=' in a variable name", |s| {
            drop(s.env.insert("a=b".to_owned(), "x".to_owned()))
        }),
        ("NUL in a variable", |s| {
            drop(s.env.insert("a".to_owned(), "x\0".to_owned()))
        }),
        ("no memory", |s| s.limits.memory_bytes = 0),
        ("too much memory", |s| s.limits.memory_bytes = u64::MAX),
        ("no processor", |s| s.limits.cpus = 0.0),
        ("no number of processors", |s| s.limits.cpus = f64::NAN),
        ("no processes, which would mean any number", |s| {
            s.limits.pids = 0
        }),
    ];
    for (case, change) in rows {
        let mut spec = plain();
        change(&mut spec);
        create_body(&spec).expect_err(case);
    }
}

fn tmpfs_at(target: &str) -> Mount {
    Mount::Tmpfs {
        target: target.to_owned(),
        read_only: true,
        size_bytes: 1,
        mode: 0o755,
    }
}
