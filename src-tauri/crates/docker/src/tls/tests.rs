use rcgen::{CertificateParams, Issuer, KeyPair};

use super::*;

/// What a test puts into a context: made anew, as nothing here is secret.
fn material() -> Result<(String, String, String), rcgen::Error> {
    let key = KeyPair::generate()?;
    let authority = CertificateParams::new(Vec::new())?;
    let ca = authority.self_signed(&key)?.pem();
    let issuer = Issuer::new(authority, key);
    let own = KeyPair::generate()?;
    let cert = CertificateParams::new(vec!["me".to_owned()])?.signed_by(&own, &issuer)?;
    Ok((ca, cert.pem(), own.serialize_pem()))
}

fn files(ca: Option<&str>, cert: Option<&str>, key: Option<&str>) -> TlsFiles {
    let bytes = |text: Option<&str>| text.map(|text| text.as_bytes().to_vec());
    TlsFiles {
        ca: bytes(ca),
        cert: bytes(cert),
        key: bytes(key),
        skip_verify: false,
    }
}

#[test]
fn files_that_make_tls_and_files_that_do_not() -> Result<(), rcgen::Error> {
    let (ca, cert, key) = material()?;
    let (_, _, other_key) = material()?;
    let locked =
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIIB\n-----END ENCRYPTED PRIVATE KEY-----\n";
    let locked_of_old = key.replacen("KEY-----", "KEY-----\nProc-Type: 4,ENCRYPTED", 1);
    let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let (ca, cert, key) = (Some(&*ca), Some(&*cert), Some(&*key));
    let half = |has, lacks| Some(TlsError::Half { has, lacks });
    let bad = |file, part| Some(TlsError::Malformed { file, part });
    for (case, files, refused) in [
        ("all three", files(ca, cert, key), None),
        ("only a CA", files(ca, None, None), None),
        ("no key", files(ca, cert, None), half("cert.pem", "key.pem")),
        (
            "no certificate",
            files(ca, None, key),
            half("key.pem", "cert.pem"),
        ),
        (
            "encrypted",
            files(ca, cert, Some(locked)),
            Some(TlsError::EncryptedKey),
        ),
        (
            "encrypted in the older way",
            files(ca, cert, Some(&locked_of_old)),
            Some(TlsError::EncryptedKey),
        ),
        (
            "another's key",
            files(ca, cert, Some(&other_key)),
            Some(TlsError::Mismatch),
        ),
        (
            "empty CA",
            files(Some(""), None, None),
            bad("ca.pem", "certificate"),
        ),
        (
            "no PEM",
            files(Some("ca"), None, None),
            bad("ca.pem", "certificate"),
        ),
        (
            "a key for a CA",
            files(key, None, None),
            bad("ca.pem", "certificate"),
        ),
        (
            "nonsense inside",
            files(Some(broken), None, None),
            bad("ca.pem", "certificate"),
        ),
        (
            "a certificate for a key",
            files(ca, cert, cert),
            bad("key.pem", "key"),
        ),
        (
            "a key for a certificate",
            files(ca, key, key),
            bad("cert.pem", "certificate"),
        ),
    ] {
        assert_eq!(Tls::new(files).err(), refused, "{case}");
    }
    Ok(())
}

#[test]
fn what_a_context_brings_is_told_apart_and_never_shown() -> Result<(), rcgen::Error> {
    let (ca, cert, key) = material()?;
    let whole = Tls::new(files(Some(&ca), Some(&cert), Some(&key))).expect("fits");
    let part = Tls::new(files(Some(&ca), None, None)).expect("fits");
    assert!(whole == whole.clone() && whole != part);
    let shown = format!("{whole:?}");
    assert_eq!(
        shown,
        "Tls { ca: true, cert: true, key: true, skip_verify: false }"
    );
    Ok(())
}

#[test]
fn every_refusal_says_what_to_do() {
    let refused = Tls::new(files(None, Some("a"), None)).expect_err("half");
    assert_eq!(refused.to_string(), "it has a cert.pem without a key.pem");
    assert!(refused.hint().contains("docker context update"));
    assert!(TlsError::EncryptedKey.hint().contains("openssl pkey"));
}
