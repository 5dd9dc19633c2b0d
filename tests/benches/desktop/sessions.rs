//! Sessions that are there before the program starts.

use mizzen_core::verb::{SessionRef, Verb};
use mizzen_tests::desktop::Desktop;
use mizzen_tests::own_core::{Home, OwnCore, tiny_image};
use tokio::runtime::Runtime;

/// Sessions whose containers are kept and do not run.
pub(crate) fn stopped(desktop: &Desktop, count: usize) -> Home {
    prepare(desktop, count, true)
}

/// Sessions whose containers run.
pub(crate) fn running(desktop: &Desktop, count: usize) -> Home {
    prepare(desktop, count, false)
}

fn prepare(desktop: &Desktop, count: usize, stop: bool) -> Home {
    let runtime = Runtime::new().unwrap();
    runtime.block_on(async {
        let image = tiny_image().unwrap();
        let core = OwnCore::start_for(desktop.path(""), &image).await.unwrap();
        for number in 0..count {
            let session = format!("session-{number:02}");
            let project = core
                .project(&session, &[("README.md", "# Project\n")])
                .unwrap();
            core.up(&project, &session).await.unwrap();
            if stop {
                core.client
                    .run(Verb::Stop(SessionRef { session }))
                    .await
                    .unwrap();
            }
        }
        core.stop().await
    })
}
