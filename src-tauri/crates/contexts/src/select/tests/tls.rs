//! Row 52: an engine that asks for TLS gets it, from its own files, or is refused.

use super::*;

fn authority() -> Result<String, rcgen::Error> {
    let key = rcgen::KeyPair::generate()?;
    let params = rcgen::CertificateParams::new(Vec::new())?;
    Ok(params.self_signed(&key)?.pem())
}

fn skip_verify(home: &Home, name: &str, host: &str) {
    let endpoint = serde_json::json!({ "Host": host, "SkipTLSVerify": true });
    let endpoints = serde_json::json!({ "docker": endpoint });
    home.meta(
        name,
        serde_json::json!({ "Name": name, "Endpoints": endpoints }).to_string(),
    );
}

fn tls_file(name: &str, file: &str) -> String {
    format!("contexts/tls/{}/docker/{file}", id(name))
}

fn with_context(home: &Home, name: &str) -> Result<Endpoint, SelectError> {
    let env = SelectionEnv {
        docker_context: text(name),
        ..home.env()
    };
    select(&env).map(|selected| selected.endpoint)
}

#[test]
fn row_52_a_context_with_tls_files_is_reached_by_tls() -> Result<(), rcgen::Error> {
    let home = Home::new();
    home.context("ctx", "tcp://box");
    home.put(&tls_file("ctx", "ca.pem"), authority()?);
    let endpoint = with_context(&home, "ctx").expect("usable");
    assert_eq!(endpoint.to_string(), "tcp://box:2376");
    let Endpoint::Tls { tls, .. } = endpoint else {
        panic!("{endpoint:?}")
    };
    assert!(!tls.skips_verification());
    Ok(())
}

#[test]
fn skip_verify_is_tls_too_and_says_what_it_is() {
    let home = Home::new();
    skip_verify(&home, "skip", "tcp://127.0.0.1:2376");
    let endpoint = with_context(&home, "skip").expect("usable");
    let Endpoint::Tls { tls, .. } = endpoint else {
        panic!("{endpoint:?}")
    };
    assert!(tls.skips_verification());
}

#[test]
fn row_52_files_that_make_no_tls_are_no_reason_to_go_without() {
    for (case, file, content, says) in [
        (
            "no CA in it",
            "ca.pem",
            "ca",
            "its ca.pem holds no usable certificate",
        ),
        (
            "half an identity",
            "key.pem",
            "key",
            "a key.pem without a cert.pem",
        ),
    ] {
        let home = Home::new();
        home.context("ctx", "tcp://127.0.0.1:2376");
        home.put(&tls_file("ctx", file), content);
        let error = with_context(&home, "ctx").expect_err(case);
        assert!(
            matches!(error, SelectError::Tls { .. }),
            "{case}: {error:?}"
        );
        assert!(error.to_string().contains(says), "{case}: {error}");
        assert!(error.hint().contains("docker context update"), "{case}");
    }
}

#[test]
fn row_52_a_set_that_an_update_has_just_emptied_still_means_tls() {
    let home = Home::new();
    home.context("ctx", "tcp://127.0.0.1:2376");
    home.put(&tls_file("ctx", ".tmp-ca.pem123"), "half");
    assert!(!matches!(
        with_context(&home, "ctx"),
        Ok(Endpoint::Tcp { .. })
    ));
}

#[test]
fn tls_beside_a_socket_changes_nothing() {
    let home = Home::new();
    skip_verify(&home, "local", "unix:///a");
    let endpoint = with_context(&home, "local").expect("usable");
    assert_eq!(endpoint, Endpoint::Unix("/a".into()));
}

#[test]
fn the_variables_mean_what_they_mean_to_the_cli() -> Result<(), rcgen::Error> {
    let home = Home::new();
    home.put("ca.pem", authority()?);
    home.put("certs/ca.pem", authority()?);
    home.put("empty/x", "");
    let folder = |name: &str| Some(home.0.path().join(".docker").join(name));
    // (DOCKER_TLS_VERIFY, DOCKER_TLS, DOCKER_CERT_PATH) -> whether the engine's certificate is checked
    for (verify, tls, certs, checked) in [
        ("1", "", None, Ok(true)),
        ("0", "", None, Ok(true)),
        ("1", "1", folder("certs"), Ok(true)),
        ("", "1", folder("empty"), Ok(false)),
        (
            "1",
            "",
            folder("empty"),
            Err("ca.pem: DOCKER_TLS_VERIFY is set"),
        ),
    ] {
        let env = SelectionEnv {
            docker_host: text("tcp://127.0.0.1"),
            docker_tls_verify: text(verify),
            docker_tls: text(tls),
            docker_cert_path: certs,
            ..home.env()
        };
        match (select(&env).map(|selected| selected.endpoint), checked) {
            (Ok(Endpoint::Tls { tls, port, .. }), Ok(checked)) => {
                assert_eq!(
                    (!tls.skips_verification(), port),
                    (checked, 2376),
                    "{env:?}"
                );
            }
            (Err(error), Err(says)) => assert!(error.to_string().contains(says), "{error}"),
            (other, _) => panic!("{env:?}: {other:?}"),
        }
    }
    let env = SelectionEnv {
        docker_host: text("tcp://127.0.0.1"),
        docker_tls_verify: text(""),
        ..home.env()
    };
    assert_eq!(
        select(&env).expect("plain").endpoint.to_string(),
        "tcp://127.0.0.1:2375"
    );
    Ok(())
}
