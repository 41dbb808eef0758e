//! Starts the `vwire` command: hands its arguments to the command line's room and leaves with its exit code.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args_os().collect();
    let exit = vwire::cli::main(&arguments, &mut *stdout(), &mut io::stderr());
    ExitCode::from(exit)
}

/// Returns standard output without the line buffer of `std::io::stdout`: output comes in large pieces already.
fn stdout() -> Box<dyn Write> {
    match io::stdout().as_fd().try_clone_to_owned() {
        Ok(descriptor) => Box::new(File::from(descriptor)),
        Err(_) => Box::new(io::stdout()),
    }
}
