//! Which engine the user means, by the rules of the Docker CLI.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;

use mizzen_docker::{Endpoint, EndpointError, Tls, TlsError, TlsFiles, without_password};

use crate::store::{self, StoreError};

/// The virtual context that is in no store.
pub(crate) const DEFAULT: &str = "default";

/// What selection depends on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SelectionEnv {
    /// A context asked for by name, e.g. by `--engine`.
    pub context: Option<String>,
    /// `DOCKER_HOST`.
    pub docker_host: Option<String>,
    /// `DOCKER_CONTEXT`.
    pub docker_context: Option<String>,
    /// `DOCKER_TLS_VERIFY`.
    pub docker_tls_verify: Option<String>,
    /// `DOCKER_TLS`: TLS with whoever answers, unless `DOCKER_TLS_VERIFY` is set as well.
    pub docker_tls: Option<String>,
    /// `DOCKER_CERT_PATH`: folder of the TLS files that belong to `DOCKER_HOST`.
    pub docker_cert_path: Option<PathBuf>,
    /// `DOCKER_CONFIG`: the CLI's folder when it is not `~/.docker`.
    pub docker_config: Option<PathBuf>,
    /// Contexts that a person lets be reached in the clear, each with the one address that this goes for.
    pub exposed: BTreeMap<String, String>,
    /// The user's home.
    pub home: PathBuf,
}

impl SelectionEnv {
    /// Reads the variables by a look-up function, such as `std::env::var_os`.
    pub fn read(home: PathBuf, var: impl Fn(&str) -> Option<OsString>) -> Self {
        let text = |name: &str| var(name).map(|value| value.to_string_lossy().into_owned());
        let folder = |name: &str| var(name).filter(|v| !v.is_empty()).map(PathBuf::from);
        Self {
            context: None,
            docker_host: text("DOCKER_HOST"),
            docker_context: text("DOCKER_CONTEXT"),
            docker_tls_verify: text("DOCKER_TLS_VERIFY"),
            docker_tls: text("DOCKER_TLS"),
            docker_cert_path: folder("DOCKER_CERT_PATH"),
            docker_config: folder("DOCKER_CONFIG"),
            exposed: BTreeMap::new(),
            home,
        }
    }

    pub(crate) fn config_folder(&self) -> PathBuf {
        self.docker_config
            .clone()
            .unwrap_or_else(|| self.home.join(".docker"))
    }

    /// What the variables say of TLS to `DOCKER_HOST`; an empty one says nothing.
    fn tls(&self) -> Result<Option<TlsFiles>, StoreError> {
        let set = |value: &Option<String>| value.as_deref().is_some_and(|text| !text.is_empty());
        let verify = set(&self.docker_tls_verify);
        if !verify && !set(&self.docker_tls) {
            return Ok(None);
        }
        let config = || self.config_folder();
        let folder = self.docker_cert_path.clone().unwrap_or_else(config);
        let files = store::read_tls(&folder, !verify)?;
        // As with the CLI: here the platform's authorities are no substitute.
        if verify && files.ca.is_none() {
            return Err(StoreError::Malformed {
                path: folder.join("ca.pem"),
                reason: "DOCKER_TLS_VERIFY is set, and this file is not there".to_owned(),
            });
        }
        Ok(Some(files))
    }
}

/// An engine that was selected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selected {
    /// Name of the context; `default` without one.
    pub name: String,
    /// Where the engine listens.
    pub endpoint: Endpoint,
    /// What decided.
    pub selected_by: SelectedBy,
}

/// What decides on an engine, the first that says something; `Display` names it as a user knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SelectedBy {
    /// A context asked for by name.
    Flag,
    /// The variable `DOCKER_HOST`.
    DockerHost,
    /// The variable `DOCKER_CONTEXT`.
    DockerContext,
    /// `docker context use`.
    CurrentContext,
    /// Nothing else did.
    Default,
}

