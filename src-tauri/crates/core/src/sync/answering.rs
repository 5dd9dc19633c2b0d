//! Why a person gets no answer, as clients are told it.

use mizzen_status::sanitise;
use mizzen_sync::{Because, Refusal};

use crate::verb::{ApiError, ErrorCode};

/// Longest text that is shown of what a side says.
const TEXT_CAP: usize = 300;

/// A refusal of a session's link.
pub(super) fn refused(refusal: &Refusal, session: &str) -> ApiError {
    let code = match refusal.because {
        Because::Halted => ErrorCode::NeedsPerson,
        Because::Failed | Because::Storage | Because::NoLink => ErrorCode::Failed,
        Because::NoConflict | Because::NotKept => ErrorCode::NotFound,
        Because::Unsyncable | Because::Mode => ErrorCode::State,
        Because::Usage => ErrorCode::Usage,
    };
    // A verb comes first, and then whose: `flush web --consent`.
    let command = |verb: &str| match verb.split_once(' ') {
        None => format!("mizzen sync {verb} {session}"),
        Some((verb, options)) => format!("mizzen sync {verb} {session} {options}"),
    };
    let why = sanitise(&refusal.why, TEXT_CAP);
    ApiError::new(code, why, refusal.hint(command))
}
