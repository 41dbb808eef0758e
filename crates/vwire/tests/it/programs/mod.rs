//! Programs that drive `ip` in real life, unchanged: with vwire in its place they do and say the same.
//!
//! Each runs twice, in labs of their own: once where `ip`'s own file is vwire (so that a path in full leads to it, too),
//! once where it is the judge. What the program said is compared, and what the judge sees of the network afterwards.
//! A program may write where it likes: `/tmp`, `/run` and `/etc/network` are its own, and with it die the processes
//! that it started.
//!
//! Bigger ones, which are not installed everywhere, are run by `tests/suites`; what they gave is in
//! `docs/compatibility.md`.

use crate::lab::{Lab, Normal, Said, Who, assert_alike, difference, in_lab, judge};

/// Puts a program into the place of `ip`, as `$1` says, and runs a script from standard input in a shell of its own.
///
/// `judge` is the judge's `ip`, whatever stands in its place.
const STAGE: &str = r#"
set -eu
put=$1 judge=$2
shift 2
for program in "$@"; do
    command -v "$program" >/dev/null || { echo "this test needs \`$program\`, and it is not installed" >&2; exit 86; }
done
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
ip=$(readlink -f "$(command -v ip)")
mkdir -p /run/judge /run/lock /run/network /run/etc-network
cp "$(readlink -f "$(command -v "$judge")")" /run/judge/ip
cp "$(readlink -f "$(command -v "$put")")" /run/put
mount --bind /run/put "$ip"
if [ -d /etc/network ]; then
    cp -a /etc/network/. /run/etc-network
    mount --bind /run/etc-network /etc/network
fi
mount -t tmpfs none /tmp
judge() { /run/judge/ip "$@"; }
cd /tmp
set +eu
"#;

/// Runs a script where `ip` is vwire or the judge.
fn run(net: &Lab, who: Who, needs: &[&str], script: &str) -> Said {
    let put = if who == Who::Ip { judge().path.as_str() } else { env!("CARGO_BIN_EXE_vwire") };
    let stage = format!("{STAGE}{script}");
    let flags = ["--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--propagation", "private"];
    let mut words = flags.to_vec();
    words.extend(["bash", "-c", &stage, "bash", put, judge().path.as_str()]);
    words.extend(needs);
    let said = net.run(net.command("unshare", &words));
    assert_ne!(said.exit, 86, "{}", said.stderr);
    said
}

/// Runs a script with vwire as `ip` and with the judge, and wants both to say the same; returns what that is.
#[track_caller]
fn alike(needs: &[&str], script: &str) -> Option<String> {
    let ours =
        in_lab(|net| Normal::new(script).said(&run(net, Who::VwireAsIp, needs, script).spelled_for_the_judge()))?;
    let theirs = in_lab(|net| Normal::new(script).said(&run(net, Who::Ip, needs, script)))?;
    assert_alike(&ours, &theirs);
    Some(theirs)
}

#[test]
fn ifupdown_sets_up_and_takes_down_what_is_in_its_file() {
    let script = include_str!("ifupdown.sh");
    let Some(said) = alike(&["ifup", "ifdown", "brctl"], script) else { return };
    for wanted in [
        "10.9.1.1/24 brd 10.9.1.255 scope global ep1",
        "10.9.2.1/24 brd 10.9.2.255 scope global ep1:1",
        "10.20.0.0/16 via 10.9.1.2",
        "master br0",
        "2001:db8:20::/48 via 2001:db8:1::2",
        "macvlan mode bridge",
    ] {
        assert!(said.contains(wanted), "{wanted} is not in\n{said}");
    }
    assert!(said.ends_with("left: lo \n= 0\n"), "{said}");
}

#[test]
fn mininet_pings_between_all_hosts_of_its_topologies() {
    let script = include_str!("mininet.sh");
    let Some(said) = alike(&["mn", "mnexec", "brctl", "python3", "ping"], script) else { return };
    for wanted in
        ["star: 0.0 % lost", "star without h1: 66.7 % lost", "tree: 0.0 % lost", "h1 has 10.0.9.1", "left: lo \n"]
    {
        assert!(said.contains(wanted), "{wanted} is not in\n{said}");
    }
}

#[test]
fn a_shell_script_builds_routes_and_tears_down_a_network() {
    let script = include_str!("network.sh");
    let Some(said) = alike(&["ping", "python3", "sysctl"], script) else { return };
    assert!(said.contains("0% packet loss") && said.ends_with("left: lo \n= 0\n"), "{said}");
}

#[test]
fn what_is_said_otherwise_is_found() {
    let Some(said) = in_lab(|net| run(net, Who::Ip, &[], "readlink -f /proc/self/exe >/dev/null; ip -V")) else {
        return;
    };
    let ours = in_lab(|net| run(net, Who::VwireAsIp, &[], "ip -V; ls /tmp | wc -l")).unwrap();
    assert!(said.stdout.contains(&judge().release), "the judge stands there as itself: {}", said.stdout);
    assert!(ours.stdout.ends_with("\n0\n"), "its /tmp is empty: {}", ours.stdout);
    assert!(difference(&ours.stdout, &said.stdout).contains("vw "), "{}", ours.stdout);
}