impl SelectedBy {
    const IN_ORDER: [Self; 5] = [
        Self::Flag,
        Self::DockerHost,
        Self::DockerContext,
        Self::CurrentContext,
        Self::Default,
    ];
}

/// A choice of an engine that does not count, since another goes before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Beaten {
    /// Where it comes from.
    pub by: SelectedBy,
    /// The context that it names, or the address.
    pub says: String,
}

impl fmt::Display for SelectedBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Flag => "--engine",
            Self::DockerHost => "DOCKER_HOST",
            Self::DockerContext => "DOCKER_CONTEXT",
            Self::CurrentContext => "docker context use",
            Self::Default => "default",
        })
    }
}

/// Why no engine could be selected.
#[derive(Debug, thiserror::Error)]
pub enum SelectError {
    /// The store has no such context.
    #[error("the Docker context \"{name}\" ({selected_by}) does not exist")]
    Missing {
        /// Its name.
        name: String,
        /// Who asked for it.
        selected_by: SelectedBy,
    },
    /// A name that no context can have.
    #[error("{0:?} is not a name of a Docker context")]
    BadName(String),
    /// A file of the CLI cannot be used.
    #[error("the Docker CLI's settings cannot be used: {0}")]
    Store(#[from] StoreError),
    /// The context's address is of a kind that Mizzen does not speak.
    #[error("the engine \"{name}\" at {address}: {source}")]
    Address {
        /// Name of the context.
        name: String,
        /// Address as written.
        address: String,
        /// What is wrong with it.
        source: EndpointError,
    },
    /// The engine asks for TLS, and what there is for it is of no use.
    #[error("the engine \"{name}\" at {address} cannot be reached by TLS: {source}")]
    Tls {
        /// Name of the context.
        name: String,
        /// Address as written.
        address: String,
        /// What is wrong with its files.
        source: TlsError,
    },
    /// Commands to another machine's root would go over the network in the clear, and nobody has allowed it.
    #[error("the engine \"{name}\" at {address} is another machine's, without encryption")]
    PlainRemote {
        /// Name of the context.
        name: String,
        /// Its address, with its port.
        address: String,
    },
}

impl SelectError {
    /// The next step for a person.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Missing {
                selected_by: SelectedBy::DockerContext,
                ..
            } => "unset DOCKER_CONTEXT, or name one of: docker context ls",
            Self::Missing {
                selected_by: SelectedBy::CurrentContext,
                ..
            } => "choose another one: docker context use default",
            Self::Missing { .. } | Self::BadName(_) => "name one of: docker context ls",
            Self::Store(_) => {
                "repair or remove that file: docker context ls shows whether it helped"
            }
            Self::Address {
                source: EndpointError::Malformed(_),
                ..
            } => "write it as unix:///path/to/docker.sock or tcp://127.0.0.1:2375",
            Self::Tls { source, .. } => source.hint(),
            Self::PlainRemote { .. } => {
                "give the engine TLS and its context the files for it, or reach it by ssh: docker context \
                 update NAME --docker host=ssh://USER@HOST; what it means to do without: mizzen engines allow NAME"
            }
            Self::Address {
                source: EndpointError::Ssh(_),
                ..
            } => {
                "write it as ssh://USER@HOST, with :PORT and the path of the far socket where they are needed"
            }
            Self::Address { .. } => {
                "use unix://, npipe://, ssh:// or tcp://, or another engine: docker context use default"
            }
        }
    }
}

/// Selects an engine: a name asked for, then `DOCKER_HOST`, `DOCKER_CONTEXT`, `docker context use`,
/// then the platform's own.
pub fn select(env: &SelectionEnv) -> Result<Selected, SelectError> {
    let (name, selected_by) = choose(env)?;
    if name == DEFAULT {
        return select_default(env, selected_by);
    }
    if !is_context_name(&name) {
        return Err(SelectError::BadName(name));
    }
    let Some(stored) = store::read_context(&env.config_folder(), &name)? else {
        return Err(SelectError::Missing { name, selected_by });
    };
    let endpoint = usable(env, &name, &stored.host, stored.tls)?;
    Ok(Selected {
        name,
        endpoint,
        selected_by,
    })
}

