//! Launch tokens: what turns a URL handed to the browser into a cookie, once.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use subtle::ConstantTimeEq as _;
use tokio::time::Instant;

use crate::address::Address;
use crate::state::{hex, unhex};

/// Long enough for a browser that has to start first.
pub(crate) const LIFE: Duration = Duration::from_secs(60);
/// Launches under way at once; the oldest gives way.
const MAX: usize = 64;

/// Tokens that were handed out and not used yet.
#[derive(Default)]
pub(crate) struct Tokens {
    // A std lock: held for a walk over at most `MAX` entries, never across an await.
    live: Mutex<VecDeque<Issued>>,
}

struct Issued {
    secret: [u8; 32],
    address: Address,
    until: Instant,
}

impl Tokens {
    /// Makes a token that opens this address once within [`LIFE`].
    pub(crate) fn issue(&self, address: Address) -> String {
        let secret: [u8; 32] = rand::random();
        let mut live = self.live.lock().unwrap_or_else(PoisonError::into_inner);
        if live.len() == MAX {
            live.pop_front();
        }
        live.push_back(Issued {
            secret,
            address,
            until: Instant::now() + LIFE,
        });
        hex(&secret)
    }

    /// Uses a token up; true when it was issued for this address and is young enough.
    pub(crate) fn redeem(&self, text: &str, address: &Address) -> bool {
        let Some(secret) = unhex::<32>(text) else {
            return false;
        };
        let mut live = self.live.lock().unwrap_or_else(PoisonError::into_inner);
        // Known here: every live token is compared, so the time taken does not tell which one was near.
        let found = live
            .iter()
            .enumerate()
            .fold(None, |found, (place, issued)| {
                if bool::from(issued.secret.ct_eq(&secret)) {
                    Some(place)
                } else {
                    found
                }
            });
        // A token that turns up at another address has leaked: it is used up as well.
        let issued = found.and_then(|place| live.remove(place));
        issued.is_some_and(|issued| issued.address == *address && Instant::now() < issued.until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address::Target;

    fn web() -> Address {
        Address::new("web", Target::CodeServer)
    }

    #[test]
    fn opens_its_address_once() {
        let tokens = Tokens::default();
        let token = tokens.issue(web());
        assert_eq!(token.len(), 64);
        assert!(tokens.redeem(&token, &web()));
        assert!(!tokens.redeem(&token, &web()));
    }

    #[test]
    fn is_burnt_at_another_address() {
        let tokens = Tokens::default();
        let token = tokens.issue(web());
        let port = Target::Port(3000.try_into().unwrap());
        assert!(!tokens.redeem(&token, &Address::new("web", port)));
        assert!(!tokens.redeem(&token, &web()));
    }

    #[tokio::test(start_paused = true)]
    async fn grows_old() {
        let tokens = Tokens::default();
        let (young, old) = (tokens.issue(web()), tokens.issue(web()));
        tokio::time::advance(LIFE - Duration::from_millis(1)).await;
        assert!(tokens.redeem(&young, &web()));
        tokio::time::advance(Duration::from_millis(1)).await;
        assert!(!tokens.redeem(&old, &web()));
    }

    #[test]
    fn gives_way_when_there_are_too_many() {
        let tokens = Tokens::default();
        let first = tokens.issue(web());
        let others: Vec<_> = (0..MAX).map(|_| tokens.issue(web())).collect();
        assert!(!tokens.redeem(&first, &web()));
        assert!(others.iter().all(|token| tokens.redeem(token, &web())));
    }

    #[test]
    fn nonsense_opens_nothing() {
        let tokens = Tokens::default();
        let token = tokens.issue(web());
        for bad in [
            "",
            "0",
            &token.to_uppercase(),
            &token[1..],
            &format!("{token}0"),
        ] {
            assert!(!tokens.redeem(bad, &web()) || bad == token, "{bad}");
        }
        assert!(tokens.redeem(&token, &web()));
    }
}
