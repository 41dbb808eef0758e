//! A test that talks through a router with NAT, as the guide shows it, to be copied.

use std::io::{Read, Write};
use vwire::Lab;

const HOME: &str = r#"
wires = [
  "laptop 192.168.1.2/24 -- router:lan 192.168.1.1/24",
  "router:wan 203.0.113.1/24 -- server 203.0.113.80/24",
]
[node.laptop]
routes = ["default via 192.168.1.1"]
[node.router]
forwarding = true
nat = ["masquerade out wan"]
[node.server]
"#;

#[test]
fn the_server_sees_the_router_and_the_laptop_its_answer() -> Result<(), Box<dyn std::error::Error>> {
    let lab = Lab::from_toml(HOME)?.up()?;
    let listener = lab.node("server")?.tcp_listener("203.0.113.80:7")?;
    let mut laptop = lab.node("laptop")?.tcp_stream("203.0.113.80:7")?;
    let (mut server, from) = listener.accept()?;
    assert_eq!(from.ip().to_string(), "203.0.113.1");

    laptop.write_all(b"hello")?;
    let mut heard = [0; 5];
    server.read_exact(&mut heard)?;
    server.write_all(&heard)?;
    laptop.read_exact(&mut heard)?;
    assert_eq!(&heard, b"hello");
    Ok(())
}
