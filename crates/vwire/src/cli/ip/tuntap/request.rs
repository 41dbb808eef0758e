//! Reads the words of `ip tuntap add` and `del` into the device that is meant.
//!
//! Pure: whoever calls says how users and groups are found.

use vwire_tuntap::{Flags, Mode};

use crate::cli::ip::failure::{EXIT_SEMANTIC, EXIT_USAGE, Failure};
use crate::cli::ip::words::{Keyword, Words, find, prefix, shown};

/// A device, as the words describe it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceRequest {
    /// TUN or TAP, if that was said.
    pub mode: Option<Mode>,
    /// The name, if there was one.
    pub name: Option<Vec<u8>>,
    /// The flags: no packet information unless `pi` was given.
    pub flags: Flags,
    /// The user who may open it.
    pub user: Option<u32>,
    /// The group whose members may open it.
    pub group: Option<u32>,
}

/// What is done with the device: `del` knows neither users nor groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// Makes it.
    Add,
    /// Deletes it.
    Delete,
}

/// Whose number a name is looked up for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Account {
    /// A user.
    User,
    /// A group.
    Group,
}

#[derive(Clone, Copy)]
enum Word {
    Mode,
    Account(Account),
    Flag(Flags),
    PacketInfo,
    Device,
    Name,
    Help,
}

/// In `ip`'s order: the first that a word begins wins.
const WORDS: &[Keyword<Word>] = &[
    prefix("mode", Word::Mode),
    prefix("user", Word::Account(Account::User)),
    prefix("group", Word::Account(Account::Group)),
    prefix("pi", Word::PacketInfo),
    prefix("one_queue", Word::Flag(Flags::ONE_QUEUE)),
    prefix("vnet_hdr", Word::Flag(Flags::VNET_HDR)),
    prefix("multi_queue", Word::Flag(Flags::MULTI_QUEUE)),
    prefix("dev", Word::Device),
    prefix("name", Word::Name),
    prefix("help", Word::Help),
];

/// Reads the words behind `add` or `del`; `number_of` finds the number of a user or group by its name.
///
/// # Errors
/// A word that does not fit or is missing, as `ip` says it.
pub fn read(
    verb: Verb,
    words: &mut Words<'_>,
    number_of: impl Fn(Account, &[u8]) -> Option<u32>,
) -> Result<DeviceRequest, Failure> {
    let mut request = DeviceRequest { mode: None, name: None, flags: Flags::NO_PACKET_INFO, user: None, group: None };
    while let Some(word) = words.next() {
        match find(WORDS, word) {
            Some(Word::Mode) => request.take_mode(words.value()?)?,
            Some(Word::Account(account)) if verb == Verb::Add => {
                let number = read_account(account, words.value()?, &number_of)?;
                match account {
                    Account::User => request.user = number,
                    Account::Group => request.group = number,
                }
            }
            Some(Word::PacketInfo) => request.flags = request.flags.without(Flags::NO_PACKET_INFO),
            Some(Word::Flag(flag)) => request.flags |= flag,
            Some(Word::Device) => request.name = Some(device_name("dev", words.value()?)?),
            Some(Word::Help) => return Err(Failure::usage(super::HELP)),
            Some(Word::Name) => request.take_name(words.value()?)?,
            Some(Word::Account(_)) | None => request.take_name(word)?,
        }
    }
    Ok(request)
}

impl DeviceRequest {
    /// Returns the mode.
    ///
    /// # Errors
    /// None was given.
    pub fn required_mode(&self) -> Result<Mode, Failure> {
        self.mode.ok_or_else(|| {
            Failure::new(
                EXIT_SEMANTIC,
                "You failed to specify a tunnel mode",
                "nothing says whether it is a tun (IP packets) or a tap (Ethernet frames)",
            )
            .hint("put `mode tun` or `mode tap` into the command")
        })
    }

    fn take_mode(&mut self, word: &[u8]) -> Result<(), Failure> {
        let Some(mode) = find(&[prefix("tun", Mode::Tun), prefix("tap", Mode::Tap)], word) else {
            let word = shown(word);
            return Err(Failure::new(
                EXIT_USAGE,
                format!("Unknown tunnel mode \"{word}\""),
                format!("`{word}` is no mode"),
            )
            .hint("the modes are `tun` (IP packets) and `tap` (Ethernet frames)"));
        };
        if self.mode.is_some_and(|other| other != mode) {
            return Err(Failure::new(
                EXIT_USAGE,
                "You managed to ask for more than one tunnel mode.",
                "a device is either a tun or a tap",
            ));
        }
        self.mode = Some(mode);
        Ok(())
    }

    fn take_name(&mut self, word: &[u8]) -> Result<(), Failure> {
        if self.name.is_some() {
            return Err(Failure::duplicate_or_garbage("name", word));
        }
        self.name = Some(device_name("name", word)?);
        Ok(())
    }
}

