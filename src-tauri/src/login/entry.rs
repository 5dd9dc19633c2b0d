//! The login entry of freedesktop desktops: `autostart/mizzen.desktop`.

use std::env;
use std::io;
use std::path::PathBuf;

use mizzen_core::login_entry;
use mizzen_fsx::{At, PathError, write_atomic};
use tauri::{AppHandle, Builder, Wry};

pub(super) fn with_plugin(builder: Builder<Wry>) -> Builder<Wry> {
    builder
}

pub(super) fn is_on(_app: &AppHandle) -> bool {
    path().is_ok_and(|path| path.exists())
}

pub(super) fn set(_app: &AppHandle, on: bool) -> Result<(), PathError> {
    let path = path()?;
    if on {
        let program = env::current_exe().at("/proc/self/exe")?;
        let dir = path.parent().expect("BUG: an entry lies in a directory");
        std::fs::create_dir_all(dir).at(dir)?;
        return write_atomic(&path, login_entry(&program, &["--hidden"]).as_bytes());
    }
    match std::fs::remove_file(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed.at(&path),
    }
}

fn path() -> Result<PathBuf, PathError> {
    let set = |name| {
        env::var_os(name)
            .map(PathBuf::from)
            .filter(|dir| dir.is_absolute())
    };
    set("XDG_CONFIG_HOME")
        .or_else(|| Some(env::home_dir()?.join(".config")))
        .map(|config| config.join("autostart/mizzen.desktop"))
        .ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "no home directory"))
        .at("~/.config/autostart")
}
