//! `ip netconf`: the sysctls of devices that the kernel tells over netlink.

use vwire_netlink::{MessageType, Netconf, Request};

use super::failure::{EXIT_KERNEL, EXIT_SEMANTIC, Refusal, errno_sentence};
use super::kernel::refusal;
use super::options::Family;
use super::words::{Keyword, Words, find, in_full, prefix};
use super::{Failure, Ip, Persona};
use crate::out::Layout;
use crate::out::netconf;

/// What is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Command {
    Show,
    Help,
}

/// In `ip`'s order: the first that a word begins wins.
const COMMANDS: &[Keyword<Command>] = &[
    prefix("show", Command::Show),
    prefix("lst", Command::Show),
    prefix("list", Command::Show),
    prefix("help", Command::Help),
];

/// What `ip netconf help` says.
pub const HELP: &str = "\
Usage: vwire [ -4 | -6 | -M ] netconf [ show [ dev { DEVICE | all | default } ] ]

Whether a device forwards, answers for others and checks the way back, by family. A setting holds
where that of `all` does not overrule it; new devices start with that of `default`.
";

/// `EOPNOTSUPP`: an older kernel has no list of all families.
const EOPNOTSUPP: i32 = 95;

/// Returns the name of the command that a word stands for.
pub fn operation(word: &[u8]) -> Option<&'static str> {
    in_full(COMMANDS, word)
}

/// Runs a command on settings; without a word it lists them.
///
/// # Errors
/// Whatever the command failed with.
pub fn run(ip: &mut Ip<'_>, words: &mut Words<'_>) -> Result<(), Failure> {
    let Some(word) = words.next() else { return show(ip, words) };
    match find(COMMANDS, word) {
        Some(Command::Show) => show(ip, words),
        Some(Command::Help) => Err(Failure::usage(HELP)),
        None => Err(Failure::unknown_command(word, "netconf")),
    }
}

fn show(ip: &mut Ip<'_>, words: &mut Words<'_>) -> Result<(), Failure> {
    let device = read(ip, words)?;
    match (device, ip.options.family) {
        (Some(index), family) if family != Family::Unspec => show_one(ip, index, family),
        (index, _) => list(ip, index),
    }
}

/// Returns the index of the device that is asked for; words that `ip` does not know it passes over.
fn read(ip: &mut Ip<'_>, words: &mut Words<'_>) -> Result<Option<i32>, Failure> {
    let mut device = None;
    while let Some(word) = words.next() {
        if word != b"dev" {
            if ip.persona == Persona::Vwire {
                return Err(Failure::duplicate_or_garbage("dev", word).hint("as in `vwire netconf show dev lo`"));
            }
            continue;
        }
        let name = words.value()?;
        device = Some(match name {
            b"all" if ip.persona == Persona::Vwire => netconf::ALL,
            b"default" if ip.persona == Persona::Vwire => netconf::DEFAULT,
            _ => ip.device(name)?.ok_or_else(|| Failure::device_does_not_exist(name))?.cast_signed(),
        });
    }
    Ok(device)
}

fn show_one(ip: &mut Ip<'_>, index: i32, family: Family) -> Result<(), Failure> {
    let wanted = Netconf { family: family.number(), ifindex: Some(index), ..Netconf::default() };
    let answer = ip.socket()?.get::<Netconf>(&Request::new(MessageType::GETNETCONF, 0, &wanted));
    let answer = answer
        .map_err(|error| refusal(&error).with_exit(EXIT_KERNEL).trying("cannot show the settings of a device"))?;
    if ip.persona == Persona::Vwire {
        return print(ip, &[answer]);
    }
    // `ip` prints text here, whatever is asked for.
    let layout = Layout { json: false, ..ip.printer.layout() };
    let before = ip.lay_out(layout);
    let result = print(ip, &[answer]);
    let text = std::mem::replace(&mut ip.printer, before).take();
    ip.printer.verbatim(text);
    result
}

/// Lists the settings of all families or of one.
fn list(ip: &mut Ip<'_>, index: Option<i32>) -> Result<(), Failure> {
    let family = ip.options.family.number();
    let mut dumped = dump(ip, family)?;
    if family == 0 && dumped.as_ref().is_err_and(|refused| refused.errno == EOPNOTSUPP) {
        let both = [dump(ip, Family::Inet.number())?, dump(ip, Family::Inet6.number())?];
        dumped = both.into_iter().collect::<Result<Vec<_>, _>>().map(|both| both.concat());
    }
    let mut all = match dumped {
        Ok(all) => all,
        Err(refused) => {
            // `ip` has begun its document by then.
            ip.printer.open_document();
            ip.printer.close_document();
            let said = format!("RTNETLINK answers: {}\nDump terminated", errno_sentence(refused.errno));
            let failure = Failure::kernel(*refused).with_exit(EXIT_SEMANTIC).said_by_ip(said);
            return Err(failure.trying("cannot list the settings").hint("the families are `-4`, `-6` and `-M`"));
        }
    };
    all.retain(|netconf| (family == 0 || netconf.family == family) && (index.is_none() || netconf.ifindex == index));
    print(ip, &all)
}

fn dump(ip: &mut Ip<'_>, family: u8) -> Result<Result<Vec<Netconf>, Box<Refusal>>, Failure> {
    let dumped = ip.socket()?.netconfs(family);
    Ok(dumped.map_err(|error| Box::new(Refusal::of_dump(&error).unwrap_or_default())))
}

fn print(ip: &mut Ip<'_>, all: &[Netconf]) -> Result<(), Failure> {
    ip.printer.open_document();
    for one in all {
        let device = match one.ifindex {
            Some(index) if index > 0 => ip.device_name(index.cast_unsigned())?,
            _ => Vec::new(),
        };
        ip.printer.open_object(None);
        netconf::print(&mut ip.printer, one, &device);
        ip.printer.close_object();
    }
    ip.printer.close_document();
    Ok(())
}
