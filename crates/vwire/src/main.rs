//! Starts the `vwire` command.

fn main() {}
