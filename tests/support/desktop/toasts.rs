//! A notification server that writes down what it is asked to show.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use zbus::interface;
use zbus::zvariant::{OwnedValue, Value};

/// One call of `Notify`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Toast {
    /// The server's number.
    pub id: u32,
    /// Whether it took the place of the one with that number.
    pub replaces: bool,
    /// Its title.
    pub title: String,
    /// Its body, with markup.
    pub body: String,
    /// Keys of its actions.
    pub actions: Vec<String>,
    /// 0 low, 1 normal, 2 critical.
    pub urgency: u8,
}

pub(super) struct Server {
    toasts: Arc<Mutex<Vec<Toast>>>,
}

impl Server {
    pub(super) const NAME: &'static str = "org.freedesktop.Notifications";
    pub(super) const PATH: &'static str = "/org/freedesktop/Notifications";

    pub(super) fn new(toasts: Arc<Mutex<Vec<Toast>>>) -> Self {
        Self { toasts }
    }
}

#[interface(name = "org.freedesktop.Notifications")]
impl Server {
    fn get_capabilities(&self) -> Vec<&str> {
        vec!["actions", "body", "body-markup", "persistence"]
    }

    fn get_server_information(&self) -> (&str, &str, &str, &str) {
        ("mizzen-tests", "mizzen", "1", "1.2")
    }

    #[expect(clippy::too_many_arguments, reason = "the specification's")]
    fn notify(
        &self,
        _app: &str,
        replaces: u32,
        _icon: &str,
        title: String,
        body: String,
        actions: Vec<String>,
        hints: HashMap<String, OwnedValue>,
        _expires: i32,
    ) -> u32 {
        let mut toasts = self.toasts.lock().expect("no panic");
        let next = 1 + toasts.iter().map(|toast| toast.id).max().unwrap_or(0);
        let id = if replaces == 0 { next } else { replaces };
        let urgency = match hints.get("urgency").map(|hint| &**hint) {
            Some(Value::U8(urgency)) => *urgency,
            _ => 1,
        };
        let actions = actions.into_iter().step_by(2).collect();
        toasts.push(Toast {
            id,
            replaces: replaces != 0,
            title,
            body,
            actions,
            urgency,
        });
        id
    }

    fn close_notification(&self, _id: u32) {}
}
