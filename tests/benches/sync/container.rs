//! A container that has a folder of this machine under the same path.

use std::path::Path;

use mizzen_tests::own_core::{docker, tiny_image};

/// Removed with the bench.
pub(crate) struct Container {
    pub(crate) name: String,
}

impl Container {
    pub(crate) fn with(place: &Path) -> Self {
        let name = format!("mizzen-bench-{}", std::process::id());
        let mount = format!("--mount=type=bind,source={0},target={0}", place.display());
        let image = tiny_image().unwrap();
        let run = ["run", "--detach", "--init", "--network=none", "--user=0"];
        let what = [
            "--name",
            &name,
            &mount,
            "--entrypoint=sleep",
            &image,
            "1000000",
        ];
        docker(&[&run[..], &what].concat()).unwrap();
        Self { name }
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        // The bench may be unwinding: what is left is told by the engine.
        let _ = docker(&["rm", "--force", &self.name]);
    }
}
