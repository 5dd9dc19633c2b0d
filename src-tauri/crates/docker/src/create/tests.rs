use std::path::PathBuf;
use std::time::Duration;

use expect_test::expect;

use super::*;
use crate::spec::User;

fn user() -> User {
    User::new(1000, 1000).expect("not root")
}
