//! Rules, which say what table a packet is routed by: `RTM_NEWRULE`, `RTM_DELRULE`, `RTM_GETRULE`.

use std::net::IpAddr;

use super::codec::BigEndian;
use crate::name::IfName;

attributes! {
    /// A rule (`struct fib_rule_hdr` and `FRA_*`).
    pub struct Rule ("FRA_") after {
        /// `AF_INET`, `AF_INET6`.
        family: u8,
        /// The length of the destination's prefix, in bits.
        dst_len: u8,
        /// The length of the source's prefix, in bits.
        src_len: u8,
        /// The TOS.
        tos: u8,
        /// The low 8 bits of the table; [`Rule::table_id`] has all of them.
        header_table: u8 [2],
        /// What happens (`FR_ACT_*`).
        action: u8,
        /// `FIB_RULE_*`.
        flags: u32,
    } {
        /// The destination.
        dst: Option<IpAddr> = 1,
        /// The source.
        src: Option<IpAddr> = 2,
        /// The link a packet comes in by.
        iifname: Option<IfName> = 3,
        /// The rule to go to, by its priority.
        goto: Option<u32> = 4,
        /// The priority: the lowest is asked first.
        priority: Option<u32> = 6,
        /// The firewall mark.
        fwmark: Option<u32> = 10,
        /// The realm.
        flow: Option<u32> = 11,
        /// The tunnel's id.
        tun_id: Option<u64> as BigEndian = 12,
        /// A route by a link of this group does not count; `u32::MAX` is none.
        suppress_ifgroup: Option<u32> = 13,
        /// A route with a prefix this long or shorter does not count; `u32::MAX` is none.
        suppress_prefixlen: Option<u32> = 14,
        /// The table.
        table: Option<u32> = 15,
        /// Which bits of the firewall mark count.
        fwmask: Option<u32> = 16,
        /// The link a packet goes out by.
        oifname: Option<IfName> = 17,
        /// Whether the table is that of the link's VRF, 0 or 1.
        l3mdev: Option<u8> = 19,
        /// The users.
        uid_range: Option<UidRange> = 20,
        /// Who made it (`RTPROT_*`).
        protocol: Option<u8> = 21,
        /// The protocol (`IPPROTO_*`).
        ip_proto: Option<u8> = 22,
        /// The source ports.
        sport_range: Option<RulePorts> = 23,
        /// The destination ports.
        dport_range: Option<RulePorts> = 24,
        /// The DSCP (Linux 6.12).
        dscp: Option<u8> = 25,
        /// The flow label (Linux 6.14).
        flowlabel: Option<u32> as BigEndian = 26,
        /// Which bits of the flow label count (Linux 6.14).
        flowlabel_mask: Option<u32> as BigEndian = 27,
        /// Which bits of the source port count (Linux 6.15).
        sport_mask: Option<u16> = 28,
        /// Which bits of the destination port count (Linux 6.15).
        dport_mask: Option<u16> = 29,
        /// Which bits of the DSCP count (Linux 6.15).
        dscp_mask: Option<u8> = 30,
        ; also { 18 = "PAD" }
    }
}

impl Rule {
    /// Returns the table, from the attribute or, if there is none, from the header.
    pub fn table_id(&self) -> u32 {
        self.table.unwrap_or(u32::from(self.header_table))
    }
}

record! {
    /// A range of users (`struct fib_rule_uid_range`).
    pub struct UidRange {
        /// The first.
        start: u32,
        /// The last.
        end: u32,
    }
}

record! {
    /// A range of ports (`struct fib_rule_port_range`).
    pub struct RulePorts {
        /// The first.
        start: u16,
        /// The last.
        end: u16,
    }
}
