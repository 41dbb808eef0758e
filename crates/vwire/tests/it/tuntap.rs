//! `ip tuntap`, judged by `ip` itself, and what vwire says beyond it.

use vwire_tuntap::{Builder, Device, DeviceName, Flags};

use crate::lab::{Lab, alike, alike_after, alike_where, judge, lab, until};

fn words(line: &str) -> Vec<&str> {
    line.split_whitespace().collect()
}

fn name(name: &str) -> DeviceName {
    DeviceName::new(name).unwrap()
}

/// Opens a tap from the test itself.
fn hold(device: &str, flags: Flags) -> Device {
    Builder::tap(name(device)).flags(flags).attach().unwrap()
}

/// The index that the next device of a namespace gets.
fn next_index(net: &Lab) -> u32 {
    net.arrange(&["link add probe type bridge"]);
    let index = std::fs::read_to_string("/sys/class/net/probe/ifindex").unwrap();
    net.arrange(&["link del probe"]);
    index.trim().parse::<u32>().unwrap() + 1
}

#[test]
fn devices_are_made_shown_and_deleted_as_by_ip() {
    alike(&[
        "tuntap",
        "tuntap add mode tap",
        "tuntap add name tun5 mode tun",
        "tuntap add tap7 mode tap user 1000 group nogroup multi_queue vnet_hdr pi one_queue",
        "tuntap add m tap n zz u root g 0 p o v mu",
        "tap add dev x5 mode t",
        "tuntap add x dev y mode tap",
        "tuntap add mode tun mode tun",
        "tuntap add x%d mode tap",
        "tuntap add x6 mode tap user -1 group 4294967295",
        "tuntap show",
        "tuntap sh words that mean nothing",
        "tuntap lst",
        "tuntap l",
        "tap",
        "-o tuntap",
        "tuntap del tap0 mode tap",
        "tuntap del tap7 mode tap multi_queue",
        "tuntap d zz m tap mu",
        "tuntap delete tun5 mode tun pi",
        "tuntap",
        "-o link show",
    ]);
}

#[test]
fn json_and_colour_are_ips() {
    alike_where(
        |_| false,
        &[],
        &[
            "-j tuntap",
            "tuntap add tap7 mode tap user 1000 group nogroup multi_queue vnet_hdr pi one_queue",
            "tuntap add tun0 mode tun",
            "-j tuntap",
            "-j -p tuntap",
            "-c tuntap",
            "tuntap add . mode tap",
        ],
    );
}

#[test]
fn what_does_not_fit_is_refused_in_ips_words() {
    alike_after(
        &["tuntap add tap7 mode tap multi_queue", "tuntap add tun5 mode tun", "link add v0 type veth peer name v1"],
        &[
            "tuntap add tap7 mode tap",
            "tuntap add lo mode tap",
            "tuntap del tap7 mode tap",
            "tuntap del tap7 mode tun multi_queue",
            "tuntap del tun5 mode tun multi_queue",
            "tuntap del v0 mode tap",
            "tuntap del lo mode tap",
            "tuntap add",
            "tuntap del tun5",
            "tuntap del nosuch mode tun",
            "tuntap del mode tun",
            "tuntap add a/b mode tap",
            "tuntap add a:b mode tap",
            "tuntap del a:b mode tap",
            "tuntap add 'a b' mode tap",
            "tuntap add '' mode tap",
            "tuntap add dev '' mode tap",
            "tuntap add name averyveryverylongname mode tap",
            "tuntap add dev averyveryverylongname mode tap",
            "tuntap add mode tapx",
            "tuntap add mode tun mode tap",
            "tuntap add mode",
            "tuntap add x user",
            "tuntap add x mode tap user nosuchuser",
            "tuntap add x mode tap user ''",
            "tuntap add x mode tap group nosuchgroup",
            "tuntap add x y mode tap",
            "tuntap add dev y x mode tap",
            "tuntap del y mode tap user 3",
            "tuntap foo",
            "tuntap help",
            "tuntap add help",
            "tuntap",
        ],
    );
}

#[test]
fn a_users_device_is_refused_to_others_in_ips_words() {
    lab(|net| {
        net.arrange(&["tuntap add t0 mode tap user 1"]);
        let ours = "/run/ip";
        net.run(net.command("cp", &[env!("CARGO_BIN_EXE_vwire"), ours])).ok();
        for line in ["add t0 mode tap", "add t1 mode tap", "del t0 mode tap", "del t1 mode tap", "del t0"] {
            // Root without capabilities may open /dev/net/tun and no more; nobody may not even that.
            for who in ["--reuid=65534 --regid=65534 --clear-groups", "--bounding-set=-all --inh-caps=-all"] {
                let said = |program: &str| {
                    let line = format!("setpriv {who} {program} tuntap {line}");
                    net.run(net.command("bash", &["-c", &line]))
                };
                assert_eq!(said(ours), said(&judge().path), "{who} {line}");
            }
        }
    });
}

#[test]
fn deleting_a_device_that_is_not_there_makes_none() {
    lab(|net| {
        let next = next_index(net);
        net.vwire_as_ip(&words("tuntap del nosuch mode tun")).ok();
        net.vwire_as_ip(&words("tuntap del mode tun")).ok();
        let said = net.vwire(&words("tuntap del nosuch mode tun")).fails(1);
        assert!(said.starts_with("error: cannot delete `nosuch`: there is no device `nosuch`"), "{said}");
        let said = net.vwire(&words("tuntap del")).fails(1);
        assert!(said.contains("nothing says which device"), "{said}");
        assert_eq!(next_index(net), next + 1);
    });
}

