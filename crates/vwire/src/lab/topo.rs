//! Writes the lab file of a well-known shape: star, ring, line, tree, fat tree, mesh. Pure.
//!
//! Each file reads as a person would write it, gives every node a way to every other, and checks a few of them.

use std::fmt::Write as _;

/// A shape and its size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// So many hosts on one bridge.
    Star(u32),
    /// So many routers in a circle.
    Ring(u32),
    /// So many routers in a row.
    Line(u32),
    /// Bridges in a tree, each with so many below it, hosts at the ends.
    Tree {
        /// How many levels of bridges.
        depth: u32,
        /// How many are below each.
        fanout: u32,
    },
    /// A fat tree of routers with so many ports (Al-Fares, Loukissas, Vahdat: SIGCOMM 2008).
    FatTree(u32),
    /// So many routers, each wired to each.
    Mesh(u32),
}

/// A size that a shape cannot have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutOfRange {
    what: String,
    hint: String,
}

impl std::fmt::Display for OutOfRange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.what)
    }
}

impl std::error::Error for OutOfRange {}

impl OutOfRange {
    /// Says what helps.
    #[must_use]
    pub fn hint(&self) -> &str {
        &self.hint
    }
}

/// The most ports of a bridge.
const MOST_PORTS: u32 = 1_023;
/// What 10.0.N.0 has room for, and a packet for hops.
const MOST_ROUTERS: u32 = 250;
/// The most hosts of a tree.
const MOST_HOSTS: u32 = 4_000;

impl Shape {
    /// Returns the text of the file.
    ///
    /// # Errors
    /// The size is one that the shape cannot have.
    pub fn file(self) -> Result<String, OutOfRange> {
        match self {
            Shape::Star(hosts) => {
                within("a star", "hosts", hosts, 1, MOST_PORTS, "a bridge has no more ports; try a tree")
                    .map(|()| star(hosts))
            }
            Shape::Ring(nodes) => within(
                "a ring",
                "nodes",
                nodes,
                3,
                MOST_ROUTERS,
                "a packet passes 255 routers at most; two nodes are a line",
            )
            .map(|()| ring(nodes)),
            Shape::Line(nodes) => {
                within("a line", "nodes", nodes, 2, MOST_ROUTERS, "a packet passes 255 routers at most")
                    .map(|()| line(nodes))
            }
            Shape::Mesh(nodes) => {
                within("a mesh", "nodes", nodes, 2, 50, "it has a wire for each pair, and 50 nodes have 1225")
                    .map(|()| mesh(nodes))
            }
            Shape::Tree { depth, fanout } => {
                within("a tree", "levels", depth, 1, 10, "packets of one network pass few bridges")?;
                within("a tree", "branches", fanout, 1, MOST_PORTS - 1, "a bridge has no more ports")?;
                let hosts = fanout.checked_pow(depth).unwrap_or(u32::MAX);
                let most = format!("{fanout} branches on {depth} levels make {hosts} hosts");
                within("a tree", "hosts", hosts, 1, MOST_HOSTS, &most)?;
                Ok(tree(depth, fanout))
            }
            Shape::FatTree(ports) => {
                within("a fat tree", "ports", ports, 2, 16, "16 make 1024 hosts and 320 routers")?;
                match ports % 2 {
                    0 => Ok(fat_tree(ports)),
                    _ => Err(OutOfRange {
                        what: format!("a fat tree cannot have {ports} ports"),
                        hint: "an even number: half of them lead up and half down".to_owned(),
                    }),
                }
            }
        }
    }
}

fn within(shape: &str, of: &str, number: u32, least: u32, most: u32, why: &str) -> Result<(), OutOfRange> {
    if (least..=most).contains(&number) {
        return Ok(());
    }
    Err(OutOfRange { what: format!("{shape} cannot have {number} {of}"), hint: format!("{least} to {most}: {why}") })
}

/// Writes a list, one item a line.
fn list(text: &mut String, key: &str, items: &[String]) {
    match items {
        [] => {}
        [one] => {
            let _ = writeln!(text, "{key} = [\"{one}\"]");
        }
        items => {
            let _ = writeln!(text, "{key} = [");
            for item in items {
                let _ = writeln!(text, "  \"{item}\",");
            }
            let _ = writeln!(text, "]");
        }
    }
}

/// Writes the checks between the first node and a few others, of which the last named is the last there is.
fn checks(text: &mut String, name: &str, others: &[u32]) {
    let most = others.last().copied().unwrap_or(0);
    let mut others: Vec<u32> = others.iter().copied().filter(|other| (2..=most).contains(other)).collect();
    others.dedup();
    let checks: Vec<String> = others.iter().map(|other| format!("{name}1 reaches {name}{other}")).collect();
    list(text, "checks", &checks);
}

