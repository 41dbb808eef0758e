//! `ip addrlabel`: the labels by which IPv6 chooses the source of a packet (RFC 6724).

use vwire_netlink::wire::{AddressLabel, RawAttribute};
use vwire_netlink::{Create, DumpError, MessageType, Request};

use super::failure::{EXIT_SEMANTIC, EXIT_USAGE};
use super::kernel::{list_refused, refusal};
use super::options::Family;
use super::words::{Keyword, Words, find, in_full, number_as, prefix, shown};
use super::{Failure, Ip, Persona};
use crate::out::addrlabel;

/// What is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Command {
    Show,
    Add,
    Delete,
    Flush,
    Help,
}

/// In `ip`'s order: the first that a word begins wins.
const COMMANDS: &[Keyword<Command>] = &[
    prefix("list", Command::Show),
    prefix("lst", Command::Show),
    prefix("show", Command::Show),
    prefix("add", Command::Add),
    prefix("delete", Command::Delete),
    prefix("flush", Command::Flush),
    prefix("help", Command::Help),
];

/// What `ip addrlabel help` says.
pub const HELP: &str = "\
Usage: vwire addrlabel [ show ]
       vwire addrlabel { add | del } prefix PREFIX [ dev DEVICE ] label NUMBER
       vwire addrlabel flush

Of several sources for a packet, one with the label of the destination is preferred.
";

/// The label that stands for none.
const NONE: u32 = u32::MAX;
/// `IFAL_ADDRESS`.
const ADDRESS: u16 = 1;
/// `EEXIST`, `ESRCH`, `EINVAL`.
const EEXIST: i32 = 17;
const ESRCH: i32 = 3;
const EINVAL: i32 = 22;
const ERANGE: i32 = 34;

/// Returns the name of the command that a word stands for.
pub fn operation(word: &[u8]) -> Option<&'static str> {
    in_full(COMMANDS, word)
}

/// Runs a command on labels; without a word it lists them.
///
/// # Errors
/// Whatever the command failed with.
pub fn run(ip: &mut Ip<'_>, words: &mut Words<'_>) -> Result<(), Failure> {
    let Some(word) = words.next() else { return show(ip) };
    match find(COMMANDS, word) {
        Some(Command::Show) if words.is_empty() => show(ip),
        Some(Command::Show) => Err(takes_no_words("\"ip addrlabel show\" does not take any arguments.", words)),
        Some(Command::Add) => change(ip, words, "add", Create::Exclusive.flags(), MessageType::NEWADDRLABEL),
        Some(Command::Delete) => change(ip, words, "delete", 0, MessageType::DELADDRLABEL),
        Some(Command::Flush) if words.is_empty() => flush(ip),
        Some(Command::Flush) => Err(takes_no_words("\"ip addrlabel flush\" does not allow extra arguments", words)),
        Some(Command::Help) => Err(Failure::usage(HELP)),
        None => Err(Failure::unknown_command(word, "addrlabel")),
    }
}

fn takes_no_words(message: &str, words: &Words<'_>) -> Failure {
    let word = words.peek().map(shown).unwrap_or_default();
    Failure::new(EXIT_SEMANTIC, message, format!("`{word}` stands where nothing may follow"))
        .hint("all labels are meant; `vwire addrlabel del prefix PREFIX label NUMBER` deletes one")
}

fn show(ip: &mut Ip<'_>) -> Result<(), Failure> {
    let labels = match list(ip)? {
        Ok(labels) => labels,
        Err(error) => {
            // `ip` has begun its document by then.
            ip.printer.open_document();
            ip.printer.close_document();
            return Err(refused(&error, EXIT_USAGE, "Dump terminated"));
        }
    };
    ip.printer.open_document();
    for label in &labels {
        let device = if label.index == 0 { None } else { Some(ip.device_name(label.index)?) };
        ip.printer.open_object(None);
        addrlabel::print(&mut ip.printer, label, device.as_deref());
        ip.printer.close_object();
    }
    ip.printer.close_document();
    Ok(())
}

fn list(ip: &mut Ip<'_>) -> Result<Result<Vec<AddressLabel>, DumpError>, Failure> {
    let filter = AddressLabel { family: family(ip), ..AddressLabel::default() };
    Ok(ip.socket()?.dump_bodies(&Request::dump(MessageType::GETADDRLABEL, &filter)))
}

