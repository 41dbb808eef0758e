//! `ip address save`, `showdump` and `restore`: addresses in a file.

use vwire_netlink::wire::{Body, Message, MessageType};
use vwire_netlink::{Address, AddressFilter};

use super::show;
use crate::cli::ip::kernel::dump_failure;
use crate::cli::ip::saved::{self, Sort};
use crate::cli::ip::words::Words;
use crate::cli::ip::{Failure, Ip};
use crate::out::address;

const ADDRESSES: Sort =
    Sort { magic: 0x4736_1222, ip: "address", objects: "addresses", how: "`vwire addr save > addresses.bin`" };

/// Runs `ip address save`: writes the addresses to standard output. Of the filter only the device counts.
///
/// # Errors
/// A wrong word, a terminal for output, or what the kernel refuses.
pub fn save(ip: &mut Ip<'_>, words: &mut Words<'_>) -> Result<(), Failure> {
    let (_, found) = show::read_filter(ip, words, show::Purpose::Show)?;
    ADDRESSES.refuse_terminal()?;
    let (family, persona) = (ip.options.family.number(), ip.persona);
    let request = AddressFilter { family, index: found.index.unwrap_or(0), ..AddressFilter::all() }.to_request();
    let messages = ip.socket()?.dump(&request, |message| Ok(saved::bytes_of(message)));
    let messages = messages.map_err(|error| dump_failure(&error, persona))?;
    ADDRESSES.write(ip, &messages)
}

/// Runs `ip address showdump`: prints what a file on standard input has.
///
/// # Errors
/// Standard input is no such file.
pub fn show(ip: &mut Ip<'_>) -> Result<(), Failure> {
    let file = ADDRESSES.read()?;
    let names = super::names_to_print(ip);
    let (messages, end) = saved::cut(&file);
    ip.printer.open_document();
    ip.printer.open_object(None);
    ip.printer.open_array(Some("addr_info"));
    for message in messages.into_iter().filter(is_address) {
        ip.printer.open_object(None);
        if let Ok(address) = Address::parse(message.payload) {
            ip.printer.number("index", "if", address.index, ":");
            ip.printer.line_break();
            address::print(&mut ip.printer, &address, None, &names);
        }
        ip.printer.close_object();
    }
    ip.printer.close_array();
    ip.printer.close_object();
    ip.printer.close_document();
    end
}

/// Runs `ip address restore`: makes the addresses that a file on standard input has.
///
/// # Errors
/// Standard input is no such file, or the kernel refuses an address. One that is there already is passed over.
pub fn restore(ip: &mut Ip<'_>) -> Result<(), Failure> {
    ip.refuse_in_whole("what is restored is read from standard input, and only once")?;
    let file = ADDRESSES.read()?;
    let (messages, end) = saved::cut(&file);
    for message in messages.iter().filter(|message| is_address(message)) {
        saved::restore(ip, message, "cannot restore an address")?;
    }
    end
}

fn is_address(message: &Message<'_>) -> bool {
    message.header.message_type == MessageType::NEWADDR
}
