//! `ip netns set` and `list-id`: the ids that this namespace has for others, and which name each belongs to.

use std::path::PathBuf;

use vwire_netlink::RequestError;
use vwire_netlink::wire::NamespaceId;

use super::refusal::{helped, missing, name, reason};
use super::usage;
use crate::cli::ip::failure::{EXIT_SEMANTIC, Refusal};
use crate::cli::ip::kernel::refusal;
use crate::cli::ip::words::{Words, number, shown};
use crate::cli::ip::{Failure, Ip};
use crate::lab::namespace::{Name, Namespace, id, named};
use crate::out;

/// How many namespaces are open at once while their ids are asked for; a process may have 1,024 files.
const OPEN_AT_ONCE: usize = 256;

/// Gives a namespace an id.
pub(super) fn set(ip: &mut Ip<'_>, words: &mut Words<'_>) -> Result<(), Failure> {
    ip.refuse_in_whole("the kernel does not take an id of a namespace back")?;
    let word = words.next().ok_or_else(|| missing("netns name", "vwire netns set blue 5"))?;
    let value = words.next().ok_or_else(|| missing("nsid", "vwire netns set blue auto"))?;
    let wanted = match (value, integer(value)) {
        (b"auto", _) => None,
        (_, None) => return Err(Failure::invalid(value, "Invalid \"netnsid\" value")),
        (_, Some(number)) if number < 0 => return Err(Failure::invalid(value, "\"netnsid\" value should be >= 0")),
        (_, wanted) => wanted,
    };
    let name = name(word)?;
    let namespace = open(&name, word).map_err(|error| {
        let failure = Failure::new(EXIT_SEMANTIC, "", reason(&error))
            .unsaid_by_ip()
            .of_subject()
            .refused_with(error.raw_os_error())
            .trying(format!("cannot open network namespace `{name}`"));
        helped(failure, &error, name.as_os_str())
    })?;
    id::give(ip.socket()?, &namespace, wanted).map_err(|error| {
        refusal(&error)
            .trying(format!("cannot give network namespace `{name}` an id"))
            .hint("`vwire netns list-id` lists the ids that are given; one stays until its namespace ends")
    })
}

/// Lists the ids.
pub(super) fn list(ip: &mut Ip<'_>, words: &mut Words<'_>) -> Result<(), Failure> {
    let (mut target, mut wanted) = (None, None);
    while let Some(word) = words.next() {
        match word {
            b"target-nsid" => target = Some(not_negative(words, "target-nsid", target)?),
            b"nsid" => wanted = Some(not_negative(words, "nsid", wanted)?),
            _ => return Err(usage()),
        }
    }
    let known = known(ip)?;
    let Some(wanted) = wanted else {
        let all = id::all(ip.socket()?, target);
        ip.printer.open_document();
        let failed = all.map(|all| all.iter().for_each(|one| print(ip, one, &known))).err();
        ip.printer.close_document();
        return failed.map_or(Ok(()), |error| Err(dump_failure(&error)));
    };
    let one = id::get(ip.socket()?, wanted, target)
        .map_err(|error| refusal(&error).trying(format!("cannot look up the network namespace with id {wanted}")))?;
    ip.printer.open_document();
    print(ip, &one, &known);
    ip.printer.close_document();
    Ok(())
}

/// Returns the id of each name, where it has one, and says which names have nothing behind them.
pub(super) fn ids(ip: &mut Ip<'_>, names: &[Name]) -> Result<Vec<Option<i32>>, Failure> {
    let mut ids = Vec::with_capacity(names.len());
    for names in names.chunks(OPEN_AT_ONCE) {
        let opened: Vec<_> = names.iter().map(|name| Namespace::open(name.path()).ok()).collect();
        let there: Vec<bool> = opened.iter().map(Option::is_some).collect();
        let mut answers = id::of(ip.socket()?, &opened.into_iter().flatten().collect::<Vec<_>>()).into_iter();
        for (name, there) in names.iter().zip(there) {
            let id = match there.then(|| answers.next()).flatten() {
                Some(Ok(id)) => id,
                Some(Err(error)) => {
                    ip.complain(&nothing_behind(name, &error));
                    None
                }
                None => None,
            };
            ids.push(id);
        }
    }
    Ok(ids)
}

