//! Prints a TUN or TAP device as `ip tuntap` does: its flags, who may open it, and who has.

use super::{Colour, Printer};

/// The words for `IFF_*` of `linux/if_tun.h`, in the order in which `ip` prints them.
const FLAGS: &[(u32, &str)] = &[
    (0x1, "tun"),
    (0x2, "tap"),
    (NO_PACKET_INFO, "pi"),
    (0x2000, "one_queue"),
    (0x100, "multi_queue"),
    (0x4000, "vnet_hdr"),
    (0x800, "persist"),
    (NO_FILTER, "filter"),
];
/// `IFF_NO_PI`: its word is shown where the flag is not.
const NO_PACKET_INFO: u32 = 0x1000;
/// `IFF_NOFILTER`, the same bit, read the same way: a device with packet information is shown to have a filter.
const NO_FILTER: u32 = 0x1000;

/// A TUN or TAP device.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TunTap {
    /// The name.
    pub name: Vec<u8>,
    /// `IFF_*` of `linux/if_tun.h`.
    pub flags: u32,
    /// The user who may open it.
    pub user: Option<u32>,
    /// The group whose members may open it.
    pub group: Option<u32>,
    /// The processes that have opened it, name and number, once for each queue; none where that was not asked.
    pub processes: Option<Vec<(String, u32)>>,
}

/// Prints a device's record.
pub fn print(p: &mut Printer, device: &TunTap) {
    p.open_object(None);
    p.coloured(Some(Colour::Device), "ifname", "", &device.name, ":");
    print_flags(p, device.flags);
    if let Some(user) = device.user {
        p.number("user", " user ", user, "");
    }
    if let Some(group) = device.group {
        p.number("group", " group ", group, "");
    }
    if let Some(processes) = &device.processes {
        p.line_break();
        p.text("\tAttached to processes:");
        p.open_array(Some("processes"));
        for (name, number) in processes {
            p.open_object(None);
            p.string("name", "", name, "");
            p.number("pid", "(", *number, ")");
            p.close_object();
        }
        p.close_array();
    }
    p.close_object();
    p.end_line();
}

fn print_flags(p: &mut Printer, flags: u32) {
    p.open_array(Some("flags"));
    for (flag, word) in FLAGS {
        if (flags & flag != 0) != (*flag == NO_FILTER) {
            p.element(" ", word, "");
        }
    }
    let left = FLAGS.iter().fold(flags, |left, (flag, _)| left & !flag);
    if left != 0 {
        p.element(" ", format!("{left:#x}"), "");
    }
    p.close_array();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::out::Layout;

    fn printed(device: &TunTap, json: bool) -> String {
        let mut p = Printer::new(Layout { json, ..Layout::default() });
        print(&mut p, device);
        String::from_utf8(p.take()).unwrap()
    }

    fn tap() -> TunTap {
        TunTap { name: b"tap0".to_vec(), flags: 0x1902, user: Some(1000), ..TunTap::default() }
    }

    #[test]
    fn a_device_is_one_line() {
        assert_eq!(printed(&tap(), false), "tap0: tap multi_queue persist user 1000\n");
        let with_everything = TunTap { flags: 0x6911, group: Some(0), user: None, ..tap() };
        let wanted = "tap0: tun pi one_queue multi_queue vnet_hdr persist filter 0x10 group 0\n";
        assert_eq!(printed(&with_everything, false), wanted);
    }

    #[test]
    fn processes_have_a_line_of_their_own() {
        let held = TunTap { processes: Some(vec![("qemu".to_owned(), 8), ("qemu".to_owned(), 9)]), ..tap() };
        assert!(printed(&held, false).ends_with(" user 1000\n\tAttached to processes:qemu(8)qemu(9)\n"));
        let wanted = "{\"ifname\":\"tap0\",\"flags\":[\"tap\",\"multi_queue\",\"persist\"],\"user\":1000,\
                      \"processes\":[{\"name\":\"qemu\",\"pid\":8},{\"name\":\"qemu\",\"pid\":9}]}";
        assert_eq!(printed(&held, true), wanted);
    }
}
