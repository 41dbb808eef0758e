//! Acknowledgements of any request, with paths of names through its bytes.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vwire_netlink::wire::extack::Acknowledgement;
use vwire_netlink::wire::{Header, MessageType};

fuzz_target!(|input: (u16, &[u8], &[u8])| {
    let (flags, answer, request) = input;
    let header = Header { length: 0, message_type: MessageType::ERROR, flags, sequence: 0, port: 0 };
    if let Some(answer) = Acknowledgement::parse_error(&header, answer, request) {
        let _ = answer.ext_ack.to_string();
    }
    let _ = Acknowledgement::parse_done(&header, answer, request).ext_ack.to_string();
});
