//! The moment before each change of the disk: there a test stops the program, or lets somebody else be faster.

#[cfg(not(all(test, unix)))]
use std::io;

/// A change of the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Op {
    CreateFile,
    CreateDir,
    CreateLink,
    Write,
    Finish,
    Link,
    RenameNew,
    Rename,
    Exchange,
    RemoveFile,
    RemoveDir,
    Sync,
    #[cfg(unix)]
    SyncFileSystem,
}

/// Nobody listens.
#[cfg(not(all(test, unix)))]
#[derive(Clone)]
pub(crate) struct Tap;

#[cfg(not(all(test, unix)))]
impl Tap {
    pub(crate) fn none() -> Self {
        Self
    }

    #[expect(
        clippy::unused_self,
        clippy::unnecessary_wraps,
        reason = "as in a test"
    )]
    pub(crate) fn before(&self, _op: Op, _name: &[u8]) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(unix)]
#[cfg(test)]
pub(crate) use listening::Tap;

#[cfg(unix)]
#[cfg(test)]
mod listening {
    use std::io;
    use std::sync::Arc;

    use super::Op;

    type Listener = dyn Fn(Op, &[u8]) -> io::Result<()> + Send + Sync;

    /// What a test does before a change, which does not happen when it says so.
    #[derive(Clone)]
    pub(crate) struct Tap(Option<Arc<Listener>>);

    impl Tap {
        pub(crate) fn none() -> Self {
            Self(None)
        }

        pub(crate) fn new(
            listener: impl Fn(Op, &[u8]) -> io::Result<()> + Send + Sync + 'static,
        ) -> Self {
            Self(Some(Arc::new(listener)))
        }

        pub(crate) fn before(&self, op: Op, name: &[u8]) -> io::Result<()> {
            self.0
                .as_ref()
                .map_or(Ok(()), |listener| listener(op, name))
        }
    }
}
