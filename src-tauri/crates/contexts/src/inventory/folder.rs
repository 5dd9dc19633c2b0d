//! One folder of `meta/` with its twin in `tls/`.

use std::sync::Arc;

use mizzen_fsx::{SafeDir, UnsafeFile, UnsafeReason};

use super::name::is_special_folder;
use super::{Entry, Found, Odd, Store, is_special_name, not_a_folder};
use crate::payload::{Bytes, Payload, Terms, TlsFile};
use crate::select::is_context_name;
use crate::store::context_id;

/// Longest file that is read.
const FILE_CAP: u64 = 1 << 20;
/// All TLS files of a context, as the CLI takes them from an archive.
const TLS_CAP: usize = 10 << 20;
/// Entries of a context's own folders.
const ENTRIES_MAX: usize = 64;

/// The file that nobody else is to read.
const KEY: &str = "key.pem";

/// What the CLI is about to rename.
const TEMPORARY: &str = ".tmp-";

pub(super) fn read(store: &Store, folder: &str) -> Entry {
    let odd = |name: Option<&Terms>, is_ghost, reason: String| {
        Entry::Odd(Odd {
            folder: folder.to_owned(),
            name: name.map(|terms| terms.name.clone()),
            is_ghost,
            reason,
        })
    };
    let meta = match meta(store, folder) {
        Ok(Some(meta)) => meta,
        Ok(None) => return Entry::Nothing,
        Err(reason) => return odd(None, false, reason),
    };
    let terms = match Terms::read(&meta) {
        Ok(terms) => terms,
        Err(reason) => {
            return odd(
                None,
                false,
                format!("its meta.json cannot be used: {reason}"),
            );
        }
    };
    // Fails closed: either of them is enough.
    let special = is_special_folder(folder) || is_special_name(&terms.name);
    if !is_context_name(&terms.name) {
        return odd(None, false, "no context can have its name".to_owned());
    }
    if context_id(&terms.name) != folder {
        let reason = "its folder is another name's: Docker lists it and cannot use it";
        return odd(Some(&terms), true, reason.to_owned());
    }
    let tls = match tls(store, folder) {
        Ok(tls) => tls,
        Err(reason) => return odd(Some(&terms), false, reason),
    };
    let payload = Payload {
        name: terms.name.clone(),
        meta: Bytes(meta),
        tls: tls.files,
    };
    let found = Arc::new(Found {
        print: payload.print(),
        reach: terms.reach(&payload),
        has_open_key: tls.has_open_key,
        payload,
        terms,
    });
    match special {
        true => Entry::Special(found),
        false => Entry::Context(found),
    }
}

/// The bytes of `meta.json`; none where there is nothing that the CLI would list.
fn meta(store: &Store, folder: &str) -> Result<Option<Vec<u8>>, String> {
    let Some(all) = &store.meta else {
        return Ok(None);
    };
    let dir = match all.open_dir(folder) {
        Ok(dir) => dir,
        Err(UnsafeFile { reason, .. }) => {
            return match reason {
                // Gone since it was listed; or a pipe, a socket: nothing to the CLI.
                UnsafeReason::Missing => Ok(None),
                reason => Err(format!("it is {}", not_a_folder(&reason))),
            };
        }
    };
    let meta = match dir.read_regular("meta.json", FILE_CAP, None) {
        Ok(meta) => meta,
        Err(UnsafeFile { reason, .. }) => {
            return match reason {
                UnsafeReason::Missing => Ok(None),
                reason => Err(format!("its meta.json is not read: {reason}")),
            };
        }
    };
    let known = |name: &str| name == "meta.json" || name.starts_with(TEMPORARY);
    let others = dir
        .list(ENTRIES_MAX)
        .map_err(|error| error.source.to_string())?;
    match others.iter().find(|entry| !known(&entry.name)) {
        None => Ok(Some(meta)),
        Some(other) => Err(format!("its folder holds `{}` as well", shown(&other.name))),
    }
}

/// TLS material of one context.
#[derive(Default)]
struct Tls {
    files: Vec<TlsFile>,
    has_open_key: bool,
}

/// All TLS files, sorted; folders that are empty hold none.
fn tls(store: &Store, folder: &str) -> Result<Tls, String> {
    let mut tls = Tls::default();
    let Some(all) = &store.tls else {
        return Ok(tls);
    };
    let Some(dir) = tls_dir(all, folder)? else {
        return Ok(tls);
    };
    for endpoint in list(&dir)? {
        if let Some(dir) = tls_dir(&dir, &endpoint)? {
            read_endpoint(&dir, &endpoint, &mut tls)?;
        }
    }
    tls.files.sort();
    Ok(tls)
}

fn read_endpoint(dir: &SafeDir, endpoint: &str, tls: &mut Tls) -> Result<(), String> {
    let Tls {
        files,
        has_open_key,
    } = tls;
    for file in list(dir)? {
        *has_open_key |= file == KEY && dir.is_open_to_others(&file);
        let read = dir.read_regular(&file, FILE_CAP, None);
        let bytes = match read {
            Ok(bytes) => bytes,
            // Gone since it was listed: the next look sees it so.
            Err(UnsafeFile {
                reason: UnsafeReason::Missing,
                ..
            }) => continue,
            Err(UnsafeFile { reason, .. }) => {
                return Err(format!(
                    "its TLS file {endpoint}/{file} is not read: {reason}"
                ));
            }
        };
        files.push(TlsFile {
            endpoint: endpoint.to_owned(),
            file,
            bytes: Bytes(bytes),
        });
        let all: usize = files.iter().map(|one| one.bytes.0.len()).sum();
        if all > TLS_CAP || files.len() > ENTRIES_MAX {
            return Err("it has more TLS material than Docker takes".to_owned());
        }
    }
    Ok(())
}

fn tls_dir(of: &SafeDir, name: &str) -> Result<Option<SafeDir>, String> {
    match of.open_dir(name) {
        Ok(dir) => Ok(Some(dir)),
        Err(UnsafeFile {
            reason: UnsafeReason::Missing,
            ..
        }) => Ok(None),
        Err(UnsafeFile { reason, .. }) => {
            let reason = not_a_folder(&reason);
            Err(format!("its TLS folder `{}` is {reason}", shown(name)))
        }
    }
}

/// Names in a folder of TLS material, without those that are about to be renamed.
fn list(dir: &SafeDir) -> Result<Vec<String>, String> {
    let listed = dir.list(ENTRIES_MAX);
    let listed = listed.map_err(|error| format!("its TLS folder {}", error.source))?;
    let names = listed.into_iter().map(|entry| entry.name);
    let names: Vec<String> = names.filter(|name| !name.starts_with(TEMPORARY)).collect();
    match names.iter().find(|name| !is_tame(name)) {
        None => Ok(names),
        Some(odd) => Err(format!("its TLS material has a file `{}`", shown(odd))),
    }
}

/// A name that every file system and terminal takes as it is.
fn is_tame(name: &str) -> bool {
    let tame = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    (1..=128).contains(&name.len()) && name.chars().all(tame) && !name.starts_with('.')
}

fn shown(name: &str) -> String {
    name.chars()
        .take(40)
        .flat_map(char::escape_default)
        .collect()
}
