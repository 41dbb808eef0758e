//! Queueing disciplines: `RTM_NEWQDISC`, `RTM_DELQDISC`, `RTM_GETQDISC`.
//!
//! What a discipline is set to is in [`Qdisc::options`], whose layout is the kind's own: [`Netem`] and [`Tbf`] here
//! (`net/sched/sch_netem.c`, `net/sched/sch_tbf.c`), others stay raw.

use super::attr::Builder;
use super::nest::RawNest;
use super::text::Text;
use super::value::Value;

/// The parent of a discipline that all that leaves a link goes through (`TC_H_ROOT`).
pub const ROOT: u32 = 0xffff_ffff;
/// The parent of the discipline that all that comes in goes through (`TC_H_INGRESS`).
pub const INGRESS: u32 = 0xffff_fff1;
/// A probability of one, as [`Netem`] counts it.
pub const CERTAIN: u32 = u32::MAX;
/// `TC_LINKLAYER_ETHERNET`: the kernel works out by itself how long a packet takes, and needs no table of it.
pub const LINKLAYER_ETHERNET: u8 = 1;

attributes! {
    /// A queueing discipline of a link (`struct tcmsg` and `TCA_*`).
    pub struct Qdisc ("TCA_") after {
        /// `AF_UNSPEC`.
        family: u8 [3],
        /// The link, by its index.
        index: u32,
        /// Its own number, the major one in the upper 16 bits; 0 lets the kernel choose.
        handle: u32,
        /// The discipline or class it is in; [`ROOT`] is none.
        parent: u32,
        /// In an answer, how many use it.
        info: u32,
    } {
        /// What it is called: `tbf`, `netem`, `noqueue`.
        kind: Option<Text> = 1,
        /// What it is set to, in the kind's own layout.
        options: Option<RawNest> = 2,
        /// Counters (`struct tc_stats`).
        stats: Option<Box<[u8]>> = 3,
        /// Counters of the kind's own.
        xstats: Option<Box<[u8]>> = 4,
        /// Counters, as nests.
        stats2: Option<RawNest> = 7,
        /// In a request: show those, too, that the kernel hides (`TCA_DUMP_INVISIBLE`).
        dump_invisible: bool = 10,
        /// Whether the device does it.
        hw_offload: Option<u8> = 12,
        /// The block that packets which come in are looked up in.
        ingress_block: Option<u32> = 13,
        /// The block that packets which leave are looked up in.
        egress_block: Option<u32> = 14,
    }
}

impl Qdisc {
    /// Returns the discipline that all that leaves a link goes through, with the kernel's own choice of a number.
    #[must_use]
    pub fn root(index: u32) -> Self {
        Self { index, parent: ROOT, ..Self::default() }
    }

    /// Makes it one that delays, loses, doubles and reorders.
    #[must_use]
    pub fn with_netem(self, netem: &Netem) -> Self {
        self.with_options("netem", netem)
    }

    /// Makes it one that lets through only so much at a time.
    #[must_use]
    pub fn with_tbf(self, tbf: &Tbf) -> Self {
        self.with_options("tbf", tbf)
    }

    /// Returns what it is set to, if it is of the kind `netem` and its options are as long as they must be.
    #[must_use]
    pub fn netem(&self) -> Option<Netem> {
        self.options_of("netem")
    }

    /// Returns what it is set to, if it is of the kind `tbf` and its options are whole.
    #[must_use]
    pub fn tbf(&self) -> Option<Tbf> {
        self.options_of("tbf")
    }

    fn with_options(mut self, kind: &str, options: &impl Value) -> Self {
        let mut out = Builder::new();
        options.encode(&mut out);
        self.kind = Some(kind.into());
        self.options = Some(RawNest(out.into_bytes().into()));
        self
    }

    fn options_of<T: Value>(&self, kind: &str) -> Option<T> {
        let options = self.options.as_ref().filter(|_| self.kind.as_ref().and_then(Text::as_str) == Some(kind))?;
        T::decode(&options.0)
    }
}

attributes! {
    /// What packets suffer on a long or bad way (`struct tc_netem_qopt` and `TCA_NETEM_*`).
    ///
    /// A probability is a fraction of [`CERTAIN`].
    pub struct Netem ("TCA_NETEM_") after {
        /// The delay in ticks of 64 ns; [`Netem::latency64`] is the better way to say it.
        latency: u32,
        /// How many packets are held at most.
        limit: u32,
        /// The probability that a packet is lost.
        loss: u32,
        /// Each how-manieth packet overtakes those that are held; 1 with [`Netem::reorder`].
        gap: u32,
        /// The probability that a packet is doubled.
        duplicate: u32,
        /// How much the delay varies, in ticks of 64 ns; [`Netem::jitter64`] is the better way to say it.
        jitter: u32,
    } {
        /// By how much the fate of one packet depends on the last one's.
        corr: Option<NetemCorrelation> = 1,
        /// A table of delays.
        delay_dist: Option<Box<[u8]>> = 2,
        /// How many packets overtake.
        reorder: Option<NetemChance> = 3,
        /// How many packets are damaged.
        corrupt: Option<NetemChance> = 4,
        /// A model of losses that come in a row.
        loss_model: Option<RawNest> = 5 ("LOSS"),
        /// How many bytes go through.
        rate: Option<NetemRate> = 6,
        /// Whether congestion is told by a mark rather than a loss.
        ecn: Option<u32> = 7,
        /// How many bytes go through in a second, where 32 bits do not say it.
        rate64: Option<u64> = 8,
        /// The delay in nanoseconds.
        latency64: Option<i64> = 10,
        /// How much the delay varies, in nanoseconds.
        jitter64: Option<i64> = 11,
        /// Times at which packets go out together.
        slot: Option<Box<[u8]>> = 12,
        /// A table of such times.
        slot_dist: Option<Box<[u8]>> = 13,
        /// What the dice start from (Linux 6.6).
        prng_seed: Option<u64> = 14,
    }
}

