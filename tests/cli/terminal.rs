//! What a terminal does to a command: Ctrl-C, a reader that leaves, no command at all.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

use mizzen_core::Client;
use mizzen_core::view::SessionState;
use mizzen_tests::rig::{Mizzen, Said, find, program, until};

#[tokio::test]
async fn ctrl_c_ends_the_wait_for_an_up_and_the_core_goes_on_with_it() {
    let mizzen = Mizzen::new();
    let folder = mizzen.project("p");
    // As a terminal has it: the command and whatever it starts are one group.
    let up = mizzen
        .command(["up", folder.to_str().unwrap()])
        .process_group(0)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // It waits for the core that the `up` starts.
    mizzen.json(&["list"]);
    let client = Client::connect(&mizzen.dirs()).await.unwrap();
    until(&client, "the up is under way", |snapshot| {
        find(snapshot, "p").is_some()
    })
    .await;
    interrupt_group(up.id());

    let said = Said::from(up.wait_with_output().unwrap());
    assert_eq!((said.code, said.stdout.as_str()), (130, ""), "{said:?}");
    assert!(said.stderr.contains("goes on"), "{said:?}");
    until(&client, "the session runs all the same", |snapshot| {
        find(snapshot, "p").is_some_and(|view| view.state == SessionState::Running)
    })
    .await;
}

/// What Ctrl-C is: a signal to the whole group in the foreground.
fn interrupt_group(leader: u32) {
    let group = format!("-{leader}");
    let kill = Command::new("kill")
        .args(["-s", "INT", "--", &group])
        .status();
    assert!(kill.expect("kill runs").success());
}

#[test]
fn a_reader_that_left_is_no_error() {
    let mizzen = Mizzen::new();
    let folder = mizzen.project("p");
    for args in [
        &["up", folder.to_str().unwrap()][..],
        &["list"],
        &["list", "--json"],
        &["show", "p"],
        &["events"],
        &["doctor"],
        &["image", "list"],
        &["completions", "bash"],
        &["man"],
        &["--help"],
    ] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let command = mizzen
            .command(args)
            .stdout(writer)
            .stderr(Stdio::piped())
            .spawn();
        let command = command.unwrap();
        if args == ["events"] {
            // It writes when there is something to write.
            mizzen.json(&["pause", "p"]);
        }
        let said = Said::from(command.wait_with_output().unwrap());
        assert_eq!((said.code, said.stderr.as_str()), (0, ""), "{args:?}");
    }
}

#[test]
fn without_a_command_the_desktop_program_beside_it_is_started() {
    let home = tempfile::tempdir().unwrap();
    let here = home.path();
    fs::copy(program("mizzen"), here.join("mizzen")).unwrap();
    let mizzen = || {
        let mut command = Command::new(here.join("mizzen"));
        command.env("MIZZEN_HOME", here).env("DISPLAY", ":99");
        command
    };

    let alone = Said::from(mizzen().output().unwrap());
    assert_eq!(alone.code, 5, "{alone:?}");
    assert_eq!(alone.stderr.lines().count(), 1, "{alone:?}");
    assert!(alone.stderr.contains("mizzen --help"), "{alone:?}");

    // Reading from a FIFO waits for who writes to it.
    let told = here.join("told");
    assert!(
        Command::new("mkfifo")
            .arg(&told)
            .status()
            .unwrap()
            .success()
    );
    let script = format!("#!/bin/sh\necho \"started $#\" > {}\n", told.display());
    let desktop = here.join("mizzen-desktop");
    mizzen_fsx::write_atomic(&desktop, script.as_bytes()).unwrap();
    fs::set_permissions(&desktop, fs::Permissions::from_mode(0o755)).unwrap();
    let beside = Said::from(mizzen().output().unwrap());
    assert_eq!(beside.code, 0, "{beside:?}");
    assert_eq!(fs::read_to_string(&told).unwrap(), "started 0\n");

    // Nobody would see what the desktop program says to that.
    let blind = mizzen()
        .env_remove("DISPLAY")
        .env("WAYLAND_DISPLAY", "")
        .output();
    let blind = Said::from(blind.unwrap());
    assert_eq!(blind.code, 2, "{blind:?}");
    assert!(blind.stderr.contains("mizzen serve"), "{blind:?}");
}
