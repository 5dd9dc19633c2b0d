//! Prepares the UI and Tauri's context.
fn main() {
    std::fs::create_dir_all("ui/dist").expect("cannot create ui/dist");
    tauri_build::build();
}
