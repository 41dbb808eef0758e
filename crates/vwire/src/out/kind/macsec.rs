//! macsec: encryption on a link.

use vwire_netlink::wire::link::security::Macsec;

use super::fact::{nth, number, number_as, word, word_as};
use crate::out::Printer;

/// The word for a number that has none.
const UNKNOWN: &str = "(unknown)";

pub(super) fn print(p: &mut Printer, macsec: &Macsec) {
    if let Some(sci) = macsec.sci {
        word(p, "sci", format!("{:016x}", u64::from_be_bytes(sci)));
    }
    print_flag(p, "protect", "protect", macsec.protect);
    if let Some(suite) = macsec.cipher_suite {
        word_as(p, "cipher_suite", "cipher", spell_cipher(suite));
    }
    number_as(p, "icv_len", "icvlen", macsec.icv_len);
    number_as(p, "encoding_sa", "encodingsa", macsec.encoding_sa);
    if let Some(validation) = macsec.validation {
        word_as(p, "validation", "validate", nth(&["disabled", "check", "strict"], validation, UNKNOWN));
    }
    if let Some(offload) = macsec.offload {
        word(p, "offload", nth(&["off", "phy", "mac"], offload, UNKNOWN));
    }
    print_flag(p, "encrypt", "encrypt", macsec.encrypt);
    print_flag(p, "inc_sci", "send_sci", macsec.inc_sci);
    print_flag(p, "es", "end_station", macsec.es);
    print_flag(p, "scb", "scb", macsec.scb);
    print_flag(p, "replay_protect", "replay", macsec.replay_protect);
    number(p, "window", macsec.window.map(u32::cast_signed));
}

fn print_flag(p: &mut Printer, name: &str, word: &str, value: Option<u8>) {
    let Some(value) = value else { return };
    p.text(word);
    p.on_off(name, " ", value != 0, " ");
}

/// Spells `MACSEC_CIPHER_ID_*` (`linux/if_macsec.h`); the first is the id that the first draft had.
fn spell_cipher(suite: u64) -> &'static str {
    match suite {
        0x0080_0200_0100_0001 | 0x0080_c200_0100_0001 => "GCM-AES-128",
        0x0080_c200_0100_0002 => "GCM-AES-256",
        0x0080_c200_0100_0003 => "GCM-AES-XPN-128",
        0x0080_c200_0100_0004 => "GCM-AES-XPN-256",
        _ => UNKNOWN,
    }
}
