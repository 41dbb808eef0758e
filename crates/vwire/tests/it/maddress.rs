//! `ip maddress`, judged by `ip` itself, and what vwire says beyond it.

use crate::lab::{alike_after, lab};

/// Devices that stay down, so that no protocol makes them listen while a test looks.
const PAIR: &[&str] = &["link add v0 address 02:00:00:00:00:01 type veth peer name v1 address 02:00:00:00:00:02"];

fn words(line: &str) -> Vec<&str> {
    line.split_whitespace().collect()
}

#[test]
fn show_says_what_ip_says_in_every_form() {
    lab(|net| {
        net.arrange(&["link add v0 type veth peer name v1", "link add abcdefghijklmno type bridge", "link set v0 up"]);
        net.arrange(&["maddr add 01:00:5e:00:00:09 dev v0", "maddr add 01:00:5e:00:00:09 dev v0"]);
        for options in ["", "-0", "-4", "-6", "-B", "-o", "-j", "-j -o", "-j -p", "-c"] {
            for filter in ["v1", "dev abcdefghijklmno", "dev nosuch", "dev", "v0 v1", "help"] {
                net.same(&words(&format!("{options} maddr show {filter}")));
            }
            net.same(&words(&format!("{options} maddr show dev lo")));
        }
        for line in ["-0 maddr", "m l lo", "maddress lst v1", "maddr foo", "maddr help"] {
            net.same(&words(line));
        }
    });
}

#[test]
fn changes_do_what_ips_do() {
    alike_after(
        PAIR,
        &[
            "maddr add 01:00:5e:00:00:09 dev v0",
            "maddr add a 1:0:5e:0:0:9 dev v0",
            "maddr add dev v0 addr 01:00:5e:00:00:0a",
            "-0 maddr show dev v0",
            "maddr del 01:00:5e:00:00:0a dev v0",
            "maddr del 01:00:5e:00:00:0b dev v0",
            "-6 maddr del 01:00:5e:00:00:09 dev v0",
            "-0 maddr add 01:00:5e:00:00:0c dev v0",
            "-0 maddr show dev v0",
            "maddr add 01:00 dev v0",
            "maddr add 01:00:5e:00:00:09:10 dev v0",
            "maddr add 224.0.0.9 dev v0",
            "maddr add zz dev v0",
            "maddr add dev v0 dev v1",
            "maddr add dev a/b",
            "maddr add dev 0123456789abcdef",
            "maddr add 01:00:5e:00:00:09 01:00:5e:00:00:0a dev v0",
            "maddr add 01:00:5e:00:00:09 dev nosuch",
            "maddr add 01:00:5e:00:00:09 dev lo",
            "maddr add 01:00:5e:00:00:09",
            "maddr add address",
            "maddr add help",
            "maddr add",
            "maddr add dev v1",
            "-0 maddr show dev v1",
        ],
    );
}

#[test]
fn refusals_say_what_helps() {
    lab(|net| {
        net.arrange(PAIR);
        let said = net.vwire(&words("maddr del 01:00:5e:00:00:09 dev v0")).fails(1);
        assert_eq!(
            said,
            "error: cannot make `v0` stop listening to 01:00:5e:00:00:09: No such file or directory\n\
             hint: `vwire maddr show dev v0` lists what it listens to\n"
        );
    });
}
