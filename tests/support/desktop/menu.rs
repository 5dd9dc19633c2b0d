//! `com.canonical.dbusmenu`, as a panel reads it.

use std::collections::HashMap;

use zbus::blocking::Connection;
use zbus::zvariant::{OwnedObjectPath, OwnedValue, Value};

const INTERFACE: &str = "com.canonical.dbusmenu";

/// One row of the menu.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Its number, until the menu is rebuilt.
    pub id: i32,
    /// What a person reads.
    pub label: String,
    /// Whether it can be clicked.
    pub enabled: bool,
    /// Whether its switch is on; none without one.
    pub checked: Option<bool>,
    /// Rows of its submenu.
    pub rows: Vec<Row>,
}

type Layout = (u32, (i32, HashMap<String, OwnedValue>, Vec<OwnedValue>));

pub(super) fn rows(connection: &Connection, item: &str, menu: &OwnedObjectPath) -> Vec<Row> {
    let call = |method: &str, depth: i32| {
        let properties: &[&str] = &[];
        let body = (0_i32, depth, properties);
        connection.call_method(Some(item), menu.as_str(), Some(INTERFACE), method, &body)
    };
    let reply = call("GetLayout", -1).expect("the menu tells its layout");
    let (_revision, (_root, _properties, children)): Layout =
        reply.body().deserialize().expect("a layout");
    children.iter().filter_map(|child| row(child)).collect()
}

pub(super) fn click(
    connection: &Connection,
    item: &str,
    menu: &OwnedObjectPath,
    row: i32,
) -> zbus::Result<()> {
    let body = (row, "clicked", Value::I32(0), 0_u32);
    let reply = connection.call_method(Some(item), menu.as_str(), Some(INTERFACE), "Event", &body);
    reply.map(drop)
}

/// Follows labels downwards; a row may say more after ` — ` than its label.
pub(super) fn find(rows: &[Row], labels: &[&str]) -> Option<Row> {
    let (first, rest) = labels.split_first()?;
    let row = rows.iter().find(|row| {
        row.label == *first
            || row
                .label
                .strip_prefix(first)
                .is_some_and(|more| more.starts_with(" — "))
    })?;
    if rest.is_empty() {
        Some(row.clone())
    } else {
        find(&row.rows, rest)
    }
}

/// None for a separator.
fn row(value: &Value<'_>) -> Option<Row> {
    let value = match value {
        Value::Value(inner) => inner,
        other => other,
    };
    let Value::Structure(parts) = value else {
        panic!("a row is a structure: {value:?}")
    };
    let [
        Value::I32(id),
        Value::Dict(properties),
        Value::Array(children),
    ] = parts.fields()
    else {
        panic!("a row of another shape: {parts:?}");
    };
    let mut found = Row {
        id: *id,
        label: String::new(),
        enabled: true,
        checked: None,
        rows: Vec::new(),
    };
    let mut is_switch = false;
    for (key, value) in properties.iter() {
        let Value::Str(key) = key else {
            panic!("a property has a name")
        };
        let value = match value {
            Value::Value(inner) => inner,
            other => other,
        };
        match (key.as_str(), value) {
            ("type", Value::Str(kind)) if kind == "separator" => return None,
            ("label", Value::Str(label)) => found.label = without_mnemonics(label),
            ("enabled", Value::Bool(enabled)) => found.enabled = *enabled,
            ("toggle-type", Value::Str(_)) => is_switch = true,
            ("toggle-state", Value::I32(state)) => found.checked = Some(*state == 1),
            _ => {}
        }
    }
    found.checked = found
        .checked
        .or(is_switch.then_some(false))
        .filter(|_| is_switch);
    found.rows = children.iter().filter_map(|child| row(child)).collect();
    Some(found)
}

/// A single underscore marks the next letter, two are one.
fn without_mnemonics(label: &str) -> String {
    label
        .split("__")
        .map(|part| part.replace('_', ""))
        .collect::<Vec<_>>()
        .join("_")
}
