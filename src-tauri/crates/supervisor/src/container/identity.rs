//! Who we are. The user list is read by hand: a static program has no name service, and an image
//! may have no list.

mod mapping;

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::process::{Gid, Uid, getegid, geteuid};
use rustix::thread::{set_thread_groups, set_thread_res_gid, set_thread_res_uid, set_thread_uid};
use std::process::Command;

/// The user that sessions run as, whatever its number.
const CODER: &str = "coder";

/// An ordinary user, and this process is it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) uid: u32,
    pub(crate) gid: u32,
    /// Its name; none when the container does not know one.
    pub(crate) user: Option<String>,
    pub(crate) home: PathBuf,
    shell: Option<PathBuf>,
}

impl Identity {
    /// What a person should know about this user.
    pub(crate) fn problem(&self) -> Option<String> {
        match &self.user {
            Some(user) if user == CODER => None,
            Some(user) => Some(format!("runs as {user}, not as {CODER}")),
            None => Some(format!(
                "uid {} has no name here; expected {CODER}",
                self.uid
            )),
        }
    }

    /// The shells to try, best first.
    pub(crate) fn shells(&self) -> impl Iterator<Item = PathBuf> {
        let usual = ["/bin/bash", "/bin/sh"].map(PathBuf::from);
        self.shell.clone().into_iter().chain(usual)
    }

    /// Gives a command this user's environment.
    pub(crate) fn dress(&self, command: &mut Command) {
        command.env("HOME", &self.home);
        if let Some(user) = &self.user {
            command.env("USER", user);
        }
    }

    fn from(entry: Option<Entry>, uid: u32, gid: u32) -> Self {
        let home = std::env::var_os("HOME")
            .map(PathBuf::from)
            .filter(|home| home != Path::new("/"));
        let named = entry.as_ref().map(|entry| PathBuf::from(&entry.home));
        Self {
            uid,
            gid,
            home: home.or(named).unwrap_or_else(|| PathBuf::from("/")),
            shell: entry.as_ref().map(|entry| PathBuf::from(&entry.shell)),
            user: entry.map(|entry| entry.name),
        }
    }
}

/// Takes on the identity to serve as: this process's own user or, when that is root, `coder`, who is mapped to the owner of
/// the host's folder before where there is one. Must run before any thread is started.
pub(crate) fn settle(host: Option<&Path>) -> Result<Identity, String> {
    let list = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let uid = geteuid();
    if !uid.is_root() {
        let uid = uid.as_raw();
        let entry = entries(&list).find(|entry| entry.uid == uid);
        return Ok(Identity::from(entry, uid, getegid().as_raw()));
    }
    let coder = entries(&list).find(|entry| entry.name == CODER);
    let owner = host.and_then(|host| fs::metadata(host).ok());
    // Whose folder is root's, or missing, gets the user of the image, who says so.
    let coder = match owner.filter(|owner| owner.uid() != 0) {
        Some(owner) => Some(mapping::map(&list, coder, (owner.uid(), owner.gid()))?),
        None => coder,
    };
    let Some(coder) = coder else {
        return Err(format!(
            "refuses to serve as root, and there is no user {CODER}"
        ));
    };
    if coder.uid == 0 || coder.gid == 0 {
        return Err(format!("refuses to serve as root, which {CODER} is here"));
    }
    drop_root(&coder).map_err(|error| format!("cannot become {CODER}: {error}"))?;
    let mut identity = Identity::from(None, coder.uid, coder.gid);
    identity.home = PathBuf::from(&coder.home);
    identity.shell = Some(PathBuf::from(&coder.shell));
    identity.user = Some(coder.name);
    Ok(identity)
}

/// For good: real, effective and saved ids. Known here: there is one thread, so the thread's ids
/// are the process's.
fn drop_root(coder: &Entry) -> std::io::Result<()> {
    let (uid, gid) = (Uid::from_raw(coder.uid), Gid::from_raw(coder.gid));
    set_thread_groups(&[gid])?;
    set_thread_res_gid(gid, gid, gid)?;
    set_thread_res_uid(uid, uid, uid)?;
    if set_thread_uid(Uid::ROOT).is_ok() {
        return Err(std::io::Error::other("root could be regained"));
    }
    Ok(())
}

/// A line of the user list.
#[derive(Debug, PartialEq, Eq)]
struct Entry {
    name: String,
    uid: u32,
    gid: u32,
    home: String,
    shell: String,
}

fn entries(list: &str) -> impl Iterator<Item = Entry> {
    list.lines().filter_map(|line| {
        let mut fields = line.split(':');
        let (name, _password) = (fields.next()?, fields.next()?);
        let (uid, gid) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
        let (_comment, home, shell) = (fields.next()?, fields.next()?, fields.next()?);
        Some(Entry {
            name: name.into(),
            uid,
            gid,
            home: home.into(),
            shell: shell.into(),
        })
    })
}

#[cfg(test)]
mod tests {
    use super::{Entry, entries};

    #[test]
    fn broken_lines_of_the_user_list_are_passed_over() {
        let list = "root:x:0:0:root:/root:/bin/bash\n\n+::::::\nx:x:a:b:::\nshort:x:1\n\
                    coder:x:4321:4321:A: B:/home/coder:/bin/sh\ncoder:x:4321:4321::/home/coder:/bin/sh\n";
        let names: Vec<_> = entries(list).map(|entry| (entry.name, entry.uid)).collect();
        assert_eq!(
            names,
            [
                ("root".into(), 0),
                ("coder".into(), 4321),
                ("coder".into(), 4321)
            ]
        );
        let last = entries(list).last().unwrap();
        let expected = Entry {
            name: "coder".into(),
            uid: 4321,
            gid: 4321,
            home: "/home/coder".into(),
            shell: "/bin/sh".into(),
        };
        assert_eq!(last, expected);
    }
}
