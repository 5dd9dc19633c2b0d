//! Builds the UI and Tauri's context.
//!
//! `UI_SKIP_BUILD=1` takes `ui/dist` as it is; where there is none, a placeholder says so.

use std::fs;
use std::path::Path;
use std::process::Command;

const UI: &str = "ui";
const DIST: &str = "ui/dist";

/// What the page is made of. Generated files and tests stay out: they change without changing it.
const SOURCES: [&str; 7] = [
    "ui/src",
    "ui/index.html",
    "ui/package.json",
    "ui/package-lock.json",
    "ui/svelte.config.js",
    "ui/tsconfig.json",
    "ui/vite.config.ts",
];

const PLACEHOLDER: &str = "<!doctype html><meta charset=utf-8><title>Mizzen</title>\
    <p>Built with UI_SKIP_BUILD=1 and without ui/dist: there is no page in this program.\n";

fn main() {
    println!("cargo::rerun-if-env-changed=UI_SKIP_BUILD");
    for path in SOURCES
        .iter()
        .chain(&["icons"])
        .filter(|path| Path::new(path).exists())
    {
        println!("cargo::rerun-if-changed={path}");
    }
    if std::env::var_os("UI_SKIP_BUILD").is_some_and(|value| value == "1") {
        write_placeholder();
    } else {
        build_page();
    }
    tauri_build::build();
}

fn build_page() {
    if !Path::new("ui/node_modules").is_dir() {
        npm(&["ci", "--no-audit", "--no-fund"]);
    }
    npm(&["run", "build"]);
}

fn npm(args: &[&str]) {
    let program = if cfg!(windows) { "npm.cmd" } else { "npm" };
    let output = Command::new(program)
        .args(args)
        .current_dir(UI)
        .output()
        .unwrap_or_else(|error| {
            panic!(
                "cannot run {program}: {error}; install Node.js 20 or newer, or set UI_SKIP_BUILD=1"
            )
        });
    assert!(
        output.status.success(),
        "`npm {}` in {UI}/ failed:\n{}{}",
        args.join(" "),
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
}

/// Tauri's macro refuses a folder that does not exist.
fn write_placeholder() {
    let page = Path::new(DIST).join("index.html");
    if page.exists() {
        return;
    }
    fs::create_dir_all(DIST).expect("cannot create ui/dist");
    #[expect(
        clippy::disallowed_methods,
        reason = "a build product, made before any crate is"
    )]
    fs::write(page, PLACEHOLDER).expect("cannot write ui/dist/index.html");
}