#[test]
fn vwire_deletes_a_device_as_it_is() {
    lab(|net| {
        net.arrange(&["tuntap add t0 mode tap multi_queue vnet_hdr", "tuntap add t1 mode tun pi"]);
        let said = net.vwire(&words("tuntap del t0 mode tun")).fails(1);
        let wanted = "error: cannot delete `t0`: it is a tap, not a tun\n\
                      hint: `t0` is a tap with multi_queue, vnet_hdr, persist; `vwire tuntap del t0` takes it as it is\n";
        assert_eq!(said, wanted);
        let said = net.vwire(&words("tuntap del t1 multi_queue")).fails(1);
        assert!(said.contains("it has a single queue: it was made without `multi_queue`"), "{said}");
        net.vwire(&words("tuntap del t0")).ok();
        net.vwire(&words("tuntap del t1 mode tun")).ok();
        let said = net.vwire(&words("tuntap del lo")).fails(1);
        assert!(said.contains("it is neither a tun nor a tap"), "{said}");
        assert_eq!(net.ip(&["tuntap"]).ok(), "");
    });
}

#[test]
fn who_is_busy_is_named() {
    lab(|net| {
        // `ip` takes devices of the same name in other namespaces for this one: the names are rare ones.
        net.arrange(&["tuntap add busy-a mode tap", "tuntap add busy-b mode tap multi_queue"]);
        let held = [hold("busy-a", Flags::NONE), hold("busy-b", Flags::MULTI_QUEUE)];
        let comm = std::fs::read_to_string("/proc/self/comm").unwrap();
        let holder = format!("pid {} ({})", std::process::id(), comm.trim_end());
        // What another test has just forked holds the queues too, until it runs its program: hence `until`.
        until("the holder is named alone", || {
            let said = net.vwire(&words("tuntap del busy-a")).fails(1);
            (said.contains("Device or resource busy") && said.contains(&format!("hint: held by {holder}\n")))
                .then_some(())
        });
        let said = net.vwire(&words("tuntap add busy-a mode tap")).fails(1);
        assert!(
            said.contains("cannot make the tap `busy-a`: Device or resource busy: there is a device of that name"),
            "{said}"
        );
        assert!(said.contains("it is a tap with persist") && said.contains(&holder), "{said}");
        let said = net.vwire(&words("tuntap del busy-b"));
        assert_eq!(said.exit, 0);
        assert!(
            said.stderr.starts_with("hint: `busy-b` goes when pid ") && said.stderr.contains(&holder),
            "{}",
            said.stderr
        );
        let processes = format!("\tAttached to processes:{}({})", comm.trim_end(), std::process::id());
        let wanted = format!("busy-a: tap persist\n{processes}\nbusy-b: tap multi_queue\n{processes}\n");
        until("the holder is listed alone", || (net.vwire(&words("-d tuntap")).ok() == wanted).then_some(()));
        until("ip lists the same", || (net.ip(&words("-d tuntap")).stdout == wanted).then_some(()));
        let both = format!("{{\"name\":\"{}\",\"pid\":{}}}", comm.trim_end(), std::process::id());
        let wanted = format!("\"processes\":[{both}]");
        until("JSON has the same", || net.vwire(&words("-j -d tuntap")).ok().contains(&wanted).then_some(()));
        drop(held);
        until("the device is gone", || (net.ip(&["tuntap"]).ok() == "busy-a: tap persist\n").then_some(()));
    });
}

#[test]
fn deleting_leaves_the_settings_of_who_holds_the_device() {
    lab(|net| {
        net.arrange(&["tuntap add t0 mode tap multi_queue vnet_hdr"]);
        let held = hold("t0", Flags::MULTI_QUEUE | Flags::VNET_HDR);
        held.set_vnet_header_size(20).unwrap();
        net.vwire(&words("tuntap del t0"));
        assert_eq!(held.vnet_header_size().unwrap(), 20);
        assert!(held.status().unwrap().flags.contains(Flags::VNET_HDR));
    });
}

#[test]
fn devices_are_listed_where_sys_is_another_namespaces() {
    lab(|net| {
        net.arrange(&["tuntap add other mode tap"]);
        let vwire = env!("CARGO_BIN_EXE_vwire");
        let line = format!("{vwire} tuntap add t0 mode tap multi_queue user 7 && {vwire} tuntap && {vwire} -j tuntap");
        let said = net.run(net.command("unshare", &["-n", "bash", "-c", &line])).ok();
        let wanted = "t0: tap multi_queue persist user 7\n\
                      [{\"ifname\":\"t0\",\"flags\":[\"tap\",\"multi_queue\",\"persist\"],\"user\":7}]\n";
        assert_eq!(said, wanted);
    });
}

#[test]
fn flags_that_only_sys_has_are_shown() {
    lab(|net| {
        let _held = Builder::tap(name("t0")).flags(Flags::NAPI | Flags::ONE_QUEUE).create().unwrap();
        assert_eq!(net.vwire(&["tuntap"]).ok(), "t0: tap one_queue 0x10\n");
        net.same_of_newer(&["tuntap"]);
        net.same_of_newer(&["-j", "tuntap"]);
    });
}

#[test]
fn a_name_that_the_kernel_chose_is_told() {
    lab(|net| {
        let said = net.vwire(&words("tuntap add mode tap"));
        assert_eq!((said.exit, said.stdout.as_str(), said.stderr.as_str()), (0, "", "made `tap0`\n"));
        let said = net.vwire(&words("tuntap add uplink%d mode tun"));
        assert_eq!(said.stderr, "made `uplink0`\n");
        assert_eq!(net.vwire(&words("tuntap add t7 mode tun")).stderr, "");
    });
}