fn star(hosts: u32) -> String {
    let mut text = format!("# A star: {hosts} hosts on one bridge, each with an address from its prefix.\n");
    text += "name = \"star\"\nwires = [\"h -- sw\"]\n";
    checks(&mut text, "h", &[2, hosts]);
    let _ = write!(text, "\n[node.h]\ncount = {hosts}\n\n[bridge.sw]\nprefix = \"10.0.0.0/16\"\n");
    text
}

/// Routers pass on packets, and let them pass as many routers as there may be.
const ROUTER: &str = "forwarding = true\nsysctl = { net.ipv4.ip_default_ttl = 255 }\n";

fn ring(nodes: u32) -> String {
    let mut text =
        format!("# A ring of {nodes} routers. Packets go round in one direction: from each node to the next.\n");
    text += "name = \"ring\"\n";
    let wire = |node: u32| format!("r{node} -- r{} prefix 10.0.{node}.0/30", node % nodes + 1);
    list(&mut text, "wires", &(1..=nodes).map(wire).collect::<Vec<_>>());
    checks(&mut text, "r", &[2, nodes / 2 + 1, nodes]);
    let _ = write!(text, "\n[node.r]\ncount = {nodes}\n{ROUTER}routes = [\"10.0.0.0/16 via 10.0.{{n}}.2\"]\n");
    text
}

fn line(nodes: u32) -> String {
    let mut text = format!("# A line of {nodes} routers. The wire behind router N is 10.0.N.0/30.\nname = \"line\"\n");
    let wire = |node: u32| format!("r{node} -- r{} prefix 10.0.{node}.0/30", node + 1);
    list(&mut text, "wires", &(1..nodes).map(wire).collect::<Vec<_>>());
    checks(&mut text, "r", &[2, nodes]);
    let _ = write!(text, "\n[template.router]\n{ROUTER}");
    for node in 1..=nodes {
        let _ = write!(text, "\n[node.r{node}]\nuse = \"router\"\n");
        let mut routes = Vec::new();
        if node < nodes {
            routes.push(format!("10.0.0.0/16 via r{}", node + 1));
        }
        match node {
            1 => {}
            node if node == nodes => routes.push(format!("10.0.0.0/16 via r{}", node - 1)),
            // What lies to the left is the wires before the one at its left hand: those from 0 on, cut into prefixes.
            node => routes.extend(below(node - 1).iter().map(|net| format!("{net} via r{}", node - 1))),
        }
        list(&mut text, "routes", &routes);
    }
    text
}

/// Returns the prefixes that hold 10.0.0.0 up to, and not with, 10.0.END.0.
fn below(end: u32) -> Vec<String> {
    let (mut start, mut prefixes) = (0, Vec::new());
    for bit in (0..8).rev() {
        let size = 1 << bit;
        if end & size != 0 {
            prefixes.push(format!("10.0.{start}.0/{}", 24 - bit));
            start += size;
        }
    }
    prefixes
}

fn tree(depth: u32, fanout: u32) -> String {
    let bridges: u32 = (0..depth).map(|level| fanout.pow(level)).sum();
    let hosts = fanout.pow(depth);
    let mut text = format!("# A tree of {bridges} bridges, {fanout} below each, and {hosts} hosts at its ends.\n");
    text += "name = \"tree\"\n";
    let mut wires = Vec::new();
    for child in 2..=bridges {
        wires.push(format!("s{} -- s{child}", (child - 2) / fanout + 1));
    }
    let first_leaf = bridges - fanout.pow(depth - 1) + 1;
    for host in 1..=hosts {
        wires.push(format!(
            "h{host} 10.0.{}.{}/16 -- s{}",
            host / 250,
            host % 250 + 1,
            first_leaf + (host - 1) / fanout
        ));
    }
    list(&mut text, "wires", &wires);
    checks(&mut text, "h", &[2, hosts]);
    let _ = write!(text, "\n[node.h]\ncount = {hosts}\n");
    if fanout == 1 || bridges == 1 {
        for bridge in 1..=bridges {
            let _ = write!(text, "\n[bridge.s{bridge}]\n");
        }
    }
    text
}

fn mesh(nodes: u32) -> String {
    let mut text =
        format!("# A mesh: {nodes} routers, each wired to each. Router N is 10.N.M.1 to router M behind it.\n");
    text += "name = \"mesh\"\n";
    let pairs = (1..=nodes).flat_map(|one| (one + 1..=nodes).map(move |other| (one, other)));
    let wire = |(one, other): (u32, u32)| format!("r{one} -- r{other} prefix 10.{one}.{other}.0/30");
    list(&mut text, "wires", &pairs.map(wire).collect::<Vec<_>>());
    checks(&mut text, "r", &[2, nodes]);
    let _ = write!(text, "\n[template.router]\n{ROUTER}");
    for node in 1..=nodes {
        let _ = write!(text, "\n[node.r{node}]\nuse = \"router\"\n");
        let others = (1..nodes).filter(|other| *other != node);
        list(&mut text, "routes", &others.map(|other| format!("10.{other}.0.0/16 via r{other}")).collect::<Vec<_>>());
    }
    text
}

