//! When a file's times tell each of its versions from the next.

use crate::entry::Stamp;

/// Systems set a file's time from a clock that moves on up to a hundred times a second; twice that for safety.
const GRAIN: i64 = 20_000_000;
/// The same for file systems that keep even seconds only.
const COARSE_GRAIN: i64 = 2_000_000_000;
const SECOND: i64 = 1_000_000_000;

/// Whether a file that is changed after `now` will have other times than these.
pub(super) fn is_settled(stamp: Stamp, now: i64) -> bool {
    let newest = stamp.mtime.max(stamp.ctime);
    newest.saturating_add(grain(stamp)) < now
}

/// How far apart two times are told from each other where a file has these.
pub(super) fn grain(stamp: Stamp) -> i64 {
    match stamp.mtime % SECOND == 0 && stamp.ctime % SECOND == 0 {
        true => COARSE_GRAIN,
        false => GRAIN,
    }
}
