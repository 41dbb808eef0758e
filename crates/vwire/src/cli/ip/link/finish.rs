//! Puts together what the words for one end of a link said, and finds the mistakes that no single word shows.

use vwire_netlink::IfName;
use vwire_netlink::wire::link::AfInet;
use vwire_netlink::wire::{Builder, RawAttribute};

use super::end::{Reader, no_device};
use super::{hint, netns, vf};
use crate::cli::ip::Ip;
use crate::cli::ip::failure::{EXIT_SEMANTIC, EXIT_USAGE, Failure};
use crate::cli::ip::words::{Words, shown};

/// `NLA_F_NESTED`.
const NESTED: u16 = 0x8000;
/// `IFLA_IFNAME` (`linux/if_link.h`).
const IFNAME: u16 = 3;

impl<'a> Reader<'a> {
    /// Puts together what the words said; `rest` are the words behind `type KIND`.
    pub(super) fn finish(&mut self, ip: &mut Ip<'_>, rest: &Words<'a>) -> Result<(), Failure> {
        self.name = self.name.or(self.device);
        self.device = self.device.or(self.name);
        self.put_families();
        self.check_address(ip)?;
        if self.index.is_some() && !self.verb.creates() && self.target.is_none() {
            let ip = "index can be used only when creating devices or when moving device to another netns.";
            return Err(Failure::new(
                EXIT_USAGE,
                ip,
                "a device's index is chosen when it is made, and cannot be changed",
            )
            .hint("with `netns NAME`, the device can get another index there"));
        }
        if self.link.group.is_some() && self.device.is_none() {
            return self.finish_group(rest);
        }
        self.put_link_netnsid(ip, rest)?;
        if self.verb.creates() {
            self.finish_new(ip)?
        } else {
            self.finish_present(ip)?
        }
        Ok(())
    }

    fn put_families(&mut self) {
        if !self.inet.is_empty() {
            let mut settings = Builder::new();
            self.inet.iter().for_each(|(number, value)| settings.u32(*number, *value));
            let settings = RawAttribute { flagged_number: 1 | NESTED, payload: settings.into_bytes().into() };
            let inet = AfInet { other: vec![settings], ..AfInet::default() };
            self.link.af_spec.get_or_insert_default().inet = Some(inet);
        }
        if !self.functions.is_empty() {
            self.link.vfinfo_list.get_or_insert_default().info = std::mem::take(&mut self.functions);
        }
    }

    /// An address must be as long as the device's; of a new device, the kernel alone knows.
    fn check_address(&mut self, ip: &mut Ip<'_>) -> Result<(), Failure> {
        let (Some(device), Some(length), false) = (self.device, self.hardware_length, self.verb.creates()) else {
            return Ok(());
        };
        let Some(index) = ip.device(device)? else { return Ok(()) };
        let address = ip.link(index, 0)?.and_then(|device| device.address);
        match address.map(|address| address.as_bytes().len()) {
            Some(wanted) if wanted != length => Err(hint::address_hints(vf::wrong_length(length, wanted), wanted)),
            _ => Ok(()),
        }
    }

    fn finish_group(&mut self, rest: &Words<'a>) -> Result<(), Failure> {
        if let Some(word) = rest.peek() {
            return Err(garbage(word).with_exit(EXIT_USAGE));
        }
        if self.verb.creates() {
            let ip = "group cannot be used when creating devices.";
            return Err(Failure::new(EXIT_USAGE, ip, "a new device needs a name of its own beside the group"));
        }
        self.kind = None;
        Ok(())
    }

    fn put_link_netnsid(&mut self, ip: &mut Ip<'_>, rest: &Words<'a>) -> Result<(), Failure> {
        if let Some(name) = self.link_netns {
            // `ip` names the word behind all that it read, or C's null where there is none.
            let named = rest.peek().unwrap_or(b"(null)");
            let id = netns::id(ip, self.target.as_ref(), name)?;
            self.link_netnsid = Some(id.map_err(|refusals| netns::not_linked(name, named, &refusals))?);
        }
        self.link.link_netnsid = self.link_netnsid;
        Ok(())
    }

    fn finish_present(&mut self, ip: &mut Ip<'_>) -> Result<(), Failure> {
        let Some(device) = self.device else {
            let ip = "Not enough information: \"dev\" argument is required.";
            return Err(Failure::new(EXIT_USAGE, ip, "no device is named")
                .hint("`vwire link` lists the devices of this namespace"));
        };
        self.link.index = match ip.device(device)? {
            Some(index) => index,
            None => return Err(no_device(ip, device)?.of_subject()),
        };
        if self.name != Some(device) {
            self.put_name();
        }
        self.link.new_ifindex = self.index;
        Ok(())
    }

    fn finish_new(&mut self, ip: &mut Ip<'_>) -> Result<(), Failure> {
        if self.name != self.device {
            let ip = "both \"name\" and \"dev\" cannot be used when creating devices.";
            let failure = Failure::new(EXIT_USAGE, ip, "a new device has one name; `name` and `dev` say two");
            return Err(failure.hint("`vwire link property add dev X altname Y` gives it another name"));
        }
        if let Some(below) = self.below {
            let index = match self.link_netnsid.filter(|id| *id != -1) {
                None => match ip.device(below)? {
                    Some(index) => index,
                    None => return Err(no_device(ip, below)?),
                },
                Some(id) => netns::device(ip, self.target.as_ref(), id, below)?,
            };
            self.link.link = Some(index);
        }
        self.link.index = self.index.unwrap_or(0);
        self.put_name();
        Ok(())
    }

    /// Puts the name in as it is, for the kernel to refuse where it is none.
    fn put_name(&mut self) {
        let Some(name) = self.name else { return };
        match IfName::new(name) {
            Ok(name) => self.link.ifname = Some(name),
            Err(_) => {
                let payload = [name, b"\0"].concat().into();
                self.link.other.push(RawAttribute { flagged_number: IFNAME, payload });
            }
        }
    }
}

/// Words that nobody knows stand behind the kind.
pub(super) fn garbage(word: &[u8]) -> Failure {
    let word = shown(word);
    Failure::new(
        EXIT_SEMANTIC,
        format!("Garbage instead of arguments \"{word} ...\". Try \"ip link help\"."),
        format!("`{word}` and what follows mean nothing here"),
    )
    .hint("what is for every device stands before `type`; `vwire link help TYPE` says what a type takes")
}
