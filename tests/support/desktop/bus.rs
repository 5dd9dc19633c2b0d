//! A session bus on which the test is both the panel and the notification server.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

use zbus::blocking::Connection;
use zbus::blocking::connection::Builder;

use super::process::Group;
use super::toasts::{Server, Toast};
use super::tray::Watcher;

pub(super) struct Bus {
    address: String,
    connection: Connection,
    items: Arc<Mutex<Vec<String>>>,
    toasts: Arc<Mutex<Vec<Toast>>>,
    _daemon: Group,
}

impl Bus {
    pub(super) fn start() -> Self {
        let mut daemon = Group::start(
            Command::new("dbus-daemon")
                .args(["--session", "--nofork", "--print-address=1"])
                .stdout(Stdio::piped())
                .stderr(Stdio::null()),
        );
        let mut address = String::new();
        let stdout = daemon.child().stdout.take().expect("piped");
        BufReader::new(stdout)
            .read_line(&mut address)
            .expect("the bus tells its address");
        let address = address.trim().to_owned();
        let toasts = Arc::new(Mutex::new(Vec::new()));
        let connection = Builder::address(address.as_str())
            .and_then(|builder| builder.serve_at(Server::PATH, Server::new(toasts.clone())))
            .and_then(|builder| builder.name(Server::NAME))
            .and_then(Builder::build)
            .expect("a notification server on the bus");
        Self {
            address,
            connection,
            items: Arc::default(),
            toasts,
            _daemon: daemon,
        }
    }

    pub(super) fn address(&self) -> &str {
        &self.address
    }

    pub(super) fn connection(&self) -> &Connection {
        &self.connection
    }

    pub(super) fn offer_tray(&self) {
        let watcher = Watcher::new(self.items.clone());
        self.connection
            .object_server()
            .at(Watcher::PATH, watcher)
            .expect("a tray host");
        self.connection
            .request_name(Watcher::NAME)
            .expect("the tray host's name is free");
    }

    /// Bus name of the newest tray item.
    pub(super) fn item(&self) -> Option<String> {
        self.items.lock().expect("no panic").last().cloned()
    }

    pub(super) fn forget_items(&self) {
        self.items.lock().expect("no panic").clear();
    }

    pub(super) fn toasts(&self) -> Vec<Toast> {
        self.toasts.lock().expect("no panic").clone()
    }

    pub(super) fn click_toast(&self, toast: &Toast, action: &str) {
        let signal = |name: &str, body: &(u32, &str)| {
            self.connection
                .emit_signal(None::<&str>, Server::PATH, Server::NAME, name, body)
        };
        signal("ActionInvoked", &(toast.id, action)).expect("the bus takes signals");
    }
}
