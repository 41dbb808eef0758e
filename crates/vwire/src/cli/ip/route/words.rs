//! The words of a change to a route, in `ip`'s order: the first row that a word begins wins. Pure.

use crate::cli::ip::words::{Keyword, exact, prefix};

/// What a word stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Word {
    /// `src ADDRESS`.
    Src,
    /// `as [to] ADDRESS`.
    As,
    /// `via [FAMILY] ADDRESS`.
    Via,
    /// `from PREFIX`.
    From,
    /// `tos TOS`.
    Tos,
    /// `expires SECONDS`.
    Expires,
    /// `metric N`.
    Metric,
    /// `scope SCOPE`.
    Scope,
    /// What TCP and others should know (`RTAX_*`).
    Know(Knowledge),
    /// `features ecn`.
    Features,
    /// `congctl NAME`.
    Congctl,
    /// `realms [FROM/]TO`.
    Realms,
    /// `onlink`.
    Onlink,
    /// `nexthop …`, which ends these words.
    Nexthop,
    /// `nhid ID`.
    Nhid,
    /// `protocol WHO`.
    Protocol,
    /// `table TABLE`.
    Table,
    /// `vrf NAME`.
    Vrf,
    /// `dev DEV`.
    Dev,
    /// `pref low|medium|high`.
    Pref,
    /// `encap TYPE …`.
    Encap,
    /// `ttl-propagate enabled|disabled`.
    TtlPropagate,
}

/// A metric that is a number: how it is written and what `ip` calls it where it does not fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Knowledge {
    /// `RTAX_*`.
    pub number: u16,
    /// What `ip` calls it.
    pub called: &'static str,
    /// How it is written.
    pub form: Form,
}

/// How a metric is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// `[lock] N`.
    Lockable,
    /// `[lock] N`, at most 255.
    Octet,
    /// `0` or `1`.
    Bit,
    /// `[lock] TIME`; the kernel keeps this many parts of a millisecond.
    Time(u32),
    /// `TIME`, which is always locked.
    LockedTime,
}

const fn know(number: u16, called: &'static str, form: Form) -> Word {
    Word::Know(Knowledge { number, called, form })
}

/// The words of a change.
pub const WORDS: &[Keyword<Word>] = &[
    exact("src", Word::Src),
    exact("as", Word::As),
    exact("via", Word::Via),
    exact("from", Word::From),
    exact("tos", Word::Tos),
    prefix("dsfield", Word::Tos),
    exact("expires", Word::Expires),
    prefix("metric", Word::Metric),
    prefix("priority", Word::Metric),
    exact("preference", Word::Metric),
    exact("scope", Word::Scope),
    exact("mtu", know(2, "mtu", Form::Lockable)),
    exact("hoplimit", know(10, "hoplimit", Form::Octet)),
    exact("advmss", know(8, "mss", Form::Lockable)),
    prefix("reordering", know(9, "reordering", Form::Lockable)),
    exact("rtt", know(4, "rtt", Form::Time(8))),
    exact("rto_min", know(13, "rto_min", Form::LockedTime)),
    prefix("window", know(3, "window", Form::Lockable)),
    prefix("cwnd", know(7, "cwnd", Form::Lockable)),
    prefix("initcwnd", know(11, "initcwnd", Form::Lockable)),
    prefix("initrwnd", know(14, "initrwnd", Form::Lockable)),
    prefix("features", Word::Features),
    prefix("quickack", know(15, "quickack", Form::Bit)),
    prefix("congctl", Word::Congctl),
    prefix("rttvar", know(5, "rttvar", Form::Time(4))),
    prefix("ssthresh", know(6, "ssthresh", Form::Lockable)),
    prefix("realms", Word::Realms),
    exact("onlink", Word::Onlink),
    exact("nexthop", Word::Nexthop),
    exact("nhid", Word::Nhid),
    prefix("protocol", Word::Protocol),
    prefix("table", Word::Table),
    prefix("vrf", Word::Vrf),
    exact("dev", Word::Dev),
    exact("oif", Word::Dev),
    prefix("pref", Word::Pref),
    exact("encap", Word::Encap),
    exact("ttl-propagate", Word::TtlPropagate),
    prefix("fastopen_no_cookie", know(17, "fastopen_no_cookie", Form::Bit)),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::ip::words::find;

    #[test]
    fn words_cut_short_mean_what_ip_means() {
        for (word, meaning) in [
            ("m", Some(Word::Metric)),
            ("p", Some(Word::Metric)),
            ("pref", Some(Word::Pref)),
            ("pro", Some(Word::Protocol)),
            ("d", Some(Word::Tos)),
            ("t", Some(Word::Table)),
            ("rea", Some(Word::Realms)),
            ("v", Some(Word::Vrf)),
            ("de", None),
            ("mt", None),
        ] {
            assert_eq!(find(WORDS, word.as_bytes()), meaning, "{word}");
        }
        assert!(matches!(find(WORDS, b"r"), Some(Word::Know(Knowledge { called: "reordering", .. }))));
        assert!(matches!(find(WORDS, b"f"), Some(Word::Features)));
        assert!(matches!(find(WORDS, b"fa"), Some(Word::Know(Knowledge { called: "fastopen_no_cookie", .. }))));
    }
}
