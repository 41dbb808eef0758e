//! `vwire batch`: commands from a file, all of them or none.

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;

use clap::{Arg, ArgAction, Command};

use super::ip::options::Options;
use super::ip::wishes::{Wishes, seconds_of};
use super::ip::{self, Failure, Persona, Tongue};
use super::{Call, Verb};

/// Returns the verb.
#[must_use]
pub fn verb() -> Verb {
    Verb { command, run }
}

fn command() -> Command {
    let flag = |name: &'static str, help: &'static str| Arg::new(name).long(name).action(ArgAction::SetTrue).help(help);
    Command::new("batch")
        .about("Runs commands from a file as a whole: all are done, or nothing is")
        .long_about(
            "Runs commands from a file as a whole.\n\nEach line is a command as `vwire` takes it, without the program's \
             name: `link add v0 type veth peer name v1`. The options --if-exists, --if-absent, --replace and --wait may \
             stand before it, for that line alone. `#` begins a comment; a backslash at the end of a line joins the next.\
             \n\nAll lines are checked first, and all mistakes told with FILE:LINE. Then they are done; if the kernel \
             refuses one, everything is brought back to what it was. Exit code: 0 done, 1 refused, 2 a line is wrong.",
        )
        .arg(Arg::new("FILE").required(true).value_parser(clap::value_parser!(OsString)).help("The file; `-` is standard input"))
        .arg(flag("plan", "Shows what each line would change, and changes nothing"))
        .arg(flag("if-exists", "What is not there need not be changed or deleted"))
        .arg(flag("if-absent", "What is there already as it is asked for need not be made"))
        .arg(flag("replace", "What is there already becomes what is asked for"))
        .arg(
            Arg::new("wait")
                .long("wait")
                .value_name("SECONDS")
                .num_args(0..=1)
                .require_equals(true)
                .default_missing_value("5")
                .value_parser(clap::value_parser!(OsString))
                .help("A line is done when what it set up can be used: carrier, no duplicate address"),
        )
}

fn run(call: &mut Call<'_>) -> u8 {
    let file = call.arguments.get_one::<OsString>("FILE").cloned().unwrap_or_default();
    let own = match wishes(call) {
        Ok(own) => own,
        Err(failure) => {
            let _ = call.stderr.write_all(&ip::spelled(&failure, Tongue::new(Persona::Vwire, call.form.json)));
            return 2;
        }
    };
    let options = Options { wishes: call.options.wishes.and(own), ..call.options.clone() };
    ip::run_whole(options, &file, call.stdout, call.stderr)
}

fn wishes(call: &Call<'_>) -> Result<Wishes, Failure> {
    let is_set = |name: &str| call.arguments.get_flag(name);
    let wait = call.arguments.get_one::<OsString>("wait").map(|seconds| seconds_of(seconds.as_bytes())).transpose()?;
    Ok(Wishes {
        if_exists: is_set("if-exists"),
        if_absent: is_set("if-absent"),
        replace: is_set("replace"),
        wait,
        plan: is_set("plan"),
        atomic: true,
    })
}
