//! The words behind `type KIND`, for kinds that take none, and for veth.

use vwire_netlink::Link;
use vwire_netlink::wire::Text;
use vwire_netlink::wire::link::LinkInfo;
use vwire_netlink::wire::link::veth::Veth;

use crate::cli::ip::words::Words;
use crate::cli::ip::{Failure, Ip};

/// What the words are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// A new link.
    Add,
    /// A link that is there.
    Set,
}

const VETH: &str = "Usage: ip link add NAME type veth [ peer SETTING... ]\n";

/// Reads the other end of a pair, by the same words as the first.
pub type ReadPeer<'r> = dyn FnMut(&mut Ip<'_>, &mut Words<'_>) -> Result<Link, Failure> + 'r;

/// Reads the words of a kind.
///
/// # Errors
/// A word that does not fit.
pub fn read(
    ip: &mut Ip<'_>,
    kind: &[u8],
    words: &mut Words<'_>,
    _purpose: Purpose,
    peer: &mut ReadPeer<'_>,
) -> Result<LinkInfo, Failure> {
    let mut info = LinkInfo { kind: Some(Text::new(kind)), ..LinkInfo::default() };
    if kind == b"veth" && !words.is_empty() {
        if !words.take_if("peer") {
            ip.printer.text(VETH);
            return Err(Failure::verbatim(1, ""));
        }
        info.data = Some(Veth::with_peer(peer(ip, words)?).into());
    }
    Ok(info)
}

/// Returns what a kind takes.
#[must_use]
pub fn help(kind: &[u8]) -> Option<&'static str> {
    (kind == b"veth").then_some(VETH)
}