/// Checks a name as `ip` does; the kernel forbids `:` too.
fn device_name(keyword: &str, word: &[u8]) -> Result<Vec<u8>, Failure> {
    let forbidden = |byte: &u8| matches!(byte, b'/' | b' ' | b'\t'..=b'\r');
    if word.is_empty() || word.len() > 15 || word == b"." || word == b".." || word.iter().any(forbidden) {
        let shown = shown(word);
        let cause = match word.len() {
            0 => "the name is empty".to_owned(),
            bytes @ 16.. => format!("the name `{shown}` is {bytes} bytes, 15 is the limit"),
            _ => format!("`{shown}` is no name for a device"),
        };
        let mut message = b"Error: argument \"".to_vec();
        message.extend_from_slice(word);
        message.extend_from_slice(format!("\" is wrong: \"{keyword}\" not a valid ifname").as_bytes());
        let failure = Failure::new(EXIT_USAGE, message, cause)
            .hint("a name has 1 to 15 bytes without `/`, `:` and blanks, and is not `.` or `..`");
        return Err(match word.len() {
            16..128 => {
                failure.hint(format!("`vwire link property add dev SHORT altname {shown}` gives it one that long"))
            }
            _ => failure,
        });
    }
    Ok(word.to_vec())
}

fn read_account(
    account: Account,
    word: &[u8],
    number_of: &impl Fn(Account, &[u8]) -> Option<u32>,
) -> Result<Option<u32>, Failure> {
    let spelled = std::str::from_utf8(word).ok().and_then(|word| word.trim_start().parse::<i64>().ok());
    match spelled.map(u32::try_from) {
        // -1 is the kernel's "nobody", as a number of 32 bits too: `ip` then asks for none.
        Some(Ok(u32::MAX)) => return Ok(None),
        Some(Ok(number)) => return Ok(Some(number)),
        Some(Err(_)) if spelled == Some(-1) => return Ok(None),
        Some(Err(_)) | None => {}
    }
    let found = if spelled.is_none() { number_of(account, word) } else { None };
    found.map(Some).ok_or_else(|| {
        let kind = match account {
            Account::User => "user",
            Account::Group => "group",
        };
        let word = shown(word);
        Failure::new(EXIT_USAGE, format!("invalid {kind} \"{word}\""), format!("there is no {kind} `{word}`"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::ip::Persona;
    use std::ffi::OsString;

    fn reads(verb: Verb, line: &str) -> Result<DeviceRequest, Failure> {
        let words: Vec<OsString> = line.split_whitespace().map(OsString::from).collect();
        read(verb, &mut Words::new(&words), |account, name| match (account, name) {
            (Account::User, b"ann") => Some(1000),
            (Account::Group, b"lab") => Some(50),
            _ => None,
        })
    }

    fn refusal(line: &str) -> String {
        String::from_utf8(reads(Verb::Add, line).unwrap_err().render(Persona::Ip)).unwrap()
    }

    #[test]
    fn words_come_in_any_order_and_may_be_cut_short() {
        let wanted = DeviceRequest {
            mode: Some(Mode::Tap),
            name: Some(b"t0".to_vec()),
            flags: Flags::ONE_QUEUE | Flags::VNET_HDR | Flags::MULTI_QUEUE,
            user: Some(1000),
            group: Some(50),
        };
        assert_eq!(
            reads(Verb::Add, "mode tap name t0 user ann group lab pi one_queue vnet_hdr multi_queue").unwrap(),
            wanted
        );
        assert_eq!(reads(Verb::Add, "t0 mu v o p g lab u 1000 m ta").unwrap(), wanted);
        assert_eq!(reads(Verb::Add, "m t").unwrap().mode, Some(Mode::Tun));
        assert_eq!(reads(Verb::Add, "").unwrap().flags, Flags::NO_PACKET_INFO);
    }

    #[test]
    fn users_and_groups_are_numbers_or_names() {
        assert_eq!(reads(Verb::Add, "user 0").unwrap().user, Some(0));
        assert_eq!(reads(Verb::Add, "user -1").unwrap().user, None);
        assert_eq!(reads(Verb::Add, "user 4294967295").unwrap().user, None);
        assert_eq!(refusal("user bob"), "invalid user \"bob\"\n");
        assert_eq!(refusal("group 99999999999"), "invalid group \"99999999999\"\n");
        assert_eq!(reads(Verb::Delete, "user").unwrap().name, Some(b"user".to_vec()));
    }

    #[test]
    fn what_does_not_fit_is_refused_in_ips_words() {
        for (line, wanted) in [
            ("mode", "Command line is not complete. Try option \"help\"\n"),
            ("mode tapx", "Unknown tunnel mode \"tapx\"\n"),
            ("mode tun mode tap", "You managed to ask for more than one tunnel mode.\n"),
            ("x y", "Error: either \"name\" is duplicate, or \"y\" is garbage.\n"),
            ("a/b", "Error: argument \"a/b\" is wrong: \"name\" not a valid ifname\n"),
            ("dev sixteen-bytes-xx", "Error: argument \"sixteen-bytes-xx\" is wrong: \"dev\" not a valid ifname\n"),
        ] {
            assert_eq!(refusal(line), wanted, "{line}");
        }
        assert!(reads(Verb::Add, "x dev y").is_ok() && reads(Verb::Add, "mode tun mode tun").is_ok());
    }
}
