//! Files that hold keys and tokens, known by their names or by what is in them.
//!
//! The forms of tokens are those that their issuers publish so that scanners can find them. A rule is here only when
//! nearly nothing else looks like it: a file that is withheld for nothing costs more trust than one secret saves.

use std::fmt;
use std::sync::LazyLock;

use regex::bytes::RegexSet;

use crate::name::RelPath;

/// Larger files are not looked into.
pub const SECRET_SIZE_MAX: u64 = 256 * 1024;

/// Names of files that exist to hold a secret.
const NAMES: [&str; 13] = [
    ".env",
    ".netrc",
    "_netrc",
    ".pgpass",
    ".pypirc",
    ".git-credentials",
    ".htpasswd",
    "id_rsa",
    "id_dsa",
    "id_ecdsa",
    "id_ed25519",
    "id_ecdsa_sk",
    "id_ed25519_sk",
];

/// The same for names that mean it in one directory only.
const IN_DIRECTORY: [(&str, &str); 5] = [
    (".aws", "credentials"),
    (".docker", "config.json"),
    (".kube", "config"),
    ("gcloud", "application_default_credentials.json"),
    ("gcloud", "credentials.db"),
];

/// Key stores.
const EXTENSIONS: [&str; 6] = [".p12", ".pfx", ".jks", ".keystore", ".kdbx", ".ppk"];

/// Endings of `.env.*` that mark a file for others to copy and fill in.
const PATTERN_FILES: [&str; 6] = [
    ".example",
    ".sample",
    ".template",
    ".dist",
    ".defaults",
    ".schema",
];

/// A kind of secret, and what it looks like.
const FORMS: [(Secret, &str); 12] = [
    (
        Secret("a private key"),
        r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----",
    ),
    (
        Secret("an AWS access key"),
        r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b",
    ),
    (Secret("a GitHub token"), r"\bgh[pousr]_[0-9A-Za-z]{36,}\b"),
    (
        Secret("a GitHub token"),
        r"\bgithub_pat_[0-9A-Za-z_]{60,}\b",
    ),
    (Secret("a GitLab token"), r"\bglpat-[0-9A-Za-z_-]{20,}"),
    (Secret("a Slack token"), r"\bxox[abprs]-[0-9A-Za-z-]{20,}"),
    (Secret("an Anthropic key"), r"\bsk-ant-[0-9A-Za-z_-]{32,}"),
    (Secret("an OpenAI key"), r"\bsk-proj-[0-9A-Za-z_-]{32,}"),
    (Secret("a Google API key"), r"\bAIza[0-9A-Za-z_-]{35}\b"),
    (Secret("a Stripe key"), r"\b[rs]k_live_[0-9A-Za-z]{24,}\b"),
    (Secret("an npm token"), r"\bnpm_[0-9A-Za-z]{36}\b"),
    (
        Secret("a Docker Hub token"),
        r"\bdckr_pat_[0-9A-Za-z_-]{20,}",
    ),
];

/// Something that opens doors, in words with an article.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Secret(&'static str);

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// Whether a file is a secret by its name.
pub(super) fn is_secret_name(path: &RelPath) -> bool {
    let mut last_first = path
        .components()
        .map(<[u8]>::to_ascii_lowercase)
        .collect::<Vec<_>>()
        .into_iter()
        .rev();
    let name = last_first.next().unwrap_or_default();
    let directory = last_first.next().unwrap_or_default();
    let is = |known: &str| name == known.as_bytes();
    let ends = |known: &&str| name.ends_with(known.as_bytes());
    NAMES.into_iter().any(is)
        || EXTENSIONS.iter().any(ends)
        || name.starts_with(b".env.") && !PATTERN_FILES.iter().any(ends)
        || IN_DIRECTORY
            .into_iter()
            .any(|(above, known)| directory == above.as_bytes() && is(known))
}

/// The first secret in a file's contents, and the line that it is in, from 1.
#[must_use]
pub fn find_secret(contents: &[u8]) -> Option<(Secret, usize)> {
    static SET: LazyLock<RegexSet> = LazyLock::new(|| {
        RegexSet::new(FORMS.map(|(_, form)| form)).expect("BUG: the forms are expressions")
    });
    if contents.contains(&0) || !SET.is_match(contents) {
        return None;
    }
    let mut lines = (1..).zip(contents.split(|byte| *byte == b'\n'));
    lines.find_map(|(number, line)| {
        let form = SET.matches(line).into_iter().next()?;
        // As documentation spells keys that open nothing.
        let is_example = line
            .windows(7)
            .any(|word| word.eq_ignore_ascii_case(b"example"));
        (!is_example).then_some((FORMS[form].0, number))
    })
}
