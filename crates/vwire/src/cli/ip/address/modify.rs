//! `ip address add`, `change`, `replace` and `del`: asks the kernel, and explains what it refuses.

use vwire_netlink::wire::{Body, Create};
use vwire_netlink::{Address, AddressFilter, Request, RequestError};

use super::change::{self, AddressChange, Remark, Verb};
use crate::cli::ip::kernel::refusal;
use crate::cli::ip::words::{Words, shown};
use crate::cli::ip::{Failure, Ip, Persona};
use crate::out::address;

/// `EEXIST`.
const EEXIST: i32 = 17;
/// `EADDRNOTAVAIL`.
const EADDRNOTAVAIL: i32 = 99;
/// `EACCES`.
const EACCES: i32 = 13;
/// `ENOENT`.
const ENOENT: i32 = 2;

impl Verb {
    /// Says what is done, to put behind "cannot".
    fn tried(self, address: &str, device: &str) -> String {
        match self {
            Self::Add => format!("cannot add {address} to `{device}`"),
            Self::Change => format!("cannot change {address} on `{device}`"),
            Self::Replace => format!("cannot set {address} on `{device}`"),
            Self::Delete => format!("cannot delete {address} from `{device}`"),
        }
    }

    fn request(self, address: &Address) -> Request {
        match self {
            Self::Add => Request::new_address(address, Create::Exclusive),
            Self::Change => Request::new_address(address, Create::Replace),
            Self::Replace => Request::new_address(address, Create::OrReplace),
            Self::Delete => Request::del_address(address),
        }
    }
}

/// Runs a command that changes an address.
///
/// # Errors
/// A wrong word, a device that is not there, or what the kernel refuses.
pub fn run(ip: &mut Ip<'_>, verb: Verb, words: &mut Words<'_>) -> Result<(), Failure> {
    let mut remarks = Vec::new();
    let read = change::read(verb, ip.options.family, words, &super::names_to_read(ip), &mut remarks);
    for remark in &remarks {
        say(ip, remark);
    }
    let change = read?;
    let device = shown(&change.device);
    let tried = verb.tried(&change.shown(), &device);
    let missing = || Failure::no_device(&change.device).trying(tried.clone());
    let index = ip.device(&change.device)?.ok_or_else(missing)?;
    let address = change.on_device(index).map_err(|failure| failure.trying(tried.clone()))?;
    let request = verb.request(&address);
    let request = if ip.options.echo { request.with_echo() } else { request };
    match ip.submit(&request)? {
        Ok(reply) => {
            if let Some(warning) = reply.warning() {
                ip.say(format!("Warning: {}.\n", warning.trim_end_matches(['.', '\n'])).as_bytes());
            }
            if ip.options.echo {
                echo(ip, verb, reply.messages.first().map(|message| &*message.payload), &change.device);
            }
            if let Some(remark) = whole_address(verb, &change) {
                say(ip, &remark);
            }
            Ok(())
        }
        Err(error) => Err(explain(ip, verb, &change, &address, &error)?.trying(tried)),
    }
}

fn say(ip: &mut Ip<'_>, remark: &Remark) {
    let words = match ip.persona {
        Persona::Ip => &remark.ip,
        Persona::Vwire => &remark.vwire,
    };
    if !words.is_empty() {
        ip.say(words.as_bytes());
    }
}

/// Prints the address that the kernel says it has made or deleted.
fn echo(ip: &mut Ip<'_>, verb: Verb, payload: Option<&[u8]>, device: &[u8]) {
    let Some(Ok(address)) = payload.map(Address::parse) else { return };
    let names = super::names_to_print(ip);
    ip.printer.open_document();
    ip.printer.open_object(None);
    if verb == Verb::Delete {
        ip.printer.mark("deleted", "Deleted ");
    }
    address::print(&mut ip.printer, &address, Some(device), &names);
    ip.printer.close_object();
    ip.printer.close_document();
}

/// Remarks on an address that was added without a length: it has no neighbours then.
fn whole_address(verb: Verb, change: &AddressChange) -> Option<Remark> {
    let local = change.local.filter(|local| !local.length_given && !change.has_peer)?;
    let address = local.address.filter(|address| !address.is_loopback() && !address.is_multicast())?;
    if verb == Verb::Delete || change.device == b"lo" {
        return None;
    }
    let usual = if address.is_ipv4() { 24 } else { 64 };
    let vwire = format!(
        "hint: {address} stands alone, as /{}: with {address}/{usual} it would reach its neighbours on `{}`\n",
        local.length,
        shown(&change.device)
    );
    Some(Remark { ip: String::new(), vwire })
}

/// Turns the kernel's refusal into a failure that says what is in the way.
fn explain(
    ip: &mut Ip<'_>,
    verb: Verb,
    change: &AddressChange,
    address: &Address,
    error: &RequestError,
) -> Result<Failure, Failure> {
    let failure = refusal(error);
    if ip.persona == Persona::Ip {
        return Ok(failure);
    }
    let device = shown(&change.device);
    Ok(match (error.errno(), verb) {
        (EEXIST, _) => match same_address(ip, address)?.first() {
            Some((holder, text)) => {
                failure.hint(format!("`{holder}` has {text}; `vwire addr replace` in the place of `add` does not mind"))
            }
            None => failure.hint(format!("`vwire addr show dev {device}` shows what is in the way")),
        },
        (EADDRNOTAVAIL | ENOENT, Verb::Delete | Verb::Change) => match same_address(ip, address)?.first() {
            Some((holder, text)) => failure.hint(format!("`{holder}` has {text}")),
            None => failure.hint(format!("`vwire addr show dev {device}` lists the addresses it has")),
        },
        (EACCES, _) if address.family == 10 => failure
            .hint(format!("IPv6 is switched off there: the sysctl net.ipv6.conf.{device}.disable_ipv6 must be 0")),
        _ => failure,
    })
}

/// Returns who has the same address, with whatever length: the device's name and the address.
fn same_address(ip: &mut Ip<'_>, wanted: &Address) -> Result<Vec<(String, String)>, Failure> {
    let filter = AddressFilter { family: wanted.family, ..AddressFilter::all() };
    let addresses = ip.socket()?.addresses(&filter).unwrap_or_default();
    let local = |address: &Address| address.local.or(address.address);
    let mut same: Vec<&Address> = addresses.iter().filter(|address| local(address) == local(wanted)).collect();
    same.sort_by_key(|address| address.index != wanted.index);
    let mut found = Vec::new();
    for address in same {
        let link = ip.link(address.index, 0)?;
        let name =
            link.and_then(|link| link.ifname).map_or_else(|| format!("if{}", address.index), |name| name.to_string());
        if let Some(local) = local(address) {
            found.push((name, format!("{local}/{}", address.prefixlen)));
        }
    }
    Ok(found)
}
