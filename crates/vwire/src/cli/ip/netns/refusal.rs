//! Why a `netns` command failed, in `ip`'s words and in vwire's.
//!
//! With each goes what helps: which names there are, which privilege lacks, what is left over.

use std::ffi::OsStr;
use std::io;
use std::path::Path;

use crate::cli::ip::failure::{EXIT_SEMANTIC, EXIT_USAGE, errno_sentence};
use crate::cli::ip::nearest::nearest;
use crate::cli::ip::words::shown;
use crate::cli::ip::{Failure, Persona};
use crate::lab::capability::{self, Capability};
use crate::lab::namespace::named::{self, AddError, AddStep};
use crate::lab::namespace::{DIRECTORY, EnterError, EnterStep, Name, Warning};

/// Reads a name.
pub(super) fn name(word: &[u8]) -> Result<Name, Failure> {
    Name::parse(word).ok_or_else(|| {
        let word = shown(word);
        Failure::new(
            EXIT_USAGE,
            format!("Invalid netns name \"{word}\""),
            format!("`{word}` cannot be a namespace's name"),
        )
        .hint(format!("the name is that of a file in {DIRECTORY}: 1 to 255 bytes, no `/`, neither `.` nor `..`"))
    })
}

pub(super) fn missing(what: &str, example: &str) -> Failure {
    Failure::new(EXIT_SEMANTIC, format!("No {what} specified"), format!("the {what} is missing"))
        .hint(format!("for example: `{example}`"))
}

pub(super) fn no_command() -> Failure {
    missing("command", "vwire netns exec blue ping 10.0.0.1")
}

pub(super) fn extra() -> Failure {
    Failure::new(EXIT_SEMANTIC, "extra arguments specified", "there are words after the last that has a meaning")
}

pub(super) fn exec_failure(program: &[u8], error: &io::Error) -> Failure {
    let (program, reason) = (shown(program), reason(error));
    Failure::new(EXIT_SEMANTIC, format!("exec of \"{program}\" failed: {reason}"), reason)
        .trying(format!("cannot run `{program}`"))
        .refused_with(error.raw_os_error())
}

/// Tells why a namespace could not be entered; also for `-n`.
pub(in crate::cli) fn enter_failure(error: &EnterError) -> Failure {
    let (name, reason) = (error.name.display(), reason(&error.source));
    let ip = match error.step {
        EnterStep::Open => format!("Cannot open network namespace \"{name}\": {reason}"),
        EnterStep::Move => format!("setting the network namespace \"{name}\" failed: {reason}"),
        EnterStep::Mounts => format!("unshare failed: {reason}"),
        EnterStep::Slave => format!("\"mount --make-rslave /\" failed: {reason}"),
    };
    let failure =
        Failure::new(EXIT_USAGE, ip, reason).trying(error.to_string()).refused_with(error.source.raw_os_error());
    helped(failure, &error.source, &error.name)
}

pub(super) fn add_failure(error: &AddError) -> Failure {
    let (name, reason) = (&error.name, reason(&error.source));
    let path = name.path();
    let file = path.display();
    let ip = match &error.step {
        AddStep::MakeDirectory => format!("mkdir {DIRECTORY} failed: {reason}"),
        AddStep::OpenDirectory => format!("Cannot open netns runtime directory \"{DIRECTORY}\": {reason}"),
        AddStep::ShareDirectory => format!("mount --make-shared {DIRECTORY} failed: {reason}"),
        AddStep::BindDirectory => format!("mount --bind {DIRECTORY} {DIRECTORY} failed: {reason}"),
        AddStep::PrivateDirectory => format!("mount --make-private {DIRECTORY} failed: {reason}"),
        AddStep::CreateFile => format!("Cannot create namespace file \"{file}\": {reason}"),
        AddStep::CreateNamespace => format!("Failed to create a new network namespace \"{name}\": {reason}"),
        AddStep::Bind(from) => format!("Bind {} -> {file} failed: {reason}", from.display()),
    };
    let failure =
        Failure::new(EXIT_SEMANTIC, ip, reason).trying(error.to_string()).refused_with(error.source.raw_os_error());
    match (&error.step, error.source.kind()) {
        (AddStep::CreateFile, io::ErrorKind::AlreadyExists) if named::is_leftover(name) => failure.hint(format!(
            "nothing is bound to {file}, a program failed there halfway; `vwire netns delete {name}` removes it"
        )),
        (AddStep::CreateFile, io::ErrorKind::AlreadyExists) => failure.hint(format!(
            "`vwire netns exec {name} PROGRAM` runs in the one that exists; `vwire netns delete {name}` removes it"
        )),
        (AddStep::Bind(from), io::ErrorKind::NotFound) => failure.hint(format!("there is no {}", from.display())),
        _ => privilege(failure, &error.source, Capability::SysAdmin),
    }
}