/// Pod P has edge routers `eP-E` and above them `aP-A`; core router `cA-C` is wired to `aP-A` of each pod.
fn fat_tree(ports: u32) -> String {
    let half = ports / 2;
    let mut text = format!(
        "# A fat tree of routers with {ports} ports: {ports} pods of {half} edge (e) and {half} aggregation (a) routers,\n\
         # {} core (c) routers, {} hosts (h). Each router shares what it sends up among all that are above it.\n\
         name = \"fattree\"\n",
        half * half,
        ports * half * half
    );
    let mut wires = Vec::new();
    let mut tables = String::new();
    for pod in 1..=ports {
        for edge in 1..=half {
            for host in 1..=half {
                wires.push(format!("h{pod}-{edge}-{host} -- lan{pod}-{edge}"));
            }
            let up: Vec<String> = (1..=half).map(|above| format!("nexthop via a{pod}-{above}")).collect();
            let _ = write!(
                tables,
                "\n[bridge.lan{pod}-{edge}]\nnode = \"e{pod}-{edge}\"\ndevice = \"lan\"\nprefix = \"10.{pod}.{edge}.0/24\"\n\
                 address = \"auto\"\ngateway = \"lan{pod}-{edge}\"\n\n[node.e{pod}-{edge}]\nuse = \"router\"\n\
                 routes = [\"10.0.0.0/8 {}\"]\n",
                up.join(" ")
            );
        }
        for above in 1..=half {
            for edge in 1..=half {
                wires.push(format!("e{pod}-{edge} -- a{pod}-{above} prefix 10.{}.{edge}.{}/30", 100 + pod, above * 4));
            }
            let mut routes: Vec<String> =
                (1..=half).map(|edge| format!("10.{pod}.{edge}.0/24 via e{pod}-{edge}")).collect();
            let up: Vec<String> = (1..=half).map(|core| format!("nexthop via c{above}-{core}")).collect();
            routes.push(format!("10.0.0.0/8 {}", up.join(" ")));
            let _ = write!(tables, "\n[node.a{pod}-{above}]\nuse = \"router\"\n");
            list(&mut tables, "routes", &routes);
        }
    }
    for above in 1..=half {
        for core in 1..=half {
            for pod in 1..=ports {
                let net = 150 + above;
                wires.push(format!("a{pod}-{above} -- c{above}-{core} prefix 10.{net}.{core}.{}/30", pod * 4));
            }
            let routes: Vec<String> = (1..=ports).map(|pod| format!("10.{pod}.0.0/16 via a{pod}-{above}")).collect();
            let _ = write!(tables, "\n[node.c{above}-{core}]\nuse = \"router\"\n");
            list(&mut tables, "routes", &routes);
        }
    }
    let hosts: Vec<String> = (1..=ports)
        .flat_map(|pod| (1..=half).flat_map(move |edge| (1..=half).map(move |host| format!("h{pod}-{edge}-{host}"))))
        .collect();
    let _ =
        writeln!(text, "nodes = [{}]", hosts.iter().map(|host| format!("\"{host}\"")).collect::<Vec<_>>().join(", "));
    list(&mut text, "wires", &wires);
    let far = format!("h1-1-1 reaches h{ports}-{half}-{half}");
    let near = format!("h1-1-1 reaches h1-{half}-{half}");
    let pairs = if half > 1 { vec![near, far] } else { vec![far] };
    list(&mut text, "checks", &pairs);
    format!("{text}\n[template.router]\n{ROUTER}{tables}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::file;
    use crate::lab::model::{Lab, RouteAction};
    use std::collections::BTreeMap;
    use std::net::IpAddr;

    fn read(shape: Shape) -> Lab {
        let text = shape.file().unwrap();
        match file::read(&text, "topo.toml") {
            Ok((lab, warnings)) => {
                assert!(warnings.is_empty(), "{shape:?}: {}", warnings[0].render(false, 100));
                lab
            }
            Err(problems) => panic!("{shape:?}: {}", problems[0].render(false, 100)),
        }
    }

    fn sizes() -> Vec<Shape> {
        let of = |shape: fn(u32) -> Shape, sizes: &[u32]| sizes.iter().map(|size| shape(*size)).collect::<Vec<_>>();
        let mut all = of(Shape::Star, &[1, 2, 3, 50, 200, 253, 254, 255, 1000, 1023]);
        all.extend(of(Shape::Ring, &[3, 4, 5, 64, 250]));
        all.extend(of(Shape::Line, &[2, 3, 4, 5, 17, 64, 250]));
        all.extend(of(Shape::Mesh, &[2, 3, 4, 7, 50]));
        all.extend(of(Shape::FatTree, &[2, 4, 6, 8, 16]));
        for (depth, fanout) in [(1, 1), (1, 2), (2, 1), (2, 2), (2, 3), (3, 3), (5, 2), (10, 1), (1, 1022), (2, 63)] {
            all.push(Shape::Tree { depth, fanout });
        }
        all
    }

    #[test]
    fn each_shape_of_each_size_reads_back_without_a_warning() {
        for shape in sizes() {
            let lab = read(shape);
            assert!(!lab.nodes.is_empty());
            let mut devices = 0;
            for node in &lab.nodes {
                devices += node.devices.len();
            }
            assert!(devices > 0, "{shape:?}");
        }
    }

    /// Follows the routes of a lab from a node to an address, the first of several gateways each time.
    fn arrives(lab: &Lab, from: &str, to: IpAddr) -> bool {
        let nodes: BTreeMap<&str, _> = lab.nodes.iter().map(|node| (node.name.as_str(), node)).collect();
        let mut owners: BTreeMap<IpAddr, &str> = BTreeMap::new();
        for node in &lab.nodes {
            for interface in node.devices.iter().flat_map(|device| &device.addresses) {
                owners.insert(interface.address, &node.name);
            }
        }
        let holds = |net: IpAddr, length: u8, address: IpAddr| file::unit::mask(address, length) == net;
        let mut at = from;
        for _ in 0..255 {
            let node = nodes[at];
            let interfaces: Vec<_> = node.devices.iter().flat_map(|device| &device.addresses).collect();
            if interfaces.iter().any(|interface| interface.address == to) {
                return true;
            }
            let direct = interfaces
                .iter()
                .any(|interface| holds(file::unit::network(interface).address, interface.prefix_length, to));
            if direct {
                at = owners[&to];
                continue;
            }
            let routes = node.routes.iter().filter(|route| holds(route.to.address, route.to.length, to));
            let Some(route) = routes.max_by_key(|route| route.to.length) else { return false };
            let RouteAction::Via(hops) = &route.action else { return false };
            at = owners[&hops[0].gateway.unwrap()];
        }
        false
    }

    #[test]
    fn every_node_finds_a_way_to_every_other() {
        let shapes = [
            Shape::Star(5),
            Shape::Ring(3),
            Shape::Ring(8),
            Shape::Line(2),
            Shape::Line(3),
            Shape::Line(20),
            Shape::Mesh(2),
            Shape::Mesh(6),
            Shape::FatTree(2),
            Shape::FatTree(4),
            Shape::Tree { depth: 2, fanout: 3 },
        ];
        for shape in shapes {
            let lab = read(shape);
            for from in lab.nodes.iter().filter(|node| !node.is_bridge) {
                for to in lab.nodes.iter().filter(|node| !node.is_bridge) {
                    // The routers of a fat tree have addresses between them that hosts have no use for.
                    let hosts_only = matches!(shape, Shape::FatTree(_));
                    if hosts_only && !(from.name.starts_with('h') && to.name.starts_with('h')) {
                        continue;
                    }
                    let address = to.devices.iter().find_map(|device| device.addresses.first()).unwrap().address;
                    assert!(arrives(&lab, &from.name, address), "{shape:?}: {} to {}", from.name, to.name);
                }
            }
        }
    }

    #[test]
    fn a_size_out_of_range_says_which_range() {
        let error = Shape::Star(2000).file().unwrap_err();
        assert_eq!(error.to_string(), "a star cannot have 2000 hosts");
        assert!(error.hint().starts_with("1 to 1023: "), "{}", error.hint());
        let of = |shape: Shape| shape.file().unwrap_err();
        for shape in [
            Shape::Star(0),
            Shape::Ring(2),
            Shape::Line(1),
            Shape::Mesh(1),
            Shape::FatTree(3),
            Shape::FatTree(0),
            Shape::Tree { depth: 0, fanout: 2 },
            Shape::Tree { depth: 10, fanout: 1000 },
            Shape::Tree { depth: u32::MAX, fanout: u32::MAX },
        ] {
            assert!(!of(shape).hint().is_empty(), "{shape:?}");
        }
    }

    #[test]
    fn a_star_is_short_whatever_its_size() {
        assert!(Shape::Star(1000).file().unwrap().lines().count() < 15);
    }
}