/// What else somebody chose, and `winner` goes before it. A file that cannot be read chooses nothing: nobody asks it.
#[must_use]
pub fn beaten(env: &SelectionEnv, winner: SelectedBy) -> Vec<Beaten> {
    let later = SelectedBy::IN_ORDER
        .into_iter()
        .filter(|by| *by > winner && *by != SelectedBy::Default);
    let said = later.filter_map(|by| {
        let says = without_password(&said(env, by).ok()?);
        Some(Beaten { by, says })
    });
    said.filter(|beaten| !beaten.says.is_empty()).collect()
}

/// Names the context that is meant and who said so.
fn choose(env: &SelectionEnv) -> Result<(String, SelectedBy), SelectError> {
    for by in SelectedBy::IN_ORDER {
        match said(env, by)? {
            nothing if nothing.is_empty() => {}
            _ if by == SelectedBy::DockerHost => return Ok((DEFAULT.to_owned(), by)),
            name => return Ok((name, by)),
        }
    }
    unreachable!("BUG: the last one always says something")
}

/// The context, or for `DOCKER_HOST` the address, that this one names; empty where it says nothing.
fn said(env: &SelectionEnv, by: SelectedBy) -> Result<String, StoreError> {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    Ok(match by {
        SelectedBy::Flag => text(&env.context),
        SelectedBy::DockerHost => text(&env.docker_host),
        SelectedBy::DockerContext => text(&env.docker_context),
        SelectedBy::CurrentContext => store::current_context(&env.config_folder())?,
        SelectedBy::Default => DEFAULT.to_owned(),
    })
}

/// `default` is where `DOCKER_HOST` points, also when it was asked for by name.
fn select_default(env: &SelectionEnv, selected_by: SelectedBy) -> Result<Selected, SelectError> {
    let host = env.docker_host.as_deref().unwrap_or_default();
    let tls = if host.is_empty() { None } else { env.tls()? };
    let endpoint = usable(env, DEFAULT, host, tls)?;
    Ok(Selected {
        name: DEFAULT.to_owned(),
        endpoint,
        selected_by,
    })
}

/// Reads an address with its TLS and refuses what must not be dialled as it stands.
fn usable(
    env: &SelectionEnv,
    name: &str,
    address: &str,
    tls: Option<TlsFiles>,
) -> Result<Endpoint, SelectError> {
    if address.is_empty() {
        return Ok(Endpoint::platform_default());
    }
    let named = || (name.to_owned(), without_password(address));
    let unreadable = |source| {
        let (name, address) = named();
        SelectError::Address {
            name,
            address,
            source,
        }
    };
    let plain: Endpoint = address.parse().map_err(unreadable)?;
    match (&plain, tls) {
        (Endpoint::Tcp { .. }, Some(files)) => {
            let (name, shown) = named();
            let tls = Tls::new(files).map_err(|source| SelectError::Tls {
                name,
                address: shown,
                source,
            })?;
            Endpoint::with_tls(address, tls).map_err(unreadable)
        }
        _ if plain.is_exposed() => {
            let (name, address) = (name.to_owned(), plain.to_string());
            match env.exposed.get(&name) {
                Some(allowed) if *allowed == address => Ok(plain),
                _ => Err(SelectError::PlainRemote { name, address }),
            }
        }
        _ => Ok(plain),
    }
}

/// The CLI's rule: `^[a-zA-Z0-9][a-zA-Z0-9_.+-]+$`.
pub(crate) fn is_context_name(name: &str) -> bool {
    let rest = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '+' | '-');
    name.len() >= 2
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.chars().all(rest)
}

#[cfg(test)]
mod tests;