/// Returns every name that has an id, in the directory's order.
pub(super) fn known(ip: &mut Ip<'_>) -> Result<Vec<(i32, Name)>, Failure> {
    let Ok(names) = named::names() else { return Ok(Vec::new()) };
    let ids = ids(ip, &names)?;
    Ok(names.into_iter().zip(ids).filter_map(|(name, id)| Some((id?, name))).collect())
}

fn print(ip: &mut Ip<'_>, id: &NamespaceId, known: &[(i32, Name)]) {
    let name = name_of(id.nsid.unwrap_or(NamespaceId::NOT_ASSIGNED), id.current_nsid, known);
    ip.printer.open_object(None);
    out::nsid::print(&mut ip.printer, id, name.map(|name| name.as_os_str().as_encoded_bytes()));
    ip.printer.close_object();
}

/// Returns the name of an id: by the id that this namespace has for it, else, as `ip` does, by the one that is shown.
fn name_of(nsid: i32, current: Option<i32>, known: &[(i32, Name)]) -> Option<&Name> {
    let by = |wanted: i32| known.iter().find(|(id, _)| *id == wanted).map(|(_, name)| name);
    by(current.unwrap_or(nsid)).or_else(|| by(nsid))
}

fn not_negative(words: &mut Words<'_>, keyword: &str, before: Option<i32>) -> Result<i32, Failure> {
    if before.is_some() {
        return Err(Failure::duplicate(keyword, keyword.as_bytes()));
    }
    let value = words.value()?;
    match integer(value) {
        None => Err(Failure::invalid(value, &format!("\"{keyword}\" value is invalid"))),
        // ip names the word after the one it means; behind the last it is the C library's word for nothing.
        Some(id) if id < 0 => {
            Err(Failure::invalid(words.peek().unwrap_or(b"(null)"), &format!("\"{keyword}\" value should be >= 0")))
        }
        Some(id) => Ok(id),
    }
}

/// Opens a namespace by its name or, as `ip` does here, by a process in it.
fn open(name: &Name, word: &[u8]) -> std::io::Result<Namespace> {
    Namespace::open(name.path()).or_else(|error| match integer(word) {
        Some(_) => Namespace::open(PathBuf::from(format!("/proc/{name}/ns/net"))),
        None => Err(error),
    })
}

/// Reads a number in any radix, with a sign.
pub(super) fn integer(word: &[u8]) -> Option<i32> {
    let (sign, digits) = match word {
        [b'-', digits @ ..] => (-1, digits),
        digits => (1, digits),
    };
    i32::try_from(sign * i64::try_from(number(digits)?).ok()?).ok()
}

fn nothing_behind(name: &Name, error: &RequestError) -> Failure {
    let file = name.path();
    let failure = Failure::kernel(error).trying(format!("cannot tell the id of `{name}`"));
    if named::is_leftover(name) {
        return failure
            .hint(format!("nothing is bound to {}; `vwire netns delete {name}` removes the file", file.display()));
    }
    failure
}

fn dump_failure(error: &vwire_netlink::DumpError) -> Failure {
    let refusal = Refusal::of_dump(error).unwrap_or_default();
    let kernel = Failure::kernel(refusal.clone());
    let mut ip = shown(&kernel.render(crate::cli::ip::Persona::Ip));
    ip.push_str("Dump terminated");
    Failure::new(EXIT_SEMANTIC, ip, error.to_string())
        .refused_by(refusal)
        .trying("cannot list the ids of network namespaces")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_by_the_id_of_this_namespace_first() {
        let name = |word: &[u8]| Name::parse(word).unwrap();
        let known = [(0, name(b"blue")), (7, name(b"red")), (0, name(b"twin"))];
        assert_eq!(name_of(3, Some(7), &known), Some(&name(b"red")));
        assert_eq!(name_of(0, None, &known), Some(&name(b"blue")));
        assert_eq!(name_of(7, Some(-1), &known), Some(&name(b"red")));
        assert_eq!(name_of(5, None, &known), None);
    }

    #[test]
    fn integers_have_a_sign_and_a_radix() {
        assert_eq!(integer(b"0x10"), Some(16));
        assert_eq!(integer(b"-4"), Some(-4));
        assert_eq!(integer(b"2147483648"), None);
        assert_eq!(integer(b"auto"), None);
    }
}
