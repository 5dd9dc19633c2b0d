//! The user's `settings.toml`.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::view::Settings;

/// Why settings cannot be read or saved.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The file cannot be read or written.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file is not what it should be.
    #[error("{path}, line {line}: {problem}")]
    Parse {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: usize,
        /// What is wrong, e.g. an unknown key.
        problem: String,
    },
    /// A value makes no sense.
    #[error("{key} {problem}")]
    Value {
        /// The setting.
        key: &'static str,
        /// What is wrong with it.
        problem: String,
    },
}

/// Reads the file; without one all defaults hold.
///
/// # Errors
/// When it cannot be read, has an unknown key, or a value out of range.
pub(crate) fn load(path: &Path) -> Result<Settings, SettingsError> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Settings::default()),
        Err(source) => {
            return Err(SettingsError::Io {
                path: path.to_owned(),
                source,
            });
        }
    };
    let settings = parse(&text).map_err(|(line, problem)| SettingsError::Parse {
        path: path.to_owned(),
        line,
        problem,
    })?;
    check(&settings)?;
    Ok(settings)
}

/// Checks and saves settings, whole.
///
/// # Errors
/// When a value is out of range or the file cannot be written; the old file then stands.
pub(crate) fn save(path: &Path, settings: &Settings) -> Result<(), SettingsError> {
    check(settings)?;
    let text = toml::to_string_pretty(settings).expect("BUG: settings are plain values");
    mizzen_fsx::write_atomic(path, text.as_bytes()).map_err(|error| SettingsError::Io {
        path: path.to_owned(),
        source: io::Error::other(error),
    })
}

fn parse(text: &str) -> Result<Settings, (usize, String)> {
    toml::from_str(text).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start).min(text.len());
        let line = text.as_bytes()[..at]
            .iter()
            .filter(|byte| **byte == b'\n')
            .count()
            + 1;
        let problem: Vec<&str> = error.message().lines().map(str::trim).collect();
        (line, problem.join(", "))
    })
}

/// The smallest container that still runs the supervisor and a shell.
const MEMORY_BYTES_MIN: u64 = 16 << 20;

fn check(settings: &Settings) -> Result<(), SettingsError> {
    let value = |key, problem: &str| {
        Err(SettingsError::Value {
            key,
            problem: problem.to_owned(),
        })
    };
    if settings.max_running == 0 {
        return value("max_running", "must be at least 1");
    }
    if settings.gateway_port < 1024 {
        return value("gateway_port", "must be 1024 or higher");
    }
    if settings.memory_bytes < MEMORY_BYTES_MIN {
        return value("memory_bytes", "must be at least 16777216 (16 MiB)");
    }
    if !(0.01..=1024.0).contains(&settings.cpus) {
        return value("cpus", "must lie between 0.01 and 1024");
    }
    if settings
        .image
        .as_deref()
        .is_some_and(|image| image.trim().is_empty())
    {
        return value(
            "image",
            "is empty; leave the key out for Mizzen's own image",
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    fn check_text(text: &str, expected: &Expect) {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("settings.toml");
        mizzen_fsx::write_atomic(&path, text.as_bytes()).unwrap();
        let answer = load(&path).unwrap_err().to_string();
        expected.assert_eq(&answer.replace(&*root.path().join("").to_string_lossy(), ""));
    }

    #[test]
    fn faults_name_their_line_or_key() {
        check_text(
            "# mine\nmax_running = 3\nmax_runing = 4\n",
            &expect![
                "settings.toml, line 3: unknown field `max_runing`, expected one of `max_running`, `memory_budget_bytes`, `gateway_port`, `gateway_names`, `image`, `memory_bytes`, `cpus`, `notifications`, `remote_engines`, `exposed_engines`, `contexts_strict`, `contexts_no_sync`, `contexts_socket`"
            ],
        );
        check_text(
            "\ncpus = \"two\"\n",
            &expect![[r#"settings.toml, line 2: invalid type: string "two", expected f64"#]],
        );
        check_text(
            "max_running = 0",
            &expect!["max_running must be at least 1"],
        );
        check_text(
            "cpus = nan",
            &expect!["cpus must lie between 0.01 and 1024"],
        );
    }

    #[test]
    fn what_is_saved_is_read_back() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("settings.toml");
        assert_eq!(load(&path).unwrap(), Settings::default());
        let settings = Settings {
            max_running: 9,
            image: Some("x:1".into()),
            ..Settings::default()
        };
        save(&path, &settings).unwrap();
        assert_eq!(load(&path).unwrap(), settings);
    }

    #[test]
    fn a_refused_value_leaves_the_file_alone() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("settings.toml");
        save(&path, &Settings::default()).unwrap();
        assert!(
            save(
                &path,
                &Settings {
                    cpus: 0.0,
                    ..Settings::default()
                }
            )
            .is_err()
        );
        assert_eq!(load(&path).unwrap(), Settings::default());
    }
}
