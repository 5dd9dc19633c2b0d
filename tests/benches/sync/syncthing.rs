//! Two Syncthings on this machine, one for each folder.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What tells one of them from the other.
struct Device {
    id: String,
    port: u16,
}

/// Makes a home for each, in which the other one is known.
pub(crate) fn join(folders: [&Path; 2], homes: &[PathBuf; 2]) -> Vec<Command> {
    // Both are held until both are known, or they could be the same.
    let ports = [(); 2].map(|()| TcpListener::bind(("127.0.0.1", 0)).unwrap());
    let device = |at: usize| Device {
        id: identity(&homes[at]),
        port: ports[at].local_addr().unwrap().port(),
    };
    let devices = [device(0), device(1)];
    (0..2)
        .map(|at| {
            let config = config(folders[at], &devices, devices[at].port);
            fs::write(homes[at].join("config.xml"), config).unwrap();
            let mut command = Command::new("syncthing");
            command.arg("--home").arg(&homes[at]);
            command.args(["--no-browser", "--no-restart", "--no-upgrade"]);
            command
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null());
            command
        })
        .collect()
}

fn identity(home: &Path) -> String {
    let mut generate = Command::new("syncthing");
    generate.arg("generate").arg("--home").arg(home);
    assert!(generate.output().unwrap().status.success(), "{generate:?}");
    let mut ask = Command::new("syncthing");
    ask.arg("--home").arg(home).arg("--device-id");
    let said = ask.output().unwrap().stdout;
    String::from_utf8(said).unwrap().trim().to_owned()
}

/// It speaks to nobody but the other one, and looks a second after a change: less cannot be set.
fn config(folder: &Path, devices: &[Device; 2], port: u16) -> String {
    let known = devices.iter().map(|Device { id, port }| {
        format!(r#"<device id="{id}"><address>tcp://127.0.0.1:{port}</address></device>"#)
    });
    let known: String = known.collect();
    let both = devices
        .iter()
        .map(|device| format!(r#"<device id="{}"/>"#, device.id));
    let both: String = both.collect();
    let path = folder.display();
    format!(
        r#"<configuration version="36">
<folder id="bench" path="{path}" type="sendreceive" rescanIntervalS="3600" fsWatcherEnabled="true" fsWatcherDelayS="1">
{both}<markerName>.</markerName></folder>
{known}
<gui enabled="false"/>
<options>
<listenAddress>tcp://127.0.0.1:{port}</listenAddress>
<globalAnnounceEnabled>false</globalAnnounceEnabled><localAnnounceEnabled>false</localAnnounceEnabled>
<relaysEnabled>false</relaysEnabled><natEnabled>false</natEnabled><startBrowser>false</startBrowser>
<urAccepted>-1</urAccepted><autoUpgradeIntervalH>0</autoUpgradeIntervalH>
<crashReportingEnabled>false</crashReportingEnabled><reconnectionIntervalS>1</reconnectionIntervalS>
<setLowPriority>false</setLowPriority>
</options>
</configuration>
"#
    )
}
