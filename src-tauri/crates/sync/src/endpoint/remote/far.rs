//! The other end of a stream before it was asked for a folder.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use super::frames::{Reader, Writer, senseless};
use super::inbox::{Inbox, News};
use super::learnt::Learnt;
use super::message::{Ask, OpenSide, Told};
use super::refused::{shown, shown_path};
use super::supply::Line;
use super::{RemoteEndpoint, asked_of, wire};
use crate::base::LinkId;
use crate::endpoint::EndpointError;
use crate::settings::{SIZE_MAX, SettingsError, SyncSettings};

/// Whoever serves folders at the other end of a stream.
pub struct Far {
    line: Line,
    news: Arc<News>,
}

/// What is told of a folder before it is opened.
pub struct FarFolder {
    /// Where it is, without links in the path.
    pub path: PathBuf,
    settings: String,
}

impl Far {
    /// Both halves block; reading is done by a thread.
    ///
    /// # Errors
    /// The system has no threads left.
    pub fn new(
        from: impl Read + Send + 'static,
        to: impl Write + Send + 'static,
    ) -> Result<Self, EndpointError> {
        let (inbox, news) = Inbox::start(Reader::new(from)).map_err(wire)?;
        let line = Line {
            frames: Box::new(inbox),
            to: Writer::new(to),
        };
        Ok(Self { line, news })
    }

    /// Asks where a folder is, and what its settings say.
    ///
    /// # Errors
    /// There is no such folder, or nobody answers.
    pub fn folder(&mut self, path: &Path) -> Result<FarFolder, EndpointError> {
        match asked_of(&mut self.line, &Ask::Folder(path.to_owned()))? {
            Told::Folder { path, settings } if settings.len() as u64 <= SIZE_MAX => {
                Ok(FarFolder { path, settings })
            }
            Told::Refused(refused) => Err(refused.into()),
            _ => Err(wire(senseless("another answer than to the question"))),
        }
    }

    /// Asks for a folder that has no other link.
    ///
    /// # Errors
    /// There is no such folder, or nobody answers.
    pub fn open(self, side: OpenSide) -> Result<RemoteEndpoint, EndpointError> {
        self.opened(side.path.clone(), &Ask::Open(side))
    }

    /// Asks for a folder that may have other links: what this one displaces lies apart.
    ///
    /// # Errors
    /// The same.
    pub fn open_for(self, link: LinkId, side: OpenSide) -> Result<RemoteEndpoint, EndpointError> {
        let link = link.to_string();
        self.opened(side.path.clone(), &Ask::OpenFor { side, link })
    }

    fn opened(self, path: PathBuf, ask: &Ask) -> Result<RemoteEndpoint, EndpointError> {
        let endpoint = RemoteEndpoint {
            line: Mutex::new(self.line),
            news: self.news,
            path,
            learnt: Learnt::default(),
            watched: false,
            polling: None,
            root: None,
            has_looked: false,
        };
        endpoint.do_it(ask)?;
        Ok(endpoint)
    }
}

impl FarFolder {
    /// What its settings say; `at` is where it lies, as a person calls it.
    ///
    /// # Errors
    /// They say something unknown, or have no such profile.
    pub fn settings(
        &self,
        at: &Path,
        profile: Option<&str>,
    ) -> Result<SyncSettings, SettingsError> {
        let path = at.join(crate::SETTINGS_FILE);
        SyncSettings::of_text(&self.settings, path, profile).map_err(|error| match error {
            // It may quote the other end.
            SettingsError::Line {
                path,
                line,
                problem,
            } => SettingsError::Line {
                path: shown_path(&path),
                line,
                problem: shown(&problem),
            },
            error => error,
        })
    }
}
