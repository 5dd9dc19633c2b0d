//! The README's commands, in its order, typed as they are written.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use mizzen_tests::desktop::{App, Desktop, until};

/// How long `make run` may take to build and start.
const BUILD: Duration = Duration::from_secs(30 * 60);

/// A stranger with a clone, a desktop, and a project called `shop`.
struct Stranger {
    desktop: Desktop,
    clone: PathBuf,
}

impl Stranger {
    fn new() -> Self {
        let desktop = Desktop::new();
        let clone = desktop.path("mizzen-clone");
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        run(Command::new("git")
            .args(["clone", "--quiet"])
            .arg(&root)
            .arg(&clone));
        let shop = desktop.path("shop");
        std::fs::create_dir(&shop).expect("an empty folder");
        // Tests may run as root, whose folders are refused.
        run(Command::new("chown").arg("4321:4321").arg(&shop));
        Self { desktop, clone }
    }

    /// A command line in the stranger's home, with the clone's programs on the `PATH`.
    ///
    /// What was downloaded and compiled before is shared; nothing else of this machine is.
    fn types(&self, line: &str) -> Command {
        let target = target();
        let mut shell = self.desktop.command(Path::new("bash"));
        let path = std::env::var("PATH").expect("a PATH");
        shell
            .args(["-c", line])
            .current_dir(self.desktop.path("."))
            .env(
                "PATH",
                format!(
                    "{}/bin:{}/debug:{path}",
                    self.desktop.path("").display(),
                    target.display()
                ),
            )
            .env("PROFILE", "dev")
            .env("CARGO_TARGET_DIR", target)
            .env("CARGO_HOME", inherited("CARGO_HOME", ".cargo"))
            .env("RUSTUP_HOME", inherited("RUSTUP_HOME", ".rustup"))
            .env("npm_config_cache", inherited("npm_config_cache", ".npm"));
        shell
    }

    /// `make run`, until the tray icon and the window are there.
    fn makes_run(&self, line: &str) -> App {
        let mut shell = self.types(line);
        shell.current_dir(&self.clone);
        let mut app = self.desktop.run(shell);
        let start = Instant::now();
        while !app.log().contains("tray built") {
            assert!(app.runs(), "`{line}` ended:\n{}", app.stderr());
            assert!(
                start.elapsed() < BUILD,
                "`{line}` still builds:\n{}",
                app.stderr()
            );
            std::thread::sleep(Duration::from_millis(200));
        }
        until("a tray icon with a menu", || {
            (!self.desktop.tray().rows().is_empty()).then_some(())
        });
        until("a window", || self.desktop.shows_window().then_some(()));
        app
    }
}

#[test]
fn the_read_mes_commands_work_as_written() {
    let stranger = Stranger::new();
    let lines = shell_lines(&stranger.clone.join("README.md"));
    let mut app = None;
    for line in &lines {
        match line.as_str() {
            "make run" => app = Some(stranger.makes_run(line)),
            // This test runs inside it; that it exists and is sound is what is left to see.
            "make test" => {
                run(stranger
                    .types("make --dry-run test")
                    .current_dir(&stranger.clone));
            }
            line => {
                run(&mut stranger.types(line));
            }
        }
    }
    assert!(
        lines.iter().any(|line| line.starts_with("mizzen up ")),
        "{lines:?}"
    );
    let opened = stranger.desktop.opened();
    assert!(
        matches!(&opened[..], [url] if url.starts_with("http://shop.localhost:")),
        "opened in the browser: {opened:?}"
    );
    let app = app.as_mut().expect("the README says `make run`");
    app.signal("TERM");
    // The signal reaches make as well, so the code tells nothing about the application.
    let _ended = app.wait();
    let left: Vec<_> = std::fs::read_dir(stranger.desktop.path("shop"))
        .expect("the folder is still there")
        .flatten()
        .map(|entry| entry.file_name())
        .filter(|name| name != ".para")
        .collect();
    assert!(left.is_empty(), "left in the project folder: {left:?}");
}

/// The lines of the `sh` blocks of a document, without their comments.
fn shell_lines(document: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(document).expect("a readable document");
    let blocks = text.split("```sh\n").skip(1);
    let lines = blocks.flat_map(|block| block.split("```").next().unwrap_or_default().lines());
    let commands = lines.map(|line| line.split(" #").next().unwrap_or_default().trim());
    commands
        .filter(|command| !command.is_empty())
        .map(str::to_owned)
        .collect()
}

/// Runs to the end, which must be a good one.
#[track_caller]
fn run(command: &mut Command) -> String {
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success(),
        "{command:?}: {}\n{said}\n{}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    said
}

/// A folder of the person who runs the tests: named by a variable, else below the home.
fn inherited(variable: &str, below_home: &str) -> PathBuf {
    std::env::var_os(variable).map_or_else(
        || PathBuf::from(std::env::var_os("HOME").expect("a home")).join(below_home),
        PathBuf::from,
    )
}

/// The folder that this test was built in.
fn target() -> PathBuf {
    let test = std::env::current_exe().expect("a program's own path");
    test.ancestors()
        .nth(3)
        .expect("target/debug/deps")
        .to_path_buf()
}
