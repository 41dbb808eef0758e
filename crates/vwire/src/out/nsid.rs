//! Prints the id of a network namespace as `ip netns list-id` and `ip monitor nsid` do.

use vwire_netlink::NamespaceId;

use super::Printer;

/// Prints an id, the asking namespace's own id for it, and its name where it has one; and ends the line.
pub fn print(p: &mut Printer, id: &NamespaceId, name: Option<&[u8]>) {
    print_id(p, "nsid", id.nsid.unwrap_or(NamespaceId::NOT_ASSIGNED));
    if let Some(current) = id.current_nsid {
        print_id(p, "current-nsid", current);
    }
    if let Some(name) = name {
        p.string("name", "(iproute2 netns name: ", name, ")");
    }
    p.end_line();
}

fn print_id(p: &mut Printer, word: &str, id: i32) {
    if id < 0 {
        p.text(format!("{word} unassigned "));
    } else {
        p.number(word, &format!("{word} "), id, " ");
    }
}
