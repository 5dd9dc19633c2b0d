//! Linux gives all programs of a user so many watchers of files together, those in containers included.

use std::fs;

use rustix::fs::inotify::{self, CreateFlags};

use super::report::{DoctorCheck, Subject};

/// As many are tried for, for a moment: what three more sessions would take.
const ENOUGH: usize = 3 * A_SESSION;
/// One for its folder on this machine, two in its container.
const A_SESSION: usize = 3;
const LIMIT: &str = "/proc/sys/fs/inotify/max_user_instances";
const FIX: &str = "raise the limit: `sudo sysctl fs.inotify.max_user_instances=1024`, and to keep it, put \
                   `fs.inotify.max_user_instances = 1024` into /etc/sysctl.d/60-inotify.conf";

pub(super) fn look() -> DoctorCheck {
    let limit = fs::read_to_string(LIMIT).ok();
    judge(left(), limit.as_deref().map(str::trim))
}

/// How many the user may still have, counted to what is enough.
fn left() -> usize {
    let one = || inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK).ok();
    let taken: Vec<_> = std::iter::from_fn(one).take(ENOUGH).collect();
    taken.len()
}

fn judge(left: usize, limit: Option<&str>) -> DoctorCheck {
    let subject = Subject {
        id: "watchers",
        title: "File watchers",
    };
    let of = limit.map_or_else(String::new, |limit| {
        format!(" of the {limit} that a user may have")
    });
    match left {
        0 => subject.warning(
            format!("none{of} is left: changes of files are looked for every few seconds, and seen later"),
            FIX,
        ),
        left if left < ENOUGH => subject.warning(
            format!("{left}{of} are left, and a session takes {A_SESSION}: more sessions will look for changes every few seconds"),
            FIX,
        ),
        _ => subject.ok(format!("enough{of} are left")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_that_are_left_are_told_with_the_setting_to_raise() {
        let told = |left| {
            let found = judge(left, Some("128"));
            let fix = found.fix.unwrap_or_default();
            assert_eq!(
                fix.contains("sysctl fs.inotify.max_user_instances="),
                left < ENOUGH
            );
            found.message
        };
        assert!(told(0).starts_with("none of the 128 that a user may have is left"));
        assert!(told(8).starts_with("8 of the 128 that a user may have are left"));
        assert_eq!(
            told(ENOUGH),
            "enough of the 128 that a user may have are left"
        );
    }
}
