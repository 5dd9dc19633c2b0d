//! TLS to an engine, from what its context brings and nothing else.
//!
//! Invariant: where the context has a CA, no other is believed.
//! Invariant: neither certificates nor keys are part of any `Debug` output, error or log.

mod unchecked;
mod words;

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};

pub(crate) use words::handshake_failed;

/// What a context holds for TLS, each file as it stands there.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct TlsFiles {
    /// `ca.pem`: who may sign the engine's certificate; without it, whom the platform trusts.
    pub ca: Option<Vec<u8>>,
    /// `cert.pem`: who we are.
    pub cert: Option<Vec<u8>>,
    /// `key.pem`: the key of `cert.pem`.
    pub key: Option<Vec<u8>>,
    /// `SkipTLSVerify`: whoever answers is believed.
    pub skip_verify: bool,
}

/// TLS that can be spoken: its files have been read and fit together; cheap to clone.
#[derive(Clone)]
pub struct Tls {
    inner: Arc<Inner>,
}

struct Inner {
    files: TlsFiles,
    config: Arc<ClientConfig>,
}

/// Why a context's files make no TLS.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TlsError {
    /// A file is not what its name says.
    #[error("its {file} holds no usable {part}")]
    Malformed {
        /// Name of the file.
        file: &'static str,
        /// What should be in it.
        part: &'static str,
    },
    /// One of certificate and key is missing.
    #[error("it has a {has} without a {lacks}")]
    Half {
        /// The file that is there.
        has: &'static str,
        /// The file that is not.
        lacks: &'static str,
    },
    /// The key asks for a pass phrase.
    #[error("its key.pem is encrypted with a pass phrase, which Mizzen cannot ask for")]
    EncryptedKey,
    /// Certificate and key are of no use together.
    #[error("its cert.pem and key.pem do not belong together")]
    Mismatch,
    /// Nobody vouches for the engine.
    #[error("it has no ca.pem, and this machine's own authorities cannot be read")]
    NoRoots,
}

impl TlsError {
    /// The next step for a person.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::EncryptedKey => {
                "store the key without a pass phrase, readable by you alone: openssl pkey -in key.pem -out plain.pem"
            }
            Self::NoRoots => {
                "give the context its CA: docker context update NAME --docker host=HOST,ca=ca.pem"
            }
            Self::Malformed { .. } | Self::Half { .. } | Self::Mismatch => {
                "give the context all its files again: docker context update NAME --docker \
                 host=HOST,ca=ca.pem,cert=cert.pem,key=key.pem"
            }
        }
    }
}

impl Tls {
    /// Reads the files; what is wrong with them is told here, and not at the first connection.
    pub fn new(files: TlsFiles) -> Result<Self, TlsError> {
        let provider = Arc::new(ring::default_provider());
        let config = Arc::new(client_config(&files, &provider)?);
        let inner = Arc::new(Inner { files, config });
        Ok(Self { inner })
    }

    /// Whether whoever answers is believed to be the engine.
    #[must_use]
    pub fn skips_verification(&self) -> bool {
        self.inner.files.skip_verify
    }

    pub(crate) fn config(&self) -> Arc<ClientConfig> {
        self.inner.config.clone()
    }
}

impl PartialEq for Tls {
    fn eq(&self, other: &Self) -> bool {
        self.inner.files == other.inner.files
    }
}

impl Eq for Tls {}

impl Hash for Tls {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.inner.files.hash(state);
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.files.fmt(f)
    }
}

impl fmt::Debug for TlsFiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls")
            .field("ca", &self.ca.is_some())
            .field("cert", &self.cert.is_some())
            .field("key", &self.key.is_some())
            .field("skip_verify", &self.skip_verify)
            .finish()
    }
}

fn client_config(
    files: &TlsFiles,
    provider: &Arc<CryptoProvider>,
) -> Result<ClientConfig, TlsError> {
    let builder = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .expect("BUG: the provider speaks the versions that rustls has on");
    let builder = if files.skip_verify {
        let anyone = Arc::new(unchecked::Anyone::new(provider.clone()));
        builder.dangerous().with_custom_certificate_verifier(anyone)
    } else {
        builder.with_root_certificates(roots(files.ca.as_deref())?)
    };
    match identity(files)? {
        Some((chain, key)) => builder
            .with_client_auth_cert(chain, key)
            .map_err(|_| TlsError::Mismatch),
        None => Ok(builder.with_no_client_auth()),
    }
}

fn roots(ca: Option<&[u8]>) -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    let Some(ca) = ca else {
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        return if roots.is_empty() {
            Err(TlsError::NoRoots)
        } else {
            Ok(roots)
        };
    };
    for certificate in certificates("ca.pem", ca)? {
        roots
            .add(certificate)
            .map_err(|_| malformed("ca.pem", "certificate"))?;
    }
    Ok(roots)
}

/// Reads who we are; without either file, we are nobody.
fn identity(
    files: &TlsFiles,
) -> Result<Option<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>)>, TlsError> {
    let half = |has, lacks| Err(TlsError::Half { has, lacks });
    let (cert, key) = match (&files.cert, &files.key) {
        (None, None) => return Ok(None),
        (Some(_), None) => return half("cert.pem", "key.pem"),
        (None, Some(_)) => return half("key.pem", "cert.pem"),
        (Some(cert), Some(key)) => (cert, key),
    };
    if is_encrypted(key) {
        return Err(TlsError::EncryptedKey);
    }
    let chain = certificates("cert.pem", cert)?;
    let key = PrivateKeyDer::from_pem_slice(key).map_err(|_| malformed("key.pem", "key"))?;
    Ok(Some((chain, key)))
}

fn certificates(file: &'static str, pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    match found {
        Ok(found) if !found.is_empty() => Ok(found),
        _ => Err(malformed(file, "certificate")),
    }
}

/// Both ways in which a PEM file says so: the label of PKCS #8, and the header of older keys.
fn is_encrypted(key: &[u8]) -> bool {
    let says = |text: &[u8]| key.windows(text.len()).any(|window| window == text);
    says(b"BEGIN ENCRYPTED PRIVATE KEY") || says(b"Proc-Type: 4,ENCRYPTED")
}

fn malformed(file: &'static str, part: &'static str) -> TlsError {
    TlsError::Malformed { file, part }
}

#[cfg(test)]
mod tests;
