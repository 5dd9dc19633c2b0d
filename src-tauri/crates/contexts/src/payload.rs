//! One context as it is carried: the bytes of its `meta.json`, and its TLS files.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256};

use crate::json::Json;

/// The endpoint that Docker itself uses; others are carried along.
pub(crate) const DOCKER: &str = "docker";

/// Brackets within brackets that are still read: the CLI's own files have four.
const DEPTH_MAX: usize = 64;

/// A context, byte for byte.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Payload {
    pub(crate) name: String,
    pub(crate) meta: Bytes,
    /// By endpoint and name.
    pub(crate) tls: Vec<TlsFile>,
}

/// One file of TLS material.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct TlsFile {
    pub(crate) endpoint: String,
    pub(crate) file: String,
    pub(crate) bytes: Bytes,
}

/// Bytes that JSON keeps as base64; they may be a key, and are never shown.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Bytes(pub(crate) Vec<u8>);

impl fmt::Debug for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.0.len())
    }
}

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let bytes = STANDARD.decode(text).map_err(serde::de::Error::custom)?;
        Ok(Self(bytes))
    }
}

/// What tells one version of a context from another.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Print([u8; 32]);

impl fmt::Display for Print {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Print {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Print {
    /// Of texts one after the other, each with its length.
    pub(crate) fn of<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let mut hash = Sha256::new();
        for part in parts {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        Self(hash.finalize().into())
    }

    /// A short name that a person can type.
    pub(crate) fn short(self) -> String {
        self.to_string()[..10].to_owned()
    }
}

impl Payload {
    pub(crate) fn print(&self) -> Print {
        let tls = self.tls.iter();
        let tls = tls.flat_map(|one| [one.endpoint.as_bytes(), one.file.as_bytes(), &one.bytes.0]);
        Print::of([&*self.meta.0].into_iter().chain(tls))
    }

    /// Files of TLS material for Docker itself.
    pub(crate) fn tls_files(&self) -> Vec<String> {
        let docker = self.tls.iter().filter(|one| one.endpoint == DOCKER);
        docker.map(|one| one.file.clone()).collect()
    }
}

/// What a context says, as the CLI understands it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Terms {
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) host: String,
    pub(crate) skip_tls_verify: bool,
    /// All that decides on whom a command of Docker's reaches, and how; TLS files apart.
    reach: Print,
}

impl Terms {
    /// Reads a `meta.json` as the CLI does.
    ///
    /// # Errors
    /// Says what would make the CLI fail, or what no context can be.
    pub(crate) fn read(meta: &[u8]) -> Result<Self, String> {
        if depth(meta) > DEPTH_MAX {
            return Err("it is nested too deeply".to_owned());
        }
        let json: Json = serde_json::from_slice(meta).map_err(|error| error.to_string())?;
        let Json::Object(members) = &json else {
            return Err("it is not a JSON object".to_owned());
        };
        for key in ["Metadata", "Endpoints"] {
            let of_key = members
                .iter()
                .filter(|(name, _)| name.eq_ignore_ascii_case(key));
            // The CLI would put them together; which of them a reader goes by must be no question.
            if of_key.count() > 1 {
                return Err(format!("\"{key}\" is there more than once"));
            }
        }
        let name = json.text("Name").map_err(|wrong| wrong.to_string())?;
        if name.is_empty() {
            return Err("it has no name".to_owned());
        }
        let (metadata, endpoints) = (object(&json, "Metadata")?, object(&json, "Endpoints")?);
        let description = match metadata.entry("Description") {
            Json::Text(text) => text.clone(),
            Json::Null => String::new(),
            _ => return Err("its description is no text".to_owned()),
        };
        if let Json::Object(each) = endpoints {
            let odd = each
                .iter()
                .find(|(_, one)| !matches!(one, Json::Object(_) | Json::Null));
            if let Some((name, _)) = odd {
                return Err(format!("the endpoint {name:?} is no object"));
            }
        }
        let docker = endpoints.entry(DOCKER);
        let host = docker.text("Host").map_err(|wrong| wrong.to_string())?;
        let skip = docker.truth("SkipTLSVerify");
        let skip_tls_verify = skip.map_err(|wrong| wrong.to_string())?;
        let reach = format!("{endpoints:?} {:?}", metadata.entry("GODEBUG"));
        Ok(Self {
            name: name.to_owned(),
            description,
            host: host.to_owned(),
            skip_tls_verify,
            reach: Print::of([reach.as_bytes()]),
        })
    }

    /// All that decides on whom a command of Docker's reaches, and how.
    pub(crate) fn reach(&self, payload: &Payload) -> Print {
        let tls = payload.tls.iter();
        let tls = tls.flat_map(|one| [one.endpoint.as_bytes(), one.file.as_bytes(), &one.bytes.0]);
        Print::of([&self.reach.0[..]].into_iter().chain(tls))
    }

    /// Another machine that is reached by TCP: whoever knows the address may have a key for it.
    pub(crate) fn is_tcp(&self) -> bool {
        self.host.starts_with("tcp://")
    }
}

