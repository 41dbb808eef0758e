//! Waits until a lab's first packet gets through: carriers are there and ports of bridges forward.

use std::time::{Duration, Instant};

use vwire_netlink::wire::link::SlaveData;
use vwire_netlink::{Link, LinkFilter};

use super::engine::{Done, Listener, go_on};
use super::failed::Failed;
use super::model::Lab;
use crate::step::run::Places;
use crate::step::world::{Place, World};

/// How long the kernel may take; it needs milliseconds, and a spanning tree 30 seconds.
const PATIENCE: Duration = Duration::from_secs(40);
/// How long to wait between two looks, at first.
const PAUSE: Duration = Duration::from_micros(500);
/// The longest time between two looks.
const LONGEST_PAUSE: Duration = Duration::from_millis(50);
/// `IF_OPER_UP`.
const OPER_UP: u8 = 6;
/// `BR_STATE_FORWARDING`.
const FORWARDING: u8 = 3;
/// `IFF_UP`.
const UP: u32 = 1;

/// Waits until all cables of a lab carry and all ports forward.
///
/// # Errors
/// Some never do, or a signal asks for the end.
pub fn wait(lab: &Lab, world: &World, places: &mut Places, listener: &mut (dyn Listener + Send)) -> Done<()> {
    let start = Instant::now();
    let mut pause = PAUSE;
    let mut at = 0;
    let all = places.all().count();
    while at < all {
        let links = places.socket(Place(at)).map(|socket| socket.links(&LinkFilter::without_stats()));
        let links = links.ok().and_then(Result::ok).unwrap_or_default();
        let late = world.states.get(at).and_then(|state| {
            let wanted = |link: &&Link| state.link(link.index).is_some_and(|wanted| carries(world, at, wanted));
            links.iter().filter(wanted).find(|link| !is_ready(link))
        });
        match late {
            None => at += 1,
            Some(link) if start.elapsed() > PATIENCE => {
                let name = link.ifname.map(|name| name.to_string()).unwrap_or_default();
                let node = lab.nodes.get(at).map(|node| node.name.clone()).unwrap_or_default();
                let waited = PATIENCE.as_secs();
                return Err(Failed::new(format!("`{name}` in `{node}` carries no packets after {waited} s")));
            }
            Some(_) => {
                go_on(listener)?;
                std::thread::sleep(pause);
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
        }
    }
    Ok(())
}

/// Returns whether a link should carry packets: a cable of which both ends are up.
fn carries(world: &World, at: usize, wanted: &Link) -> bool {
    wanted.kind() == Some("veth") && wanted.flags & UP != 0 && {
        let end = crate::step::world::End { place: crate::step::world::Place(at), index: wanted.index };
        let other = world.other_end(end);
        other
            .and_then(|other| world.states.get(other.place.0)?.link(other.index))
            .is_some_and(|link| link.flags & UP != 0)
    }
}

fn is_ready(link: &Link) -> bool {
    let forwards = match link.slave_data() {
        Some(SlaveData::BridgePort(port)) => port.state.is_none_or(|state| state == FORWARDING),
        _ => true,
    };
    forwards && link.operstate.is_none_or(|state| state == OPER_UP)
}