fn refused(error: &DumpError, exit: u8, end: &str) -> Failure {
    list_refused(error, exit, end).trying("cannot list the labels").hint("only addresses of IPv6 have labels")
}

fn family(ip: &Ip<'_>) -> u8 {
    match ip.options.family {
        Family::Unspec => Family::Inet6.number(),
        family => family.number(),
    }
}

fn flush(ip: &mut Ip<'_>) -> Result<(), Failure> {
    let labels = list(ip)?.map_err(|error| refused(&error, EXIT_SEMANTIC, "Flush terminated"))?;
    for label in &labels {
        if let Err(error) = ip.submit(&Request::new(MessageType::DELADDRLABEL, 0, label))? {
            let failure = refusal(&error);
            let said = [&*failure.render(Persona::Ip), b"Flush terminated"].concat();
            return Err(failure.said_by_ip(said).with_exit(EXIT_SEMANTIC).trying("cannot delete all labels"));
        }
    }
    Ok(())
}

fn change(
    ip: &mut Ip<'_>,
    words: &mut Words<'_>,
    verb: &str,
    flags: u16,
    message_type: MessageType,
) -> Result<(), Failure> {
    let (label, named) = read(ip, words).map_err(|failure| failure.trying(format!("cannot {verb} a label")))?;
    ip.submit(&Request::new(message_type, flags, &label))?.map(|_| ()).map_err(|error| {
        let failure = refusal(&error).trying(format!("cannot {verb} the label of `{named}`"));
        match error.errno() {
            EEXIST => failure.hint("the prefix has a label: `vwire addrlabel` shows it; delete it first"),
            ESRCH => failure.hint("`vwire addrlabel` lists those there are"),
            EINVAL | ERANGE if !matches!(label.address, Some(std::net::IpAddr::V6(_))) => {
                failure.hint("only prefixes of IPv6 have labels; all of IPv4 is `::ffff:0:0/96`")
            }
            _ => failure,
        }
    })
}

/// Reads the words; what `ip` does not know it passes over, and so is passed over here.
fn read(ip: &mut Ip<'_>, words: &mut Words<'_>) -> Result<(AddressLabel, String), Failure> {
    let mut label = AddressLabel { family: family(ip), ..AddressLabel::default() };
    let mut named = None;
    while let Some(word) = words.next() {
        if let Some(what) = ["prefix", "dev", "label"].into_iter().find(|what| what.as_bytes() == word) {
            words.once(what, word)?;
        }
        match word {
            b"prefix" => {
                let value = words.value()?;
                let prefix = super::prefix::prefix(value, ip.options.family)?;
                (label.address, label.prefixlen) = (prefix.address, prefix.length);
                named = Some(shown(value));
            }
            b"dev" => {
                let device = words.value()?;
                let missing = || Failure::invalid(device, "dev is invalid\n").hint("`vwire ls` lists the devices");
                label.index = ip.device(device)?.ok_or_else(missing)?;
            }
            b"label" => {
                let value = words.value()?;
                let number = number_as(value).filter(|number| *number != NONE);
                label.label = Some(number.ok_or_else(|| {
                    Failure::invalid(value, "label is invalid\n").hint("a label is a number below 4294967295")
                })?);
            }
            other if ip.persona == Persona::Vwire => {
                let failure = Failure::new(EXIT_USAGE, "", format!("`{}` is no word of a label", shown(other)));
                return Err(failure.hint("the words are `prefix`, `dev` and `label`"));
            }
            _ => {}
        }
    }
    let missing = |word: &str| {
        let message = format!("Not enough information: \"{word}\" argument is required.");
        Failure::new(EXIT_SEMANTIC, message, format!("the {word} is missing"))
            .hint("as in `vwire addrlabel add prefix 2001:db8::/32 label 99`")
    };
    let named = named.ok_or_else(|| missing("prefix"))?;
    if label.label.is_none() {
        return Err(missing("label"));
    }
    if label.address.is_none() {
        // Of `default` and `any` without a family, `ip` sends as much as there is.
        label.other.push(RawAttribute { flagged_number: ADDRESS, payload: Box::default() });
    }
    Ok((label, named))
}
