//! The gateway's cookie: an expiry date and a keyed hash that binds it to one service of one session and a port.

use std::time::{Duration, SystemTime};

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use crate::address::Address;
use crate::door::Door;
use crate::state::{Key, hex, unhex};

/// How long a browser stays logged in.
const LIFE: Duration = Duration::from_secs(30 * 24 * 3600);
const PREFIX: &str = "mizzen-";
const NAME_DIGITS: usize = 8;

/// Makes and checks the cookies of one door; knows nothing that a restart of the core would lose.
pub(crate) struct Cookies {
    key: Key,
    pub(crate) door: Door,
    name: String,
}

impl Cookies {
    pub(crate) fn new(key: Key, door: Door) -> Self {
        // Browsers keep one cookie jar per host for all ports: the name keeps two gateways of one machine apart, and
        // two sessions that share a host.
        let port = door.port.to_string();
        let only = door.only.as_ref().map(Address::to_string);
        let parts: Vec<&str> = ["name", &port].into_iter().chain(only.as_deref()).collect();
        let mut id = hex(&mac(&key, &parts).finalize().into_bytes());
        id.truncate(NAME_DIGITS);
        Self {
            key,
            door,
            name: format!("{PREFIX}{id}"),
        }
    }

    /// What the names of a service's own cookies begin with in the browser, where it shares a host with others.
    ///
    /// It is a keyed hash: another session cannot guess it, and so cannot set cookies for this one.
    pub(crate) fn prefix(&self) -> Option<String> {
        let shared = self.door.has_neighbours();
        shared.then(|| format!("{}-", self.name))
    }

    /// `name=value` for a request to this address.
    pub(crate) fn pair(&self, address: &Address, now: SystemTime) -> String {
        let until = unix(now + LIFE).to_string();
        let proof = hex(&self.proof(address, &until).finalize().into_bytes());
        format!("{}={until}.{proof}", self.name)
    }

    /// The `Set-Cookie` header for this address: host-only, for no script, sent by no foreign page.
    pub(crate) fn header(&self, address: &Address, now: SystemTime) -> String {
        let pair = self.pair(address, now);
        format!(
            "{pair}; Path=/; Max-Age={}; HttpOnly; SameSite=Strict",
            LIFE.as_secs()
        )
    }

    /// Whether one of the cookies in a `Cookie` header opens this address.
    ///
    /// One good cookie suffices: a page in the container may set others of the same name.
    pub(crate) fn admits(&self, header: &[u8], address: &Address, now: SystemTime) -> bool {
        pairs(header)
            .any(|(name, value)| name == self.name.as_bytes() && self.is_good(value, address, now))
    }

    fn is_good(&self, value: &[u8], address: &Address, now: SystemTime) -> bool {
        let Some((until, proof)) = std::str::from_utf8(value)
            .ok()
            .and_then(|v| v.split_once('.'))
        else {
            return false;
        };
        let Some(proof) = unhex::<32>(proof) else {
            return false;
        };
        self.proof(address, until).verify_slice(&proof).is_ok()
            && until.parse::<u64>().is_ok_and(|until| unix(now) < until)
    }

    fn proof(&self, address: &Address, until: &str) -> Hmac<Sha256> {
        let authority = self.door.authority(address);
        // Known here: an own port may belong to another session after a restart.
        let only = self.door.only.as_ref().map(Address::to_string);
        let parts = ["cookie", &authority].into_iter().chain(only.as_deref());
        mac(&self.key, &parts.chain([until]).collect::<Vec<_>>())
    }
}

/// Hashes parts that contain no NUL, so that no two lists of parts hash alike.
fn mac(key: &Key, parts: &[&str]) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("BUG: HMAC takes a key of any length");
    for part in parts {
        mac.update(part.as_bytes());
        mac.update(&[0]);
    }
    mac
}

fn unix(time: SystemTime) -> u64 {
    time.duration_since(SystemTime::UNIX_EPOCH)
        .map_or(0, |age| age.as_secs())
}

/// Whether a cookie of this name belongs to a gateway, ours or another: no session may read or set it.
pub(crate) fn is_ours(name: &[u8]) -> bool {
    name.len() == PREFIX.len() + NAME_DIGITS
        && name[..PREFIX.len()].eq_ignore_ascii_case(PREFIX.as_bytes())
        && name[PREFIX.len()..].iter().all(u8::is_ascii_hexdigit)
}