/// Adds what helps someone whose namespace `name` was not found or not granted.
pub(super) fn helped(failure: Failure, error: &io::Error, name: &OsStr) -> Failure {
    match error.kind() {
        _ if name.is_empty() => failure.hint("the name is empty; `vwire netns` lists those that there are"),
        io::ErrorKind::NotFound => {
            let names = named::names().unwrap_or_default();
            let names: Vec<String> = names.iter().map(ToString::to_string).collect();
            failure.hint(known_names(&name.to_string_lossy(), &names))
        }
        io::ErrorKind::InvalidInput if Path::new(DIRECTORY).join(name).exists() => {
            let name = name.display();
            failure
                .hint(format!("nothing is bound to {DIRECTORY}/{name}; `vwire netns delete {name}` removes the file"))
        }
        _ => privilege(failure, error, Capability::SysAdmin),
    }
}

/// Says which namespaces there are to someone who named another.
fn known_names(wanted: &str, names: &[String]) -> String {
    if let Some(near) = nearest(wanted, names.iter().map(String::as_str)) {
        return format!("did you mean `{near}`?");
    }
    if Name::parse(wanted.as_bytes()).is_none() {
        return format!("a name is that of a file in {DIRECTORY}; `vwire netns` lists those that there are");
    }
    match names {
        [] => format!("no namespace has a name yet; `vwire netns add {wanted}` makes this one"),
        // More than a line of them helps nobody.
        names if names.len() > 8 => format!("`vwire netns` lists the {} that have a name", names.len()),
        names => format!("these have a name: {}; `vwire netns add {wanted}` makes this one", names.join(", ")),
    }
}

/// Adds which privilege lacks, where the kernel refused for want of one.
pub(super) fn privilege(failure: Failure, error: &io::Error, capability: Capability) -> Failure {
    let is_denied = error.kind() == io::ErrorKind::PermissionDenied;
    // A name that could not be unmounted for want of a privilege is busy when it is removed.
    let is_held = error.kind() == io::ErrorKind::ResourceBusy && !capability::has(capability);
    if !is_denied && !is_held {
        return failure;
    }
    if capability::has(capability) {
        return failure.hint(format!(
            "this process has {capability}; a container's seccomp filter, a security module or a read-only mount refuses"
        ));
    }
    failure.hint(format!("this takes {capability}, which this process lacks: run it as root, with sudo for example"))
}

pub(super) fn warning_text(warning: &Warning, persona: Persona) -> String {
    match (persona, warning) {
        (Persona::Ip, Warning::Sysfs(error)) => format!("mount of /sys failed: {}\n", reason(error)),
        (Persona::Ip, Warning::Etc { from, to, source }) => {
            format!("Bind {} -> {} failed: {}\n", from.display(), to.display(), reason(source))
        }
        (Persona::Vwire, Warning::Sysfs(error)) => format!(
            "warning: cannot mount /sys of the namespace: {}\n\
             hint: it goes on; only programs that look for devices in /sys/class/net see others' or none\n",
            reason(error)
        ),
        (Persona::Vwire, Warning::Etc { from, to, source }) => {
            let (from, to) = (from.display(), to.display());
            let hint = if source.kind() == io::ErrorKind::NotFound {
                format!("hint: create an empty {to} for it to lie over\n")
            } else {
                String::new()
            };
            format!("warning: cannot lay {from} over {to}: {}\n{hint}", reason(source))
        }
    }
}

pub(super) fn reason(error: &io::Error) -> String {
    error.raw_os_error().map_or_else(|| error.to_string(), errno_sentence)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelled_name_meets_the_right_one() {
        let names = ["blue".to_owned(), "red".to_owned()];
        assert_eq!(known_names("bleu", &names), "did you mean `blue`?");
        assert_eq!(
            known_names("green", &names),
            "these have a name: blue, red; `vwire netns add green` makes this one"
        );
        assert!(!known_names("../x", &[]).contains("add"), "it cannot be added");
        assert_eq!(known_names("green", &[]), "no namespace has a name yet; `vwire netns add green` makes this one");
    }

    #[test]
    fn a_warning_says_what_it_means_for_programs() {
        let warning = Warning::Sysfs(io::Error::from_raw_os_error(1));
        assert_eq!(warning_text(&warning, Persona::Ip), "mount of /sys failed: Operation not permitted\n");
        assert!(warning_text(&warning, Persona::Vwire).starts_with("warning: cannot mount /sys of the namespace: "));
    }
}
