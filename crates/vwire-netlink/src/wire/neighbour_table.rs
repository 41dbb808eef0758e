//! The settings of a table of neighbours: `RTM_NEWNEIGHTBL`, `RTM_GETNEIGHTBL`, `RTM_SETNEIGHTBL`.

use super::text::Text;

attributes! {
    /// A table of neighbours, or a link's settings in one (`struct ndtmsg` and `NDTA_*`).
    pub struct NeighbourTable ("NDTA_") after {
        /// `AF_INET`, `AF_INET6`.
        family: u8 [3],
    } {
        /// What it is called: `arp_cache`, `ndisc_cache`.
        name: Option<Text> = 1,
        /// Up to so many entries none is thrown out.
        thresh1: Option<u32> = 2,
        /// From so many entries on they are thrown out soon.
        thresh2: Option<u32> = 3,
        /// There are at most so many entries.
        thresh3: Option<u32> = 4,
        /// How the table is.
        config: Option<NeighbourTableConfig> = 5,
        /// The settings of a link, or the defaults.
        parms: Option<NeighbourParameters> = 6,
        /// What has happened in it.
        stats: Option<Box<NeighbourTableStats>> = 7,
        /// How often old entries are looked for, in milliseconds.
        gc_interval: Option<u64> = 8,
        ; also { 9 = "PAD" }
    }
}

attributes! {
    /// The settings of a link in a table of neighbours, or the defaults of new links (`NDTPA_*`). Times are in
    /// milliseconds.
    pub struct NeighbourParameters ("NDTPA_") {
        /// The link, by its index; None for the defaults.
        ifindex: Option<u32> = 1,
        /// How many use it.
        refcnt: Option<u32> = 2,
        /// How long an entry counts as reachable: around `base_reachable_time`, by chance.
        reachable_time: Option<u64> = 3,
        /// What `reachable_time` is around.
        base_reachable_time: Option<u64> = 4,
        /// The time between two questions.
        retrans_time: Option<u64> = 5,
        /// How long an entry that nobody uses is kept.
        gc_staletime: Option<u64> = 6,
        /// How long an entry in doubt is used before it is asked.
        delay_probe_time: Option<u64> = 7,
        /// How many packets wait for an answer.
        queue_len: Option<u32> = 8,
        /// How many questions go to a daemon.
        app_probes: Option<u32> = 9,
        /// How many questions go to the neighbour alone.
        ucast_probes: Option<u32> = 10,
        /// How many questions go to all.
        mcast_probes: Option<u32> = 11,
        /// The longest time before an anycast address is answered for.
        anycast_delay: Option<u64> = 12,
        /// The longest time before another's address is answered for.
        proxy_delay: Option<u64> = 13,
        /// How many questions for others' addresses wait.
        proxy_qlen: Option<u32> = 14,
        /// How long an entry stays as it is.
        locktime: Option<u64> = 15,
        /// How many bytes wait for an answer.
        queue_lenbytes: Option<u32> = 16,
        /// How many questions go to all once those to the neighbour alone had no answer.
        mcast_reprobes: Option<u32> = 17,
        /// How often a managed entry is asked.
        interval_probe_time_ms: Option<u64> = 19,
        ; also { 18 = "PAD" }
    }
}

record! {
    /// How a table of neighbours is (`struct ndt_config`).
    pub struct NeighbourTableConfig {
        /// How long a key is, in bytes.
        key_len: u16,
        /// How long an entry is, in bytes.
        entry_size: u16,
        /// How many entries there are.
        entries: u32,
        /// How long ago it was flushed, in milliseconds.
        last_flush: u32,
        /// How long ago `reachable_time` was drawn, in milliseconds.
        last_rand: u32,
        /// The seed of the hash.
        hash_rnd: u32,
        /// The mask of the hash.
        hash_mask: u32,
        /// The chain of the hash to be looked at next for old entries.
        hash_chain_gc: u32,
        /// How many questions for others' addresses wait.
        proxy_qlen: u32,
    }
}

record! {
    /// What has happened in a table of neighbours (`struct ndt_stats`).
    pub struct NeighbourTableStats {
        /// Entries made.
        allocs: u64,
        /// Entries thrown out.
        destroys: u64,
        /// How often the hash has grown.
        hash_grows: u64,
        /// Questions that had no answer.
        res_failed: u64,
        /// Times that an entry was looked for.
        lookups: u64,
        /// Times that it was found.
        hits: u64,
        /// Questions to all that came.
        rcv_probes_mcast: u64,
        /// Questions to this host that came.
        rcv_probes_ucast: u64,
        /// Times that old entries were looked for because it was time.
        periodic_gc_runs: u64,
        /// Times that they were looked for because there were too many.
        forced_gc_runs: u64,
        /// Entries that had no room.
        table_fulls: u64,
    }
}
