//! The usage of `ip route`, in our own words.

use crate::cli::ip::Failure;

/// The grammar of `ip route`.
const USAGE: &str = "\
Usage: ip route [ show ] [ SELECTOR ]...
       ip route flush SELECTOR...
       ip route { add | replace | change | append | prepend | test | del } ROUTE
       ip route get [ to ] ADDRESS [ from ADDRESS ] [ iif DEV ] [ oif DEV | vrf NAME ] [ tos TOS ] [ mark N ]
                    [ uid N ] [ ipproto PROTO ] [ sport N ] [ dport N ] [ flowlabel N ] [ as ADDRESS ]
                    [ connected ] [ fibmatch ] [ notify ]
       ip route save [ SELECTOR ]...      (to standard output, binary)
       ip route { restore | showdump }    (from standard input)

SELECTOR := [ to ] [ root | match | exact ] PREFIX | from [ root | match | exact ] PREFIX
          | table { TABLE | all | cache } | vrf NAME | dev DEV | iif DEV | via [ FAMILY ] PREFIX | src PREFIX
          | proto PROTO | scope SCOPE | type TYPE | tos TOS | metric N | realms REALMS | mark N | cached
ROUTE    := [ TYPE ] PREFIX [ WAY | nhid ID ] [ SETTING ]... [ nexthop WAY [ weight N ] ]...
WAY      := [ encap ENCAP ] [ via [ FAMILY ] ADDRESS ] [ dev DEV ] [ onlink ] [ realms REALMS ]
SETTING  := table TABLE | vrf NAME | metric N | proto PROTO | scope SCOPE | tos TOS | src ADDRESS | from PREFIX
          | expires SECONDS | pref { low | medium | high } | realms REALMS | ttl-propagate { enabled | disabled }
          | { mtu | advmss | hoplimit | window | cwnd | initcwnd | initrwnd | ssthresh | reordering } [ lock ] N
          | { rtt | rttvar } [ lock ] TIME | rto_min TIME | congctl [ lock ] NAME
          | features { ecn | tcp_usec_ts }... | { quickack | fastopen_no_cookie } { 0 | 1 }
TYPE     := unicast | local | broadcast | multicast | anycast | throw | unreachable | prohibit | blackhole | nat
FAMILY   := inet | inet6 | mpls | link | bridge
REALMS   := [ FROM/ ]TO
TIME     := N[s|ms]
ENCAP    := mpls LABELS | ip ... | ip6 ... | rpl segs SEGMENTS | xfrm if_id N     (`encap help` tells more)
          | seg6 mode { encap | encap.red | inline | l2encap | l2encap.red } segs SEGMENTS [ hmac KEY ]
          | seg6local action ACTION [ flavors FLAVOR[,FLAVOR]... ] ...
FLAVOR   := psp | usp | usd | next-csid
";

/// The usage as a failure, which is how `ip` gives it where a word is `help`.
#[must_use]
pub fn usage() -> Failure {
    Failure::usage(USAGE)
}
