//! A menu's native rows, kept by id so that words and switches change in place.

use std::collections::HashMap;

use mizzen_core::menu::{Item, escape_mnemonics};
use tauri::menu::{CheckMenuItem, IsMenuItem, Menu, MenuItem, PredefinedMenuItem, Submenu};
use tauri::{AppHandle, Wry};

/// The menu as the platform knows it.
pub(super) struct Rows {
    menu: Menu<Wry>,
    by_id: HashMap<String, Row>,
}

enum Row {
    Plain(MenuItem<Wry>),
    Check(CheckMenuItem<Wry>),
    Submenu(Submenu<Wry>),
}

impl Rows {
    /// Makes every row anew.
    pub(super) fn draw(app: &AppHandle, items: &[Item]) -> tauri::Result<Self> {
        let menu = Menu::new(app)?;
        let mut by_id = HashMap::new();
        add(app, items, &mut by_id, &|row| menu.append(row))?;
        Ok(Self { menu, by_id })
    }

    pub(super) fn menu(&self) -> &Menu<Wry> {
        &self.menu
    }

    /// Changes the rows that differ; `false` when rows come or go, and nothing was done.
    pub(super) fn change(&self, old: &[Item], new: &[Item]) -> tauri::Result<bool> {
        if !have_same_rows(old, new) {
            return Ok(false);
        }
        self.change_words(old, new)?;
        Ok(true)
    }

    /// Sets every switch as it is in `items`, which these rows were drawn from.
    pub(super) fn set_switches(&self, items: &[Item]) -> tauri::Result<()> {
        for item in items {
            match item {
                Item::Check { id, checked, .. } => {
                    if let Row::Check(row) = &self.by_id[id] {
                        row.set_checked(*checked)?;
                    }
                }
                Item::Submenu { items, .. } => self.set_switches(items)?,
                Item::Command { .. } | Item::Note { .. } | Item::Separator => {}
            }
        }
        Ok(())
    }

    fn change_words(&self, old: &[Item], new: &[Item]) -> tauri::Result<()> {
        for (old, new) in old.iter().zip(new).filter(|(old, new)| old != new) {
            let (id, label) = match new {
                Item::Command { id, label, .. }
                | Item::Note { id, label }
                | Item::Check { id, label, .. }
                | Item::Submenu { id, label, .. } => (id, escape_mnemonics(label)),
                Item::Separator => continue,
            };
            match (&self.by_id[id], new) {
                (Row::Plain(row), Item::Command { enabled, .. }) => {
                    row.set_text(label)?;
                    row.set_enabled(*enabled)?;
                }
                (Row::Plain(row), _) => row.set_text(label)?,
                (Row::Check(row), Item::Check { checked, .. }) => {
                    row.set_text(label)?;
                    row.set_checked(*checked)?;
                }
                (Row::Check(row), _) => row.set_text(label)?,
                (Row::Submenu(row), _) => row.set_text(label)?,
            }
            if let (Item::Submenu { items: old, .. }, Item::Submenu { items: new, .. }) = (old, new)
            {
                self.change_words(old, new)?;
            }
        }
        Ok(())
    }
}

/// Whether both have rows of the same kind and id in the same order, at every depth.
fn have_same_rows(old: &[Item], new: &[Item]) -> bool {
    let same = |(old, new): (&Item, &Item)| match (old, new) {
        (Item::Separator, Item::Separator) => true,
        (Item::Command { id: old, .. }, Item::Command { id: new, .. })
        | (Item::Note { id: old, .. }, Item::Note { id: new, .. })
        | (Item::Check { id: old, .. }, Item::Check { id: new, .. }) => old == new,
        (
            Item::Submenu {
                id: old,
                items: old_items,
                ..
            },
            Item::Submenu {
                id: new,
                items: new_items,
                ..
            },
        ) => old == new && have_same_rows(old_items, new_items),
        _ => false,
    };
    old.len() == new.len() && old.iter().zip(new).all(same)
}

type Append<'a> = &'a dyn Fn(&dyn IsMenuItem<Wry>) -> tauri::Result<()>;

fn add(
    app: &AppHandle,
    items: &[Item],
    by_id: &mut HashMap<String, Row>,
    append: Append<'_>,
) -> tauri::Result<()> {
    for item in items {
        let (id, row) = match item {
            Item::Separator => {
                append(&PredefinedMenuItem::separator(app)?)?;
                continue;
            }
            Item::Command {
                id, label, enabled, ..
            } => (id, plain(app, id, label, *enabled)?),
            Item::Note { id, label } => (id, plain(app, id, label, false)?),
            Item::Check {
                id, label, checked, ..
            } => {
                let label = escape_mnemonics(label);
                let row = CheckMenuItem::with_id(app, id, label, true, *checked, None::<&str>)?;
                (id, Row::Check(row))
            }
            Item::Submenu { id, label, items } => {
                let row = Submenu::with_id(app, id, escape_mnemonics(label), true)?;
                add(app, items, by_id, &|inner| row.append(inner))?;
                (id, Row::Submenu(row))
            }
        };
        match &row {
            Row::Plain(row) => append(row)?,
            Row::Check(row) => append(row)?,
            Row::Submenu(row) => append(row)?,
        }
        by_id.insert(id.clone(), row);
    }
    Ok(())
}

fn plain(app: &AppHandle, id: &str, label: &str, enabled: bool) -> tauri::Result<Row> {
    MenuItem::with_id(app, id, escape_mnemonics(label), enabled, None::<&str>).map(Row::Plain)
}
