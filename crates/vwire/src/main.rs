//! Starts the `vwire` command: hands its arguments to the command line's room and leaves with its exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args_os().collect();
    let exit = vwire::cli::main(&arguments, &mut std::io::stdout(), &mut std::io::stderr());
    ExitCode::from(exit)
}
