//! Prints the XDP programs of a link: a word on the first line, a line for each program.
//!
//! A program's name and tag stand behind the `bpf` system call, which vwire does not make: its id
//! is what is printed.

use vwire_netlink::Link;
use vwire_netlink::wire::link::Xdp;

use super::Printer;

/// `XDP_ATTACHED_MULTI` (`linux/if_link.h`): several programs, each in its own place.
const ATTACHED_MULTI: u8 = 4;

fn attached(link: &Link) -> Option<(&Xdp, u8)> {
    let xdp = link.xdp.as_deref()?;
    xdp.attached.filter(|mode| *mode != 0).map(|mode| (xdp, mode))
}

/// Prints `xdp` on the first line, or the member `xdp` in JSON.
pub fn print_brief(p: &mut Printer, link: &Link, is_link: bool) {
    let Some((xdp, mode)) = attached(link) else { return };
    if p.is_json() {
        return print_json(p, xdp, mode);
    }
    p.text(match mode {
        1 => "xdp".to_owned(),
        2 => "xdpgeneric".to_owned(),
        3 => "xdpoffload".to_owned(),
        ATTACHED_MULTI => "xdpmulti".to_owned(),
        other => format!("xdp[{other}]"),
    });
    if let (false, Some(id @ 1..)) = (is_link, xdp.prog_id) {
        p.text(format!("/id:{id}"));
    }
    p.text(" ");
}

/// Prints a line for each program; JSON has them in the member `xdp`.
pub fn print_programs(p: &mut Printer, link: &Link) {
    let Some((xdp, mode)) = attached(link) else { return };
    let mut program = |place: &str, id: Option<u32>| {
        if let Some(id @ 1..) = id {
            p.line_break();
            p.text(format!("    prog/xdp{place} id {id} "));
        }
    };
    program("", xdp.prog_id);
    if mode == ATTACHED_MULTI {
        program("generic", xdp.skb_prog_id);
        program("drv", xdp.drv_prog_id);
        program("offload", xdp.hw_prog_id);
    }
}

fn print_json(p: &mut Printer, xdp: &Xdp, mode: u8) {
    p.open_object(Some("xdp"));
    p.number_json("mode", mode);
    if let Some(id @ 1..) = xdp.prog_id {
        print_program_json(p, id);
    }
    p.open_array(Some("attached"));
    let places = [(2, xdp.skb_prog_id), (1, xdp.drv_prog_id), (3, xdp.hw_prog_id)];
    let known = places.iter().any(|(_, id)| id.is_some());
    let places = if known { &places[..] } else { &[(mode, xdp.prog_id)] };
    for (place, id) in places {
        if let Some(id) = id {
            p.open_object(None);
            p.number_json("mode", *place);
            print_program_json(p, *id);
            p.close_object();
        }
    }
    p.close_array();
    p.close_object();
}

fn print_program_json(p: &mut Printer, id: u32) {
    p.open_object(Some("prog"));
    p.number_json("id", id);
    p.close_object();
}