fn object<'a>(json: &'a Json, key: &str) -> Result<&'a Json, String> {
    match json.field(key) {
        found @ (Json::Object(_) | Json::Null) => Ok(found),
        _ => Err(format!("\"{key}\" has the wrong type")),
    }
}

/// Brackets within brackets, outside of texts.
fn depth(json: &[u8]) -> usize {
    let (mut depth, mut deepest, mut in_text, mut escaped) = (0_usize, 0, false, false);
    for byte in json {
        match (in_text, byte) {
            (true, _) if escaped => escaped = false,
            (true, b'\\') => escaped = true,
            (_, b'"') => in_text = !in_text,
            (false, b'{' | b'[') => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            (false, b'}' | b']') => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    fn check(meta: &str, expected: &Expect) {
        let read = Terms::read(meta.as_bytes()).map(|terms| {
            let Terms { name, host, .. } = &terms;
            let skip = if terms.skip_tls_verify { ", skips" } else { "" };
            format!("{name}: {host}{skip} ({})", terms.description)
        });
        expected.assert_eq(&read.unwrap_or_else(|why| format!("! {why}")));
    }

    #[test]
    fn the_cli_s_own_file() {
        let meta = r#"{"Name":"tlsx","Metadata":{"Description":"d"},"Endpoints":{"docker":{"Host":"tcp://10.0.0.1:2376","SkipTLSVerify":true}}}"#;
        check(meta, &expect!["tlsx: tcp://10.0.0.1:2376, skips (d)"]);
    }

    #[test]
    fn row_45_what_makes_the_cli_fail_is_told() {
        check(
            r#"{"Name":"ab","Metadata":{"Description":5}}"#,
            &expect!["! its description is no text"],
        );
        check(r#"[{"Name":"ab"}]"#, &expect!["! it is not a JSON object"]);
        check("null", &expect!["! it is not a JSON object"]);
        check(
            "{",
            &expect!["! EOF while parsing an object at line 1 column 1"],
        );
        check(
            "",
            &expect!["! EOF while parsing a value at line 1 column 0"],
        );
        check("\0\0\0\0", &expect!["! expected value at line 1 column 1"]);
        check(
            "\u{feff}{}",
            &expect!["! expected value at line 1 column 1"],
        );
        check(
            r#"{"Name":"ab"}x"#,
            &expect!["! trailing characters at line 1 column 14"],
        );
        check(r#"{"Metadata":{}}"#, &expect!["! it has no name"]);
        check(
            r#"{"Name":"ab","Endpoints":{"docker":{"Host":1}}}"#,
            &expect![[r#"! "Host" has the wrong type"#]],
        );
        check(
            r#"{"Name":"ab","Endpoints":{"kubernetes":1}}"#,
            &expect![[r#"! the endpoint "kubernetes" is no object"#]],
        );
        check(
            &format!(
                r#"{{"Name":"ab","x":{}{}}}"#,
                "[".repeat(65),
                "]".repeat(65)
            ),
            &expect!["! it is nested too deeply"],
        );
    }

    #[test]
    fn row_46_a_name_is_what_the_cli_decodes() {
        check(
            r#"{"Name":"containai\u002ddocker"}"#,
            &expect!["containai-docker:  ()"],
        );
        check(
            r#"{"name":"containai-docker"}"#,
            &expect!["containai-docker:  ()"],
        );
        check(
            r#"{"Name":"web","Metadata":{"Name":"containai-docker"}}"#,
            &expect!["web:  ()"],
        );
        check(
            r#"{"Name":"web","name":"containai-docker"}"#,
            &expect!["containai-docker:  ()"],
        );
    }

    #[test]
    fn whom_it_reaches_is_more_than_its_host() {
        let reach = |meta: &str| {
            let payload = Payload {
                name: "ab".into(),
                meta: Bytes(meta.into()),
                tls: Vec::new(),
            };
            Terms::read(meta.as_bytes()).unwrap().reach(&payload)
        };
        let plain = reach(
            r#"{"Name":"ab","Metadata":{"Description":"a"},"Endpoints":{"docker":{"Host":"tcp://h"}}}"#,
        );
        assert_eq!(
            plain,
            reach(
                r#"{"Name":"ab","Metadata":{"Description":"b"},"Endpoints":{"docker":{"Host":"tcp://h"}}}"#
            )
        );
        for other in [
            r#"{"Name":"ab","Endpoints":{"docker":{"Host":"tcp://evil"}}}"#,
            r#"{"Name":"ab","Endpoints":{"docker":{"Host":"tcp://h","SkipTLSVerify":true}}}"#,
            r#"{"Name":"ab","Metadata":{"GODEBUG":"x=1"},"Endpoints":{"docker":{"Host":"tcp://h"}}}"#,
        ] {
            assert_ne!(plain, reach(other), "{other}");
        }
    }

    #[test]
    fn a_key_is_never_shown() {
        let shown = format!("{:?}", Bytes(b"secret".to_vec()));
        assert_eq!(shown, "6 bytes");
    }

    #[test]
    fn endpoints_are_told_apart_however_often_they_are_named() {
        check(
            r#"{"Name":"ab","Endpoints":{},"endpoints":{}}"#,
            &expect![[r#"! "Endpoints" is there more than once"#]],
        );
    }
}
