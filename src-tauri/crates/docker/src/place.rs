//! Where an engine is to be found, for engines whose address others may change.

use std::fmt;
use std::sync::Arc;

use crate::Endpoint;

/// Says where an engine listens now; asked before each attempt to reach it, and whenever it is listed.
#[derive(Clone)]
pub struct Place(Arc<Look>);

type Look = dyn Fn() -> Result<Endpoint, NoPlace> + Send + Sync;

/// Why there is no address to reach an engine at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoPlace {
    /// Why, in words.
    pub message: String,
    /// What to do about it.
    pub hint: String,
}

impl Place {
    /// Takes the function that looks; it must be quick, and wait for no network.
    pub fn new(look: impl Fn() -> Result<Endpoint, NoPlace> + Send + Sync + 'static) -> Self {
        Self(Arc::new(look))
    }

    /// Looks.
    ///
    /// # Errors
    /// There is no usable address now.
    pub fn look(&self) -> Result<Endpoint, NoPlace> {
        (self.0)()
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Place")
    }
}
