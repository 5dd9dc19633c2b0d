//! A desktop of a test's own: a screen, a session bus, a tray host, a notification server and a
//! browser that only writes down what it was asked to open.
//!
//! Every wait polls until a deadline and says what it waited for.

mod app;
mod bus;
mod menu;
mod page;
mod process;
mod screen;
mod sessions;
mod toasts;
mod tray;

use std::fs;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use tempfile::TempDir;

pub use app::App;
pub use menu::Row;
pub use page::Page;
pub use sessions::{Sessions, docker};
pub use toasts::Toast;
pub use tray::Tray;

use bus::Bus;
use screen::Screen;

/// Longest wait: a debug build on a busy machine.
const DEADLINE: Duration = Duration::from_secs(60);
/// Between two looks.
const INTERVAL: Duration = Duration::from_millis(20);

/// One person's desktop; everything in it ends with it.
pub struct Desktop {
    // Dropped from top to bottom: programs before the bus and the screen that they talk to.
    bus: Bus,
    screen: Screen,
    home: TempDir,
}

/// Asks again and again until there is an answer.
///
/// # Panics
/// When there is none before the deadline.
pub fn until<T>(what: &str, look: impl FnMut() -> Option<T>) -> T {
    until_or(|| what.to_owned(), look)
}

/// The same, with a story of what was seen instead, told at the end.
fn until_or<T>(story: impl Fn() -> String, mut look: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        if start.elapsed() >= DEADLINE {
            panic!("waited {DEADLINE:?} in vain: {}", story());
        }
        std::thread::sleep(INTERVAL);
    }
}

impl Desktop {
    /// A desktop with a tray host.
    #[must_use]
    pub fn new() -> Self {
        let desktop = Self::without_tray();
        desktop.bus.offer_tray();
        desktop
    }

    /// A desktop whose panel has not come up.
    #[must_use]
    pub fn without_tray() -> Self {
        let home = tempfile::Builder::new()
            .prefix("mizzen-desktop-")
            .tempdir()
            .expect("a folder");
        let screen = Screen::start();
        let bus = Bus::start();
        let desktop = Self { bus, screen, home };
        for dir in ["config", "data", "cache", "mizzen", "bin"] {
            fs::create_dir(desktop.path(dir)).expect("an empty folder");
        }
        let mut private = fs::DirBuilder::new();
        private
            .mode(0o700)
            .create(desktop.path("runtime"))
            .expect("an empty folder");
        desktop.write_browser();
        desktop
    }

    /// Brings the panel up.
    pub fn offer_tray(&self) {
        self.bus.offer_tray();
    }

    /// Starts Mizzen.
    #[must_use]
    pub fn launch(&self, args: &[&str]) -> App {
        let mut command = self.command(app::program());
        command.args(args);
        App::start(command, self.log())
    }

    /// Starts Mizzen through another command, as `make run` does.
    #[must_use]
    pub fn run(&self, command: Command) -> App {
        App::start(command, self.log())
    }

    /// Selects another engine for what is started from now on.
    pub fn use_engine(&self, name: &str, host: &str) {
        let endpoint = format!("host={host}");
        self.docker(&["context", "create", name, "--docker", &endpoint]);
        self.docker(&["context", "use", name]);
    }

    /// The Docker client as the person runs it.
    ///
    /// # Panics
    /// When it refuses.
    pub fn docker(&self, args: &[&str]) -> String {
        self.docker_in(&self.path(".docker"), args)
    }

    /// The same with other settings, as a container has them.
    ///
    /// # Panics
    /// When it refuses.
    pub fn docker_in(&self, config: &Path, args: &[&str]) -> String {
        let mut docker = self.command(Path::new("docker"));
        let ended = docker.env("DOCKER_CONFIG", config).args(args).output();
        let ended = ended.expect("docker is installed");
        let said = String::from_utf8_lossy(&ended.stderr);
        assert!(ended.status.success(), "docker {args:?}: {said}");
        String::from_utf8_lossy(&ended.stdout).into_owned()
    }

    /// Starts the core without a desktop.
    #[must_use]
    pub fn serve(&self) -> App {
        let mut command = self.command(&crate::rig::program("mizzen"));
        command.args(["serve", "--foreground"]);
        App::start(command, self.log())
    }

