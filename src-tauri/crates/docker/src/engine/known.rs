//! Versions of an engine's parts that have a known hole through which a container can leave.

/// A part of an engine that has a version of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Engine,
    Desktop,
    Containerd,
    Runc,
}

/// Versions of a part from the first on and before the second, and what is wrong with them.
struct Hole(Part, Version, Version, &'static str);

type Version = [u32; 3];

const ANY: Version = [0, 0, 0];

const COPY: &str =
    "`docker cp` lets a container write on the engine's machine as root (CVE-2019-14271)";
const PLUGINS: &str =
    "authorization plugins, where there are any, can be passed by (CVE-2024-41110)";
const FIREWALL: &str = "a reload of firewalld opens ports to the network that are published for the machine alone (CVE-2025-54388)";
const DESKTOP: &str =
    "any container can reach the engine, and so the whole machine (CVE-2025-9074)";
const SHIM: &str = "a container with the host's network can leave it (CVE-2020-15257)";
const LEAKED: &str = "a container can leave through a file that runc left open (CVE-2024-21626)";
const MASKED: &str = "a container can leave through mounts that it changes while it starts (CVE-2025-31133, CVE-2025-52565, CVE-2025-52881)";

const HOLES: [Hole; 12] = [
    Hole(Part::Desktop, ANY, [4, 44, 3], DESKTOP),
    Hole(Part::Engine, ANY, [19, 3, 1], COPY),
    Hole(Part::Engine, ANY, [23, 0, 15], PLUGINS),
    Hole(Part::Engine, [24, 0, 0], [25, 0, 6], PLUGINS),
    Hole(Part::Engine, [26, 0, 0], [26, 1, 5], PLUGINS),
    Hole(Part::Engine, [27, 0, 0], [27, 1, 1], PLUGINS),
    Hole(Part::Engine, [28, 2, 0], [28, 3, 3], FIREWALL),
    Hole(Part::Containerd, ANY, [1, 3, 9], SHIM),
    Hole(Part::Containerd, [1, 4, 0], [1, 4, 3], SHIM),
    Hole(Part::Runc, ANY, [1, 1, 12], LEAKED),
    Hole(Part::Runc, ANY, [1, 2, 8], MASKED),
    Hole(Part::Runc, [1, 3, 0], [1, 3, 3], MASKED),
];

/// Versions as an engine tells them; an empty one is not known.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Versions<'a> {
    pub(super) engine: &'a str,
    /// What the engine is part of: `Docker Desktop 4.43.0 (198134)`.
    pub(super) platform: &'a str,
    pub(super) containerd: &'a str,
    pub(super) runc: &'a str,
}

/// Says what is known against these versions, worst first. Distributors mend without a new number, which is said too.
pub(super) fn problems(versions: Versions<'_>) -> Vec<String> {
    let desktop = versions.platform.strip_prefix("Docker Desktop ");
    let found = HOLES.iter().filter_map(|Hole(part, first, mended, what)| {
        let (name, version) = match part {
            Part::Engine => ("Docker Engine", versions.engine),
            Part::Desktop => ("Docker Desktop", desktop.unwrap_or_default()),
            Part::Containerd => ("containerd", versions.containerd),
            Part::Runc => ("runc", versions.runc),
        };
        let number = parse(version)?;
        let [major, minor, patch] = mended;
        (first <= &number && &number < mended).then(|| {
            let advice = format!(
                "bring it to {major}.{minor}.{patch} or newer, unless its distributor has mended it"
            );
            let [x, y, z] = number;
            format!("{name} {x}.{y}.{z}: {what}; {advice}")
        })
    });
    found.collect()
}

/// Reads `20.10.24+dfsg1`, `v1.6.20~ds1`, `1.1.5-rc.1`; a text that begins otherwise is no version.
fn parse(text: &str) -> Option<Version> {
    let text = text.strip_prefix('v').unwrap_or(text);
    let end = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let mut numbers = text[..end].split('.').map(|number| number.parse().ok());
    let major = numbers.next()??;
    let mut next = || numbers.next().flatten().unwrap_or(0);
    Some([major, next(), next()])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(versions: Versions<'_>) -> Vec<String> {
        let code = |text: &String| {
            let (_, code) = text.split_once("(CVE-").expect("names its hole");
            code.split([')', ',']).next().unwrap_or_default().to_owned()
        };
        problems(versions).iter().map(code).collect()
    }

    #[test]
    fn what_is_known_of_which_version() {
        for (engine, platform, containerd, runc, expected) in [
            ("29.0.0", "", "2.1.5", "1.3.3", &[][..]),
            ("28.3.2", "", "1.7.27", "1.2.8", &["2025-54388"]),
            ("28.1.1", "", "1.7.27", "1.2.8", &[]),
            ("28.3.3", "", "1.7.27", "1.2.5", &["2025-31133"]),
            ("27.1.0", "", "", "", &["2024-41110"]),
            ("27.1.1", "", "", "", &[]),
            ("25.0.6", "", "", "", &[]),
            ("24.0.9", "", "", "", &["2024-41110"]),
            ("23.0.15", "", "", "", &[]),
            (
                "28.3.3",
                "Docker Desktop 4.43.0 (198134)",
                "",
                "",
                &["2025-9074"],
            ),
            ("28.3.3", "Docker Desktop 4.44.3 (202357)", "", "", &[]),
            ("28.3.3", "Docker Engine - Community", "", "", &[]),
            (
                "20.10.24+dfsg1",
                "",
                "1.6.20~ds1",
                "1.1.5+ds1",
                &["2024-41110", "2024-21626", "2025-31133"],
            ),
            (
                "18.09.1",
                "",
                "v1.4.2",
                "",
                &["2019-14271", "2024-41110", "2020-15257"],
            ),
            ("dev", "", "", "x.y", &[]),
            ("", "", "", "", &[]),
        ] {
            let versions = Versions {
                engine,
                platform,
                containerd,
                runc,
            };
            assert_eq!(codes(versions), expected, "{versions:?}");
        }
    }

    #[test]
    fn a_problem_names_part_version_hole_and_way_out() {
        let versions = Versions {
            platform: "Docker Desktop 4.43.0 (198134)",
            ..Versions::default()
        };
        let [problem] = &problems(versions)[..] else {
            panic!("one problem")
        };
        assert_eq!(
            problem,
            "Docker Desktop 4.43.0: any container can reach the engine, and so the whole machine (CVE-2025-9074); \
             bring it to 4.44.3 or newer, unless its distributor has mended it"
        );
    }

    #[test]
    fn a_hostile_version_is_no_trouble() {
        let long = "9".repeat(100_000);
        for version in [long.as_str(), "...", "1..2", "4294967296.0.0", "é"] {
            let versions = Versions {
                engine: version,
                ..Versions::default()
            };
            assert!(problems(versions).len() < HOLES.len());
        }
    }
}
