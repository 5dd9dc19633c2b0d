//! Why no TLS came about, in words.

use std::io;

use rustls::{AlertDescription as Alert, CertificateError as Bad, Error};

use crate::DockerErrorKind::{Denied, Unreachable};
use crate::dial::DialFailure;

/// Says what went wrong on a connection that was to be TLS with `place`.
pub(crate) fn handshake_failed(place: &str, cause: &io::Error) -> DialFailure {
    let tls = cause.get_ref().and_then(|inner| inner.downcast_ref());
    let (kind, why, hint) = match tls {
        Some(Error::InvalidCertificate(bad)) => {
            (Unreachable, certificate(bad), certificate_hint(bad))
        }
        Some(Error::InvalidMessage(_)) => (
            Unreachable,
            "it does not speak TLS".to_owned(),
            "check the port, and that the engine there runs with --tlsverify; nothing is sent to it without TLS",
        ),
        Some(Error::AlertReceived(alert)) if is_about_us(*alert) => (
            Denied,
            "it refuses our certificate".to_owned(),
            "give the context a cert.pem and key.pem that the engine's CA has signed",
        ),
        _ => (
            Unreachable,
            format!("no TLS came about: {cause}"),
            "check that what listens there is a Docker engine with TLS",
        ),
    };
    DialFailure::new(kind, format!("{place}: {why}"), hint)
}

fn certificate(bad: &Bad) -> String {
    match bad {
        Bad::UnknownIssuer | Bad::BadSignature => {
            "its certificate is not signed by the context's CA"
        }
        Bad::NotValidForName | Bad::NotValidForNameContext { .. } => {
            "its certificate is for another name"
        }
        Bad::Expired | Bad::ExpiredContext { .. } => "its certificate has expired",
        Bad::NotValidYet | Bad::NotValidYetContext { .. } => "its certificate is not valid yet",
        other => return format!("its certificate cannot be accepted: {other}"),
    }
    .to_owned()
}

fn certificate_hint(bad: &Bad) -> &'static str {
    match bad {
        Bad::UnknownIssuer | Bad::BadSignature => {
            "compare the context's ca.pem with the CA of the engine; if neither was changed, somebody else answers"
        }
        Bad::NotValidForName | Bad::NotValidForNameContext { .. } => {
            "use the name or address that the engine's certificate was made for"
        }
        Bad::Expired
        | Bad::ExpiredContext { .. }
        | Bad::NotValidYet
        | Bad::NotValidYetContext { .. } => {
            "renew the engine's certificate, or set the clock of this machine"
        }
        _ => "make the engine a certificate for servers that its CA has signed",
    }
}

/// Alerts by which a server says that it does not like who we are.
fn is_about_us(alert: Alert) -> bool {
    matches!(
        alert,
        Alert::CertificateRequired
            | Alert::BadCertificate
            | Alert::UnsupportedCertificate
            | Alert::CertificateRevoked
            | Alert::CertificateExpired
            | Alert::CertificateUnknown
            | Alert::UnknownCA
            | Alert::AccessDenied
            | Alert::NoCertificate
            // The signature of our certificate is another authority's of the same name.
            | Alert::DecryptError
    )
}
