//! TLS in front of the machine's own engine, with an authority of its own; and nothing but TCP.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Result;
use mizzen_docker::{Endpoint, Tls, TlsFiles};
use mizzen_tasks::Owner;
use rcgen::{CertificateParams, ExtendedKeyUsagePurpose, Issuer, KeyPair};
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

/// Where the engine listens.
const SOCKET: &str = "/var/run/docker.sock";

/// Signs what an engine and its clients need.
pub struct Authority {
    ca: String,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    /// Makes a new one, which nobody knows.
    pub fn new() -> Result<Self> {
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::new(Vec::new())?;
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let ca = params.self_signed(&key)?.pem();
        let issuer = Issuer::new(params, key);
        Ok(Self { ca, issuer })
    }

    /// A client's files: the authority, and a certificate with its key.
    pub fn client(&self) -> Result<TlsFiles> {
        let (cert, key) = self.signed("client", ExtendedKeyUsagePurpose::ClientAuth)?;
        Ok(TlsFiles {
            ca: Some(self.ca.clone().into_bytes()),
            cert: Some(cert.into_bytes()),
            key: Some(key.into_bytes()),
            skip_verify: false,
        })
    }

    /// Files of a client who believes this authority, and is nobody.
    #[must_use]
    pub fn stranger(&self) -> TlsFiles {
        TlsFiles {
            ca: Some(self.ca.clone().into_bytes()),
            ..TlsFiles::default()
        }
    }

    fn signed(&self, name: &str, purpose: ExtendedKeyUsagePurpose) -> Result<(String, String)> {
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::new(vec![name.to_owned()])?;
        params.extended_key_usages = vec![purpose];
        let cert = params.signed_by(&key, &self.issuer)?;
        Ok((cert.pem(), key.serialize_pem()))
    }

    /// A server that wants clients of this authority, with a certificate for `name`.
    fn server(&self, name: &str) -> Result<ServerConfig> {
        let provider = Arc::new(ring::default_provider());
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(self.ca.as_bytes())?)?;
        let clients =
            WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone())
                .build()?;
        let (cert, key) = self.signed(name, ExtendedKeyUsagePurpose::ServerAuth)?;
        let chain = vec![CertificateDer::from_pem_slice(cert.as_bytes())?];
        let key = PrivateKeyDer::from_pem_slice(key.as_bytes())?;
        Ok(ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_client_cert_verifier(clients)
            .with_single_cert(chain, key)?)
    }
}

/// What becomes of the connections through a front.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// They are passed on.
    Open,
    /// Those of before stay open, and no byte comes through them any more; new ones are passed on.
    Frozen,
    /// The same, and new ones are taken and fare no better.
    Silent,
    /// They are cut, and so is each new one.
    Gone,
}

/// A listener that speaks TLS and passes on to the engine's socket; ends when dropped.
pub struct TlsFront {
    /// Where it listens.
    pub address: SocketAddr,
    way: watch::Sender<Way>,
    _owner: Owner,
}

impl TlsFront {
    /// Starts to listen, with a certificate for `name`.
    pub async fn start(authority: &Authority, name: &str) -> Result<Self> {
        let acceptor = TlsAcceptor::from(Arc::new(authority.server(name)?));
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let owner = Owner::root("tls-front");
        let serving = owner.child("connection");
        let way = watch::Sender::new(Way::Open);
        let ways = way.subscribe();
        owner.spawn("listen", async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, way) = (acceptor.clone(), ways.clone());
                serving.spawn("serve", async move {
                    // A client that is refused or goes away is no fault of the front's.
                    pass_on(stream, acceptor, way).await.ok();
                });
            }
        });
        Ok(Self {
            address,
            way,
            _owner: owner,
        })
    }

    /// The engine behind it, for a client with these files.
    pub fn endpoint(&self, files: TlsFiles) -> Result<Endpoint> {
        Ok(Endpoint::with_tls(
            &format!("tcp://{}", self.address),
            Tls::new(files)?,
        )?)
    }

    /// From now on this becomes of its connections.
    pub fn becomes(&self, way: Way) {
        self.way.send_replace(way);
    }
}

/// A listener that passes on to the engine's socket as it is; ends when dropped.
pub struct PlainFront {
    /// Where it listens.
    pub address: SocketAddr,
    _owner: Owner,
}

impl PlainFront {
    /// Starts to listen.
    pub async fn start() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let owner = Owner::root("plain-front");
        let serving = owner.child("connection");
        owner.spawn("listen", async move {
            while let Ok((mut client, _)) = listener.accept().await {
                serving.spawn("serve", async move {
                    if let Ok(mut engine) = UnixStream::connect(SOCKET).await {
                        // A client that goes away is no fault of the front's.
                        tokio::io::copy_bidirectional(&mut client, &mut engine)
                            .await
                            .ok();
                    }
                });
            }
        });
        Ok(Self {
            address,
            _owner: owner,
        })
    }
}

async fn pass_on(
    stream: TcpStream,
    acceptor: TlsAcceptor,
    mut way: watch::Receiver<Way>,
) -> Result<()> {
    let is_new = *way.borrow() == Way::Frozen;
    let mut client = acceptor.accept(stream).await?;
    let mut engine = UnixStream::connect(SOCKET).await?;
    let closes = |way: &Way| match way {
        Way::Open => false,
        Way::Frozen => !is_new,
        Way::Silent | Way::Gone => true,
    };
    let closed = tokio::select! {
        passed = tokio::io::copy_bidirectional(&mut client, &mut engine) => return Ok(passed.map(drop)?),
        closed = way.wait_for(closes) => *closed?,
    };
    if closed != Way::Gone {
        // Both streams stay open, and nobody reads them.
        std::future::pending::<()>().await;
    }
    Ok(())
}
