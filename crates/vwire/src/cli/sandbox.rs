//! `vwire sandbox`: a shell, or a program, in a network of one's own, without privilege.
//!
//! Root inside is nobody outside: whatever is built or broken there is gone with the program.

use std::ffi::OsString;
use std::io;
use std::os::unix::process::CommandExt;
use std::process;

use clap::{Arg, ArgAction, Command, value_parser};

use super::ip::failure::errno_sentence;
use super::talk::Talk;
use super::{Call, Verb};
use crate::lab::failed::Failed;
use crate::lab::namespace::Sandbox;
use crate::lab::namespace::sandbox::{Lack, SandboxError};

/// The exit code where the kernel said no.
const REFUSED: u8 = 1;

/// Returns the verb.
pub fn verb() -> Verb {
    Verb { command, run }
}

fn command() -> Command {
    Command::new("sandbox")
        .about("Run a shell, or a program, in a network of its own; needs no privilege")
        .long_about(
            "Run a shell, or a program, as root of a network of its own.\n\n\
             It has no devices but `lo`, and named network namespaces of its own; nothing outside sees or feels what \
             is done inside, and all of it is gone when the last program inside ends. An ordinary user needs user \
             namespaces for it, which some machines forbid; then the setting to change is told.",
        )
        .arg(
            Arg::new("program")
                .value_name("PROGRAM")
                .help("The program and its arguments; without, the shell of $SHELL")
                .value_parser(value_parser!(OsString))
                .action(ArgAction::Append)
                .num_args(0..)
                .trailing_var_arg(true)
                .allow_hyphen_values(true),
        )
}

fn run(call: &mut Call<'_>) -> u8 {
    let sandbox = match Sandbox::enter() {
        Ok(sandbox) => sandbox,
        Err(error) => {
            return Talk::new(call.stderr, call.form).refuses(&refused(&error), REFUSED);
        }
    };
    for lack in &sandbox.lacks {
        lack_text(lack).lines().for_each(|line| Talk::new(call.stderr, call.form).says(line));
    }
    let shell = || vec![std::env::var_os("SHELL").unwrap_or_else(|| "/bin/sh".into())];
    let words: Vec<OsString> = call.arguments.remove_many("program").map_or_else(shell, Iterator::collect);
    let Some((program, arguments)) = words.split_first() else { return REFUSED };
    let error = process::Command::new(program).args(arguments).exec();
    let failed = Failed::new(format!("cannot run `{}`", program.display())).because(&error);
    Talk::new(call.stderr, call.form).refuses(&failed, REFUSED)
}

/// Says why there is no sandbox, and what would allow one.
pub fn refused(error: &SandboxError) -> Failed {
    error.hints().into_iter().fold(Failed::new(error.to_string()).because(&error.source), Failed::hint)
}

/// Says what a sandbox does without.
pub fn lack_text(lack: &Lack) -> String {
    match lack {
        Lack::Sysfs(error) => {
            format!("warning: /sys shows the devices outside: cannot mount it: {}\n", reason(error))
        }
        Lack::Tun { mode: None, source } => {
            format!("warning: no TUN or TAP device can be made: /dev/net/tun: {}\n", reason(source))
        }
        Lack::Tun { mode: Some(mode), source } => format!(
            "warning: no TUN or TAP device can be made: /dev/net/tun has mode {mode:04o}: {}\n\
             hint: `sudo chmod 0666 /dev/net/tun` opens it, as most distributions do; a device still takes CAP_NET_ADMIN\n",
            reason(source)
        ),
    }
}

fn reason(error: &io::Error) -> String {
    error.raw_os_error().map_or_else(|| error.to_string(), errno_sentence)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::namespace::sandbox::{Restriction, SandboxStep};

    #[test]
    fn a_refusal_names_the_setting_and_its_remedy() {
        let restriction =
            Restriction { sysctl: "kernel.unprivileged_userns_clone", value: "0".to_owned(), wanted: "1" };
        let source = io::Error::from_raw_os_error(1);
        let error = SandboxError { step: SandboxStep::User, restrictions: vec![restriction], source };
        let refused = refused(&error);
        assert_eq!(refused.to_string(), "cannot make a user namespace: Operation not permitted");
        let hint = "this machine has kernel.unprivileged_userns_clone = 0; \
                    `sudo sysctl -w kernel.unprivileged_userns_clone=1` allows it";
        assert_eq!(refused.hints, [hint]);
    }

    #[test]
    fn a_closed_device_file_is_shown_with_its_mode() {
        let lack = Lack::Tun { mode: Some(0o600), source: io::Error::from_raw_os_error(13) };
        assert!(lack_text(&lack).starts_with(
            "warning: no TUN or TAP device can be made: /dev/net/tun has mode 0600: Permission denied\nhint: "
        ));
    }
}
