//! Counters of a link.

use super::super::attr::Builder;
#[cfg(test)]
use super::super::sample::Source;
use super::super::value::{Fixed, Value};

macro_rules! counters {
    ($($(#[doc = $about:literal])* $field:ident,)*) => {
        record! {
            /// The counters that wrap at 32 bits (`struct rtnl_link_stats`).
            pub struct Stats { $($(#[doc = $about])* $field: u32,)* }
        }

        /// The counters (`struct rtnl_link_stats64`).
        ///
        /// The kernel's struct grows at its end: a counter that an older kernel does not have is 0.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct Stats64 {
            $($(#[doc = $about])* pub $field: u64,)*
            /// Packets for another host, dropped (Linux 5.19).
            pub rx_otherhost_dropped: u64,
        }

        #[cfg(feature = "serde")]
        crate::plain_object! {
            Stats64, "The counters (`struct rtnl_link_stats64`).",
            always {
                $($field: u64, concat!($($about, "\n"),*);)*
                rx_otherhost_dropped: u64, "Packets for another host, dropped (Linux 5.19).";
            }
            known {}
        }

        impl Value for Stats64 {
            fn decode(payload: &[u8]) -> Option<Self> {
                let (mut counters, []) = payload.as_chunks() else {
                    return None;
                };
                let mut next = || match counters.split_first() {
                    Some((first, rest)) => {
                        counters = rest;
                        u64::from_ne_bytes(*first)
                    }
                    None => 0,
                };
                Some(Self { $($field: next(),)* rx_otherhost_dropped: next() })
            }

            fn encode(&self, out: &mut Builder) {
                $(self.$field.write(out);)*
                self.rx_otherhost_dropped.write(out);
            }

            #[cfg(test)]
            fn sample(source: &mut Source) -> Self {
                Self {
                    $($field: u64::sample(source),)*
                    rx_otherhost_dropped: u64::sample(source),
                }
            }
        }
    };
}

counters! {
    /// Packets received.
    rx_packets,
    /// Packets sent.
    tx_packets,
    /// Bytes received.
    rx_bytes,
    /// Bytes sent.
    tx_bytes,
    /// Bad packets received.
    rx_errors,
    /// Packets that could not be sent.
    tx_errors,
    /// Packets received and dropped.
    rx_dropped,
    /// Packets to be sent and dropped.
    tx_dropped,
    /// Multicast packets received.
    multicast,
    /// Collisions.
    collisions,
    /// Received with a bad length.
    rx_length_errors,
    /// Received when there was no buffer left.
    rx_over_errors,
    /// Received with a bad checksum.
    rx_crc_errors,
    /// Received badly aligned.
    rx_frame_errors,
    /// Received when the FIFO was full.
    rx_fifo_errors,
    /// Missed by the host.
    rx_missed_errors,
    /// Sending aborted.
    tx_aborted_errors,
    /// Sending without a carrier.
    tx_carrier_errors,
    /// Sending when the FIFO was empty.
    tx_fifo_errors,
    /// Heartbeat errors.
    tx_heartbeat_errors,
    /// Late collisions.
    tx_window_errors,
    /// Compressed packets received.
    rx_compressed,
    /// Compressed packets sent.
    tx_compressed,
    /// Packets that nothing was there to take.
    rx_nohandler,
}

record! {
    /// Where a device's hardware is (`struct rtnl_link_ifmap`).
    pub struct LinkMap {
        /// Start of shared memory.
        mem_start: u64,
        /// End of shared memory.
        mem_end: u64,
        /// The I/O port.
        base_addr: u64,
        /// The interrupt.
        irq: u16,
        /// The DMA channel.
        dma: u8,
        /// The port.
        port: u8 [4],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_of_an_older_kernel_are_read_with_zeros() {
        let mut payload = vec![0; 23 * 8];
        payload[0] = 1;
        let stats = Stats64::decode(&payload).unwrap();
        assert_eq!((stats.rx_packets, stats.rx_nohandler), (1, 0));
    }
}