record! {
    /// By how much the fate of one packet depends on the last one's, each a fraction of [`CERTAIN`]
    /// (`struct tc_netem_corr`).
    pub struct NetemCorrelation {
        /// Of delays.
        delay: u32,
        /// Of losses.
        loss: u32,
        /// Of doublings.
        duplicate: u32,
    }
}

record! {
    /// A chance (`struct tc_netem_reorder`, `struct tc_netem_corrupt`), each a fraction of [`CERTAIN`].
    pub struct NetemChance {
        /// How likely it is.
        probability: u32,
        /// By how much it depends on the last packet's.
        correlation: u32,
    }
}

record! {
    /// How many bytes go through (`struct tc_netem_rate`).
    pub struct NetemRate {
        /// In bytes a second; `u32::MAX` where [`Netem::rate64`] says it.
        rate: u32,
        /// Bytes that each packet has beside.
        packet_overhead: i32,
        /// The size of cells, in bytes; 0 is none.
        cell_size: u32,
        /// Bytes that each cell has beside.
        cell_overhead: i32,
    }
}

attributes! {
    /// A bucket of tokens (`TCA_TBF_*`): packets go through as long as it has enough.
    pub struct Tbf ("TCA_TBF_") {
        /// Rate, bucket and queue.
        parms: Option<TbfParameters> = 1,
        /// How long packets of each length take, for a link layer that the kernel does not know.
        rtab: Option<Box<[u8]>> = 2,
        /// The same at the peak rate.
        ptab: Option<Box<[u8]>> = 3,
        /// The rate in bytes a second, where 32 bits do not say it.
        rate64: Option<u64> = 4,
        /// The peak rate in bytes a second, where 32 bits do not say it.
        prate64: Option<u64> = 5,
        /// The size of the bucket in bytes; in a request it goes before what [`TbfParameters::buffer`] says.
        burst: Option<u32> = 6,
        /// The size of the bucket for the peak rate, in bytes.
        pburst: Option<u32> = 7,
    }
}

record! {
    /// Rate, bucket and queue (`struct tc_tbf_qopt`).
    pub struct TbfParameters {
        /// The rate.
        rate: RateSpec,
        /// The rate that a full bucket is not emptied faster than; all zero is none.
        peakrate: RateSpec,
        /// How many bytes wait at most.
        limit: u32,
        /// The size of the bucket as the time it lasts at the rate, in ticks of 64 ns.
        buffer: u32,
        /// The same at the peak rate.
        mtu: u32,
    }
}

record! {
    /// A rate (`struct tc_ratespec`).
    pub struct RateSpec {
        /// How many bits of a length the table leaves out.
        cell_log: u8,
        /// `TC_LINKLAYER_*`.
        linklayer: u8,
        /// Bytes that each packet has beside.
        overhead: u16,
        /// What is added to a length before it is looked up; -1 as the kernel says it.
        cell_align: u16,
        /// The least bytes that a packet counts for.
        mpu: u16,
        /// In bytes a second; `u32::MAX` where another attribute says it.
        rate: u32,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Body;

    fn bytes(body: &impl Body) -> Vec<u8> {
        let mut out = Builder::new();
        body.emit(&mut out);
        out.into_bytes()
    }

    /// What `tc qdisc add dev DEVICE root tbf rate 8mbit burst 10kb limit 30kb` asks for, but for the tables.
    #[test]
    fn a_bucket_is_laid_out_as_the_kernel_has_it() {
        let rate = RateSpec { linklayer: LINKLAYER_ETHERNET, rate: 1_000_000, ..RateSpec::default() };
        let parms = TbfParameters { rate, limit: 30_720, ..TbfParameters::default() };
        let tbf = Tbf { parms: Some(parms), burst: Some(10_240), ..Tbf::default() };
        let qdisc = Qdisc::root(7).with_tbf(&tbf);
        let sent = bytes(&qdisc);
        assert_eq!(sent[..20], [[0; 4], 7u32.to_ne_bytes(), [0; 4], [0xff; 4], [0; 4]].concat());
        let read = Qdisc::parse(&sent).unwrap();
        assert_eq!(read.tbf(), Some(tbf));
        assert_eq!(read.netem(), None);
        let Some(RawNest(options)) = read.options else { panic!() };
        assert_eq!(options.len(), 4 + 36 + 8);
        assert_eq!(options[4 + 8..4 + 12], 1_000_000u32.to_ne_bytes());
    }

    #[test]
    fn a_bad_way_is_laid_out_as_the_kernel_has_it() {
        let netem = Netem { limit: 1000, loss: CERTAIN / 100, latency64: Some(10_000_000), ..Netem::default() };
        let read = Qdisc::parse(&bytes(&Qdisc::root(7).with_netem(&netem))).unwrap();
        assert_eq!(read.netem(), Some(netem));
        let Some(RawNest(options)) = read.options else { panic!() };
        assert_eq!(options.len(), 24 + 12);
    }
}
