//! What it costs a core that many sessions run and say every five seconds that they do.

use std::time::Duration;

use futures::StreamExt;
use futures::stream;
use mizzen_tests::figure::Figure;
use mizzen_tests::own;
use mizzen_tests::own_core::{OwnCore, docker};
use mizzen_tests::reported::Container;

/// So many sessions, and then so many.
pub(crate) const FEW: usize = 10;
pub(crate) const MANY: usize = 200;
/// So many are started at once: most of a start is spent waiting for the engine.
const AT_ONCE: usize = 6;
/// Far more than a person lets run at once.
pub(crate) const SETTINGS: &str = "max_running = 1000\n";
/// Lets the last start settle, and then each sample's window.
const SETTLE: Duration = Duration::from_secs(10);
const WINDOW: Duration = Duration::from_secs(10);
const WINDOWS: usize = 3;

/// Sessions of one core, all of which run.
pub(crate) struct Sessions<'a> {
    rig: &'a OwnCore,
    containers: Vec<Container>,
    /// Memory of the core without any.
    empty: f64,
}

/// A core at rest.
pub(crate) struct Idle {
    sessions: usize,
    /// Share of one processor, of each window.
    loads: Vec<f64>,
    /// Memory for each session, in KiB.
    memory: f64,
}

impl<'a> Sessions<'a> {
    pub(crate) fn of(rig: &'a OwnCore) -> Self {
        Self {
            rig,
            containers: Vec::new(),
            empty: own::memory(),
        }
    }

    /// Starts sessions until there are so many.
    pub(crate) async fn grow(&mut self, count: usize) {
        let more = (self.containers.len()..count).map(|number| start(self.rig, number));
        let mut started = stream::iter(more).buffered(AT_ONCE);
        while let Some(container) = started.next().await {
            self.containers.push(container);
        }
    }

    pub(crate) fn first(&self) -> Container {
        self.containers[0].clone()
    }

    pub(crate) async fn idle(&self) -> Idle {
        tokio::time::sleep(SETTLE).await;
        let memory = (own::memory() - self.empty) / self.containers.len() as f64;
        let loads = own::loads(WINDOWS, WINDOW).await;
        Idle {
            sessions: self.containers.len(),
            loads,
            memory,
        }
    }
}

async fn start(rig: &OwnCore, number: usize) -> Container {
    let name = format!("s{number}");
    let project = rig.project(&name, &[("a.txt", "a\n")]).unwrap();
    let session = rig.up(&project, &name).await.unwrap();
    let give_back = move || give_network_back(&session.container_id.unwrap());
    tokio::task::spawn_blocking(give_back).await.unwrap();
    Container::of(&project, &name)
}

/// An engine has addresses for some thirty networks. Nothing that is measured here needs one.
fn give_network_back(container: &str) {
    let names = "{{range $name, $_ := .NetworkSettings.Networks}}{{$name}}{{end}}";
    let network = docker(&["inspect", "--format", names, container]).unwrap();
    docker(&["network", "disconnect", &network, container]).unwrap();
    docker(&["network", "rm", &network]).unwrap();
}

pub(crate) fn print(few: &Idle, many: &Idle) {
    let percent = |percent| format!("{percent:.2} %");
    let kib = |kib| format!("{kib:.0} KiB");
    for idle in [few, many] {
        let name = format!(
            "{} sessions that report every 5 s: processor",
            idle.sessions
        );
        Figure::new(&name, "", &idle.loads, percent).print();
        let name = "the same, memory of the core for each session";
        Figure::new(name, "", &[idle.memory], kib).print();
    }
    let more = (many.sessions - few.sessions) as f64;
    let each: Vec<f64> = std::iter::zip(&few.loads, &many.loads)
        .map(|(few, many)| (many - few) / more)
        .collect();
    let name = "one session more that reports every 5 s: processor";
    Figure::new(name, "", &each, |percent| format!("{percent:.4} %")).print();
}
