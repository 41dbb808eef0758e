//! Prints devices for people: one table a namespace, states in words; and the same facts as JSON.

use super::Printer;
use super::table::{Cell, Table, Tone};
use crate::snapshot::device::{Device, Health, NamespacePart, OPERSTATES, OtherEnd};

/// A namespace and its devices.
pub type Listing<'a> = (&'a NamespacePart, Vec<Device>);

/// Lays out the devices of one or of several namespaces, within a width if one is given.
#[must_use]
pub fn text(listings: &[Listing<'_>], headings: bool, colour: bool, room: Option<usize>) -> String {
    let mut text = String::new();
    for (index, (part, devices)) in listings.iter().enumerate() {
        if headings {
            let name = if part.name.is_empty() { "this namespace" } else { &part.name };
            let gap = if index == 0 { "" } else { "\n" };
            let heading = if colour { format!("\x1b[1;36m{name}\x1b[0m") } else { name.to_owned() };
            text.push_str(&format!("{gap}{heading}\n"));
        }
        if devices.is_empty() {
            text.push_str("no devices\n");
        } else {
            text.push_str(&table(devices).render(colour, room));
        }
    }
    text
}

fn table(devices: &[Device]) -> Table {
    let headings = ["DEVICE", "KIND", "STATE", "ADDRESSES", "MASTER", "OTHER END", "HELD BY", "MAC"];
    Table { headings: headings.map(String::from).to_vec(), rows: devices.iter().map(row).collect(), spare: 1 }
}

fn row(device: &Device) -> Vec<Cell> {
    let tone = match device.health() {
        Health::Up => Tone::Good,
        Health::Waiting => Tone::Attention,
        Health::Down => Tone::Faint,
    };
    let hardware = device.hardware().filter(|_| !device.is_virtual());
    let mac = device.link.address.as_ref().filter(|mac| mac.as_bytes().iter().any(|byte| *byte != 0));
    vec![
        Cell::line(device.name()).toned(Tone::Strong),
        Cell::line(hardware.map_or_else(|| device.kind(), |place| format!("{} ({place})", device.kind()))),
        Cell::line(device.state()).toned(tone),
        Cell::lines(device.addresses.iter().cloned()),
        Cell::line(device.master.clone().unwrap_or_default()),
        Cell::line(device.other_end_text().unwrap_or_default()),
        Cell::lines(device.holder_texts()),
        Cell::line(mac.map(ToString::to_string).unwrap_or_default()).toned(Tone::Faint),
    ]
}

/// Prints the devices as one JSON document: an array of devices, or with `all` an array of namespaces.
pub fn print_json(p: &mut Printer, listings: &[Listing<'_>], all: bool) {
    p.open_document();
    for (part, devices) in listings {
        if all {
            p.open_object(None);
            match part.name.as_str() {
                "" => p.literal_json("namespace", "null"),
                name => p.string_json("namespace", name),
            }
            p.number_json("inode", part.inode);
            p.open_array(Some("devices"));
        }
        for device in devices {
            p.open_object(None);
            print_device(p, device);
            p.close_object();
        }
        if all {
            p.close_array();
            p.close_object();
        }
    }
    p.close_document();
}

fn print_device(p: &mut Printer, device: &Device) {
    let link = &device.link;
    p.number_json("ifindex", link.index);
    p.string_json("ifname", link.ifname.as_ref().map(|name| name.as_bytes().to_vec()).unwrap_or_default());
    p.string_json("kind", device.kind());
    p.bool_json("virtual", device.is_virtual());
    if let Some(hardware) = device.hardware() {
        p.string_json("hardware", hardware);
    }
    p.string_json("state", device.state());
    p.bool_json("up", device.health() == Health::Up);
    if let Some(state) = link.operstate.and_then(|state| OPERSTATES.get(usize::from(state))) {
        p.string_json("operstate", state);
    }
    if let Some(mtu) = link.mtu {
        p.number_json("mtu", mtu);
    }
    if let Some(mac) = &link.address {
        p.string_json("address", mac.to_string());
    }
    strings(p, "addresses", &device.addresses);
    strings(p, "altnames", &link.alt_names().iter().map(ToString::to_string).collect::<Vec<_>>());
    if let Some(master) = &device.master {
        p.string_json("master", master);
    }
    print_other_end(p, device.other_end.as_ref());
    p.open_array(Some("held_by"));
    for holder in &device.holders {
        p.open_object(None);
        p.number_json("pid", holder.pid);
        p.string_json("command", &holder.command);
        p.number_json("queues", u32::try_from(holder.queues).unwrap_or(u32::MAX));
        p.close_object();
    }
    p.close_array();
}

fn print_other_end(p: &mut Printer, end: Option<&OtherEnd>) {
    let Some(end) = end else { return };
    p.open_object(Some("other_end"));
    match end {
        OtherEnd::Seen { device, namespace, up } => {
            p.string_json("ifname", device);
            if let Some(namespace) = namespace {
                p.string_json("namespace", namespace);
            }
            p.bool_json("up", *up);
        }
        OtherEnd::Unseen { index, namespace_id } => {
            p.number_json("ifindex", *index);
            p.number_json("netnsid", *namespace_id);
        }
    }
    p.close_object();
}

fn strings(p: &mut Printer, name: &str, values: &[String]) {
    p.open_array(Some(name));
    for value in values {
        p.element("", value, "");
    }
    p.close_array();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::device::join;
    use vwire_netlink::Link;

    fn part() -> NamespacePart {
        let lo = Link { index: 1, flags: 0x10049, operstate: Some(0), ..Link::named("lo".parse().unwrap()) };
        NamespacePart { inode: 5, links: vec![lo], ..NamespacePart::default() }
    }

    #[test]
    fn people_read_words() {
        let part = part();
        let listing = [(&part, join(std::slice::from_ref(&part), 0, &[]))];
        assert_eq!(text(&listing, false, false, None), "DEVICE  KIND      STATE\nlo      loopback  up\n");
        assert!(text(&listing, true, false, None).starts_with("this namespace\nDEVICE"));
    }

    #[test]
    fn programs_read_the_same_facts() {
        let part = part();
        let listing = [(&part, join(std::slice::from_ref(&part), 0, &[]))];
        let mut p = Printer::new(crate::out::Layout { json: true, ..Default::default() });
        print_json(&mut p, &listing, false);
        let wanted = "[{\"ifindex\":1,\"ifname\":\"lo\",\"kind\":\"loopback\",\"virtual\":true,\"state\":\"up\",\"up\":true,\
                      \"operstate\":\"UNKNOWN\",\"addresses\":[],\"altnames\":[],\"held_by\":[]}]\n";
        assert_eq!(String::from_utf8(p.take()).unwrap(), wanted);
    }
}
