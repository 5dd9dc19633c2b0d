//! A port of ours: which hosts are answered on it, and how browsers write them.

use sha2::{Digest, Sha256};

use crate::address::Address;

/// Where the search for a door's own port begins; below the ports that systems give out by themselves.
const OWN_PORTS: std::ops::Range<u16> = 20_000..30_000;

/// What is answered on one port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Door {
    pub(crate) port: u16,
    /// The one service behind this port, at `127.0.0.1`; without it the host's name tells which.
    pub(crate) only: Option<Address>,
}

impl Door {
    /// Reads a `Host` header; none unless it is of this door's form.
    pub(crate) fn address(&self, host: &str) -> Option<Address> {
        match &self.only {
            None => Address::parse(host, self.port),
            Some(only) => (host == self.authority(only)).then(|| only.clone()),
        }
    }

    /// The `Host` header that a browser sends for this address.
    pub(crate) fn authority(&self, address: &Address) -> String {
        match &self.only {
            None => address.authority(self.port),
            Some(_) => format!("127.0.0.1:{}", self.port),
        }
    }

    /// The origin of this address's pages.
    pub(crate) fn origin(&self, address: &Address) -> String {
        format!("http://{}", self.authority(address))
    }

    /// Whether browsers take other sessions' pages for pages of the same site, and share cookies with them: they do
    /// so for all ports of one host.
    pub(crate) fn has_neighbours(&self) -> bool {
        self.only.is_some()
    }
}

/// The port to try first for a service's own door: the same one every time, because browsers keep what an editor
/// remembers by port.
pub(crate) fn own_port(address: &Address) -> u16 {
    let hash = Sha256::digest(address.to_string().as_bytes());
    let number = u16::from_be_bytes([hash[0], hash[1]]);
    OWN_PORTS.start + number % (OWN_PORTS.end - OWN_PORTS.start)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address::Target;

    #[test]
    fn an_own_door_knows_its_address_and_no_name() {
        let web = Address::new("web", Target::CodeServer);
        let door = Door {
            port: 20_001,
            only: Some(web.clone()),
        };
        assert_eq!(door.address(&door.authority(&web)), Some(web));
        for host in [
            "127.0.0.1",
            "127.0.0.1:20002",
            "127.0.0.1:020001",
            "127.1:20001",
            "localhost:20001",
            "web.localhost:20001",
            "[::1]:20001",
            "rebound.example:20001",
            "",
        ] {
            assert_eq!(door.address(host), None, "{host}");
        }
    }

    #[test]
    fn an_own_port_stays_the_same() {
        let port = |name| own_port(&Address::new(name, Target::CodeServer));
        assert_eq!(port("web"), port("WEB"));
        assert_ne!(port("web"), port("api"));
        assert!(OWN_PORTS.contains(&port("web")));
    }
}
