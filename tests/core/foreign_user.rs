//! The control socket is its user's alone.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};

use mizzen_core::Client;
use mizzen_tests::rig::Mizzen;

/// Asks the core as another user.
fn ask_as_stranger(mizzen: &Mizzen) -> Output {
    let ours = mizzen.command(["list"]);
    let stranger = ["--reuid=65534", "--regid=65534", "--clear-groups"];
    let mut command = Command::new("setpriv");
    command
        .args(stranger)
        .arg(ours.get_program())
        .args(ours.get_args());
    let set = ours
        .get_envs()
        .filter_map(|(name, value)| Some((name, value?)));
    command.envs(set).output().expect("setpriv is installed")
}

#[tokio::test]
async fn another_user_is_kept_out_twice() {
    let mizzen = Mizzen::new();
    let client = mizzen.client().await;
    let socket = mizzen.dirs().control_socket();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(
        (mode(socket.parent().unwrap()), mode(&socket)),
        (0o700, 0o600)
    );

    let outside = ask_as_stranger(&mizzen);
    assert_eq!(outside.status.code(), Some(1), "{outside:?}");
    assert!(
        String::from_utf8_lossy(&outside.stderr).contains("denied"),
        "{outside:?}"
    );

    // Somebody loosened both: the core itself still asks who is there.
    for (path, mode) in [(socket.parent().unwrap(), 0o755), (&*socket, 0o666)] {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }
    let inside = ask_as_stranger(&mizzen);
    assert_eq!(
        (inside.status.code(), &*inside.stdout),
        (Some(1), &b""[..]),
        "{inside:?}"
    );
    let log = mizzen.log();
    assert!(log.contains("refused a client of another user"), "{log}");
    client
        .snapshot()
        .await
        .expect("its own user is not disturbed");
    Client::connect(&mizzen.dirs())
        .await
        .expect("and may come again");
}