/// The `name=value` pairs of a `Cookie` header; the name is empty where there is no `=`.
pub(crate) fn pairs(header: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    header.split(|b| *b == b';').map(|pair| {
        let pair = pair.trim_ascii();
        match pair.iter().position(|b| *b == b'=') {
            Some(at) => (pair[..at].trim_ascii(), pair[at + 1..].trim_ascii()),
            None => (&pair[..0], pair),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address::Target;

    fn now() -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000)
    }

    fn web() -> Address {
        Address::new("web", Target::CodeServer)
    }

    fn cookies() -> Cookies {
        Cookies::new([7; 32], names(8743))
    }

    fn names(port: u16) -> Door {
        Door { port, only: None }
    }

    #[test]
    fn opens_its_own_host_until_it_expires() {
        let pair = cookies().pair(&web(), now());
        assert!(cookies().admits(pair.as_bytes(), &web(), now()));
        assert!(cookies().admits(
            pair.as_bytes(),
            &web(),
            now() + LIFE - Duration::from_secs(1)
        ));
        assert!(!cookies().admits(pair.as_bytes(), &web(), now() + LIFE));
    }

    #[test]
    fn opens_nothing_else() {
        let pair = cookies().pair(&web(), now());
        let port = Target::Port(3000.try_into().unwrap());
        for other in [
            Address::new("api", Target::CodeServer),
            Address::new("web", port),
        ] {
            assert!(!cookies().admits(pair.as_bytes(), &other, now()), "{other}");
        }
        for other in [
            Cookies::new([8; 32], names(8743)),
            Cookies::new([7; 32], names(8744)),
        ] {
            let value = pair.split_once('=').unwrap().1;
            let renamed = format!("{}={value}", other.name);
            assert!(!other.admits(renamed.as_bytes(), &web(), now()));
        }
    }

    #[test]
    fn of_a_port_does_not_open_the_session_that_has_it_next() {
        let api = Address::new("api", Target::CodeServer);
        let own = |only: &Address| {
            let only = Some(only.clone());
            Cookies::new([7; 32], Door { port: 20_001, only })
        };
        let pair = own(&web()).pair(&web(), now());
        assert!(own(&web()).admits(pair.as_bytes(), &web(), now()));
        let value = pair.split_once('=').unwrap().1;
        let renamed = format!("{}={value}", own(&api).name);
        assert!(!own(&api).admits(renamed.as_bytes(), &api, now()));
        assert_ne!(own(&web()).prefix(), own(&api).prefix());
        assert_eq!(cookies().prefix(), None);
    }

    #[test]
    fn is_found_among_others_and_never_guessed_at() {
        let cookies = cookies();
        let pair = cookies.pair(&web(), now());
        let (name, value) = pair.split_once('=').unwrap();
        let (until, proof) = value.split_once('.').unwrap();
        for good in [
            format!("a=b; {pair}"),
            format!("{name}=forged;{pair}; c"),
            format!(";;{pair};"),
        ] {
            assert!(cookies.admits(good.as_bytes(), &web(), now()), "{good}");
        }
        for bad in [
            String::new(),
            name.to_owned(),
            format!("{name}="),
            format!("{name}={until}"),
            format!("{name}={until}."),
            format!("{name}=9{until}.{proof}"),
            format!("{name}={until}.{}", &proof[2..]),
            format!("x{pair}"),
            format!("={pair}"),
        ] {
            assert!(!cookies.admits(bad.as_bytes(), &web(), now()), "{bad}");
        }
    }

    #[test]
    fn header_is_host_only_and_strict() {
        let header = cookies().header(&web(), now());
        let attributes: Vec<_> = header.split("; ").skip(1).collect();
        assert_eq!(
            attributes,
            ["Path=/", "Max-Age=2592000", "HttpOnly", "SameSite=Strict"]
        );
    }

    #[test]
    fn a_gateway_is_known_by_its_cookie_name() {
        for ours in [
            cookies().name.as_str(),
            "mizzen-00c0ffee",
            "MIZZEN-00C0FFEE",
        ] {
            assert!(is_ours(ours.as_bytes()), "{ours}");
        }
        for other in [
            "",
            "mizzen-",
            "mizzen-theme",
            "mizzen-00c0ffee0",
            "code-server-session",
        ] {
            assert!(!is_ours(other.as_bytes()), "{other}");
        }
    }
}
