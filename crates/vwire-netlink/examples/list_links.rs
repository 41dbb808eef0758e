//! Times lists of links: what the kernel takes, and what reading adds.
//!
//! `unshare -n list_links 1000` makes 1,000 pairs in a namespace of its own; without a number it lists what is there.

use std::error::Error;
use std::time::{Duration, Instant};

use vwire_netlink::wire::link::veth::Veth;
use vwire_netlink::{Create, IfName, Link, LinkFilter, Request, Socket};

fn main() -> Result<(), Box<dyn Error>> {
    let mut socket = Socket::open()?;
    if let Some(pairs) = std::env::args().nth(1) {
        make_pairs(&mut socket, pairs.parse()?)?;
    }
    for (label, filter) in [("all", LinkFilter::all()), ("lean", LinkFilter::without_stats())] {
        let request = filter.to_request();
        let mut raw = Vec::new();
        let mut read = Vec::new();
        let mut parse = Vec::new();
        let mut payloads: Vec<Box<[u8]>> = Vec::new();
        for _ in 0..15 {
            let start = Instant::now();
            let lengths = socket.dump(&request, |message| Ok(message.payload.len()))?;
            raw.push(start.elapsed());
            let start = Instant::now();
            let links = socket.links(&filter)?;
            read.push(start.elapsed());
            assert_eq!(lengths.len(), links.len());
            payloads = socket.dump(&request, |message| Ok(message.payload.into()))?;
            let start = Instant::now();
            let links: Vec<Link> = payloads.iter().map(|bytes| parse_link(bytes)).collect::<Result<_, _>>()?;
            parse.push(start.elapsed());
            drop(links);
        }
        let bytes: usize = payloads.iter().map(|payload| payload.len()).sum();
        println!(
            "{label}: {} links, {bytes} bytes; raw {:?}, with types {:?}; parsing alone {:?}",
            payloads.len(),
            median(&mut raw),
            median(&mut read),
            median(&mut parse)
        );
    }
    Ok(())
}

fn parse_link(bytes: &[u8]) -> Result<Link, vwire_netlink::wire::MalformedBody> {
    vwire_netlink::wire::Body::parse(bytes)
}

fn make_pairs(socket: &mut Socket, pairs: u32) -> Result<(), Box<dyn Error>> {
    for number in 0..pairs {
        let mut link = Link::named(IfName::new(format!("a{number}"))?);
        let peer = Link::named(IfName::new(format!("b{number}"))?);
        link.set_kind("veth", Some(Veth::with_peer(peer).into()));
        socket.request(&Request::new_link(&link, Create::Exclusive))?;
    }
    Ok(())
}

fn median(times: &mut [Duration]) -> Duration {
    times.sort();
    times.get(times.len() / 2).copied().unwrap_or_default()
}
