//! Why a person gets no answer, as clients are told it.

use mizzen_status::sanitise;
use mizzen_sync::{Because, Refusal};

use crate::verb::{ApiError, ErrorCode};

/// Longest text that is shown of what a side says.
const TEXT_CAP: usize = 300;

/// A refusal of a session's link.
pub(super) fn refused(refusal: &Refusal, session: &str) -> ApiError {
    let code = match refusal.because {
        Because::Halted | Because::Exchanged | Because::DiskFull => ErrorCode::NeedsPerson,
        Because::Failed | Because::Storage | Because::NoLink => ErrorCode::Failed,
        Because::NoConflict | Because::NotKept => ErrorCode::NotFound,
        Because::Unsyncable | Because::Mode => ErrorCode::State,
        Because::Usage => ErrorCode::Usage,
    };
    let agree = format!("mizzen sync flush {session} --consent");
    let hint = refusal.hint(&agree, |verb| format!("mizzen sync {verb} {session}"));
    ApiError::new(code, sanitise(&refusal.why, TEXT_CAP), hint)
}
