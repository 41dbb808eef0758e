//! What hosts are called by `/etc/hosts`, DNS and whatever else the system asks (`nsswitch.conf`).

use std::cell::RefCell;
use std::collections::HashMap;
use std::net::IpAddr;

/// The names that have been looked up, and those that were not found: each is looked up once.
#[derive(Debug, Default)]
pub struct Hosts {
    known: RefCell<HashMap<IpAddr, Option<String>>>,
}

impl Hosts {
    /// Returns the name of a host, if it has one. It may take as long as the system waits for an answer.
    #[must_use]
    pub fn name(&self, address: IpAddr) -> Option<String> {
        self.known.borrow_mut().entry(address).or_insert_with(|| look_up(address)).clone()
    }
}

/// Asks the C library, as `ip` does; an address that has no name comes back as it was.
fn look_up(address: IpAddr) -> Option<String> {
    dns_lookup::lookup_addr(&address).ok().filter(|name| name.parse::<IpAddr>().is_err())
}