    /// Starts Mizzen where there is no display at all.
    #[must_use]
    pub fn launch_without_display(&self) -> App {
        let mut command = self.command(app::program());
        command.env_remove("DISPLAY");
        App::start(command, self.log())
    }

    /// Starts Mizzen under a WebDriver, which sees into its window.
    #[must_use]
    pub fn launch_driven(&self) -> Page {
        let mut driver = self.command(Path::new("WebKitWebDriver"));
        driver.env("TAURI_WEBVIEW_AUTOMATION", "true");
        Page::start(driver)
    }

    /// A command that runs on this desktop.
    #[must_use]
    pub fn command(&self, program: &Path) -> Command {
        let inherited = std::env::var("PATH").unwrap_or_default();
        let mut command = Command::new(program);
        command
            .env_remove("WAYLAND_DISPLAY")
            .env_remove("DESKTOP_SESSION")
            .env(
                "PATH",
                format!("{}:{inherited}", self.path("bin").display()),
            )
            .env("HOME", self.home.path())
            .env("XDG_CONFIG_HOME", self.path("config"))
            .env("XDG_DATA_HOME", self.path("data"))
            .env("XDG_CACHE_HOME", self.path("cache"))
            .env("XDG_RUNTIME_DIR", self.path("runtime"))
            .env("MIZZEN_HOME", self.path("mizzen"))
            .env("MIZZEN_LOG", "info,mizzen_shell=debug")
            .env("DISPLAY", self.screen.display())
            .env("DBUS_SESSION_BUS_ADDRESS", self.bus.address())
            .env("GDK_BACKEND", "x11")
            .env("NO_AT_BRIDGE", "1")
            .env("LC_ALL", "C.UTF-8");
        command
    }

    /// A path under the person's home.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    /// The tray item of the application, once it has registered.
    #[must_use]
    pub fn tray(&self) -> Tray {
        Tray::new(&self.bus)
    }

    /// Forgets the tray items and log lines of programs that have ended.
    pub fn forget(&self) {
        self.bus.forget_items();
        let _ = fs::remove_file(self.log());
    }

    /// Waits for a toast that `is` says is the one.
    #[must_use]
    pub fn toast(&self, what: &str, is: impl Fn(&Toast) -> bool) -> Toast {
        until(what, || self.toasts().into_iter().find(|toast| is(toast)))
    }

    /// Every toast so far, in order.
    #[must_use]
    pub fn toasts(&self) -> Vec<Toast> {
        self.bus.toasts()
    }

    /// A click on one of a toast's actions.
    pub fn click_toast(&self, toast: &Toast, action: &str) {
        self.bus.click_toast(toast, action);
    }

    /// Addresses that were opened in the browser, in order.
    #[must_use]
    pub fn opened(&self) -> Vec<String> {
        let opened = fs::read_to_string(self.path("opened")).unwrap_or_default();
        opened.lines().map(str::to_owned).collect()
    }

    /// Whether a window with Mizzen's title is on the screen.
    #[must_use]
    pub fn shows_window(&self) -> bool {
        self.screen.shows_window(app::TITLE)
    }

    /// Whether that window has the keyboard.
    #[must_use]
    pub fn has_focus(&self) -> bool {
        self.screen.focused().as_deref() == Some(app::TITLE)
    }

    /// A click on the window's cross.
    pub fn close_window(&self) {
        self.screen.close_window(app::TITLE);
    }

    /// Keeps a picture of the screen for people to look at.
    pub fn picture(&self, file: &Path) {
        self.screen.picture(file);
    }

    fn log(&self) -> PathBuf {
        self.path("mizzen/state/mizzen.log")
    }

    fn write_browser(&self) {
        let browser = self.path("bin/xdg-open");
        let script = format!(
            "#!/bin/sh\necho \"$1\" >> {}\n",
            self.path("opened").display()
        );
        write(&browser, &script);
        fs::set_permissions(&browser, fs::Permissions::from_mode(0o755)).expect("a program");
    }
}

impl Default for Desktop {
    fn default() -> Self {
        Self::new()
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "nobody reads it while it is written"
)]
fn write(path: &Path, text: &str) {
    fs::write(path, text).expect("a file in the test's own folder");
}
