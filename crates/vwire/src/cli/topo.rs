//! `vwire topo`: the lab file of a well-known shape, written to standard output.

use clap::{Arg, ArgMatches, Command, value_parser};

use super::talk::Talk;
use super::{Call, Verb};
use crate::lab::failed::Failed;
use crate::lab::file;
use crate::lab::nearest::nearest;
use crate::lab::topo::Shape;

/// Returns the verb.
#[must_use]
pub fn verb() -> Verb {
    Verb { command, run }
}

fn command() -> Command {
    let size = |name: &'static str, other: &'static str, help: &'static str| {
        Arg::new("size")
            .long(name)
            .alias(other)
            .value_name("N")
            .required(true)
            .value_parser(value_parser!(u32))
            .help(help)
    };
    let number = |name: &'static str, help: &'static str| {
        Arg::new(name).long(name).value_name("N").required(true).value_parser(value_parser!(u32)).help(help)
    };
    let address =
        || Arg::new("address-of").long("address-of").value_name("NODE").help("Prints that node's address, and no file");
    let shape = |name: &'static str, about: &'static str| Command::new(name).about(about).arg(address());
    Command::new("topo")
        .about("Writes a lab file: a star, ring, line, tree, fat tree or mesh")
        .long_about(
            "Writes a lab file of a well-known shape to standard output, in which every node reaches every other: to \
             bring up, to change, or to learn the file by. `vwire topo star --hosts 200 >star.toml`",
        )
        .subcommand_required(true)
        .allow_external_subcommands(true)
        .arg_required_else_help(true)
        .subcommand(shape("star", "Hosts on one bridge").arg(size("hosts", "nodes", "How many hosts, 1 to 1023")))
        .subcommand(shape("ring", "Routers in a circle").arg(size("nodes", "hosts", "How many routers, 3 to 250")))
        .subcommand(shape("line", "Routers in a row").arg(size("nodes", "hosts", "How many routers, 2 to 250")))
        .subcommand(
            shape("tree", "Bridges in a tree, hosts at its ends")
                .arg(number("depth", "How many levels of bridges, 1 to 10"))
                .arg(number("fanout", "How many are below each bridge, 1 to 1022")),
        )
        .subcommand(
            shape("fattree", "A fat tree of routers, hosts at its ends")
                .arg(number("k", "How many ports a router has: even, 2 to 16")),
        )
        .subcommand(shape("mesh", "Routers, each wired to each").arg(size(
            "nodes",
            "hosts",
            "How many routers, 2 to 50",
        )))
}

fn run(call: &mut Call<'_>) -> u8 {
    let Some((name, arguments)) = call.arguments.subcommand() else { return 2 };
    if !SHAPES.contains(&name) {
        let hint = match nearest(name, SHAPES) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => format!("there are `{}`", SHAPES.join("`, `")),
        };
        let failed = Failed::new(format!("there is no topology `{name}`")).hint(hint);
        return Talk::new(call.stderr, call.form).refuses(&failed, 2);
    }
    let text = match shape(name, arguments).file() {
        Ok(text) => text,
        Err(error) => {
            let failed = Failed::new(error.to_string()).hint(error.hint());
            return Talk::new(call.stderr, call.form).refuses(&failed, 2);
        }
    };
    let data = match arguments.get_one::<String>("address-of") {
        Some(node) => match address_of(&text, node) {
            Some(address) => format!("{address}\n"),
            None => {
                let failed = Failed::new(format!("this {name} has no node `{node}` with an address"));
                return Talk::new(call.stderr, call.form).refuses(&failed, 2);
            }
        },
        None => text,
    };
    match call.stdout.write_all(data.as_bytes()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            let failed = Failed::new("cannot write the file").because(&error);
            Talk::new(call.stderr, call.form).refuses(&failed, 1)
        }
        _ => 0,
    }
}

/// The shapes that there are.
const SHAPES: [&str; 6] = ["star", "ring", "line", "tree", "fattree", "mesh"];

fn shape(name: &str, arguments: &ArgMatches) -> Shape {
    let number = |name: &str| arguments.get_one::<u32>(name).copied().unwrap_or(0);
    match name {
        "star" => Shape::Star(number("size")),
        "ring" => Shape::Ring(number("size")),
        "line" => Shape::Line(number("size")),
        "mesh" => Shape::Mesh(number("size")),
        "fattree" => Shape::FatTree(number("k")),
        _ => Shape::Tree { depth: number("depth"), fanout: number("fanout") },
    }
}

/// Returns the first address of a node, by reading the file as `vwire up` would.
fn address_of(text: &str, node: &str) -> Option<std::net::IpAddr> {
    let (lab, _) = file::read(text, "topo.toml").ok()?;
    let node = lab.nodes.into_iter().find(|known| known.name == node)?;
    node.devices.iter().find_map(|device| device.addresses.first()).map(|interface| interface.address)
}
