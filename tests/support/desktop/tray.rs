//! The panel's side of the tray: `StatusNotifierWatcher` and what a person does with an item.

use std::sync::{Arc, Mutex};

use zbus::blocking::Connection;
use zbus::interface;
use zbus::message::Header;
use zbus::zvariant::{ObjectPath, OwnedObjectPath, OwnedValue, Value};

use super::bus::Bus;
use super::menu::{self, Row};
use super::{until, until_or};

pub(super) struct Watcher {
    items: Arc<Mutex<Vec<String>>>,
}

impl Watcher {
    pub(super) const NAME: &'static str = "org.kde.StatusNotifierWatcher";
    pub(super) const PATH: &'static str = "/StatusNotifierWatcher";

    pub(super) fn new(items: Arc<Mutex<Vec<String>>>) -> Self {
        Self { items }
    }
}

#[interface(name = "org.kde.StatusNotifierWatcher")]
impl Watcher {
    fn register_status_notifier_item(&self, service: String, #[zbus(header)] header: Header<'_>) {
        let sender = header.sender().map(ToString::to_string).unwrap_or_default();
        let name = if service.starts_with('/') {
            sender
        } else {
            service
        };
        self.items.lock().expect("no panic").push(name);
    }

    fn register_status_notifier_host(&self, _service: &str) {}

    #[zbus(property)]
    fn registered_status_notifier_items(&self) -> Vec<String> {
        self.items.lock().expect("no panic").clone()
    }

    #[zbus(property)]
    fn is_status_notifier_host_registered(&self) -> bool {
        true
    }

    #[zbus(property)]
    fn protocol_version(&self) -> i32 {
        0
    }
}

/// The application's item in the tray.
pub struct Tray {
    connection: Connection,
    item: String,
    menu: OwnedObjectPath,
}

const ITEM: &str = "org.kde.StatusNotifierItem";
const ITEM_PATH: &str = "/StatusNotifierItem";

impl Tray {
    pub(super) fn new(bus: &Bus) -> Self {
        let item = until("the application puts an icon into the tray", || bus.item());
        let connection = bus.connection().clone();
        let mut tray = Self {
            connection,
            item,
            menu: root(),
        };
        let menu = tray.property("Menu");
        tray.menu = menu.try_into().expect("an object path");
        tray
    }

    /// A left click on the icon.
    pub fn click_icon(&self) {
        let reply = self.connection.call_method(
            Some(self.item.as_str()),
            ITEM_PATH,
            Some(ITEM),
            "Activate",
            &(0_i32, 0_i32),
        );
        reply.expect("the item can be activated");
    }

    /// What the panel shows when the pointer rests on the icon: title and text.
    #[must_use]
    pub fn tooltip(&self) -> (String, String) {
        let value = self.property("ToolTip");
        let Value::Structure(parts) = &*value else {
            panic!("a tooltip is a structure")
        };
        match parts.fields() {
            [_, _, Value::Str(title), Value::Str(text)] => (title.to_string(), text.to_string()),
            other => panic!("a tooltip of another shape: {other:?}"),
        }
    }

    /// The icon's pixels.
    #[must_use]
    pub fn icon(&self) -> Vec<u8> {
        let value = self.property("IconPixmap");
        value
            .try_to_owned()
            .map(|value| format!("{value:?}").into_bytes())
            .expect("pixels")
    }

    /// The rows of the menu as they stand.
    #[must_use]
    pub fn rows(&self) -> Vec<Row> {
        menu::rows(&self.connection, &self.item, &self.menu)
    }

    /// Waits for a row, named by its own label or by the labels that lead there. A session's row
    /// is found by the session's name.
    #[must_use]
    pub fn row(&self, labels: &[&str]) -> Row {
        until_or(
            || format!("the menu has {labels:?}"),
            || menu::find(&self.rows(), labels),
        )
    }

    /// Waits until a row's label satisfies.
    pub fn wait_for_label(&self, labels: &[&str], satisfies: impl Fn(&str) -> bool) {
        until_or(
            || {
                format!(
                    "{labels:?} has another label; the menu is {:#?}",
                    self.rows()
                )
            },
            || menu::find(&self.rows(), labels).filter(|row| satisfies(&row.label)),
        );
    }

    /// Clicks on a row as soon as it can be clicked.
    pub fn click(&self, labels: &[&str]) {
        until_or(
            || format!("{labels:?} can be clicked"),
            || {
                let row = menu::find(&self.rows(), labels).filter(|row| row.enabled)?;
                // A menu that was rebuilt since has no row of that number: look again.
                menu::click(&self.connection, &self.item, &self.menu, row.id).ok()
            },
        );
    }

    fn property(&self, name: &str) -> OwnedValue {
        let get = || {
            self.connection.call_method(
                Some(self.item.as_str()),
                ITEM_PATH,
                Some("org.freedesktop.DBus.Properties"),
                "Get",
                &(ITEM, name),
            )
        };
        let reply = until_or(|| format!("the item tells its {name}"), || get().ok());
        reply.body().deserialize().expect("a variant")
    }
}

fn root() -> OwnedObjectPath {
    ObjectPath::from_static_str_unchecked("/").into()
}
