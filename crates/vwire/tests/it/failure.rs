//! What is told of a failure: in words for people, with `-j` as an object a line for programs.

use crate::json::Json;
use crate::lab::{Lab, Who, lab};

/// Runs vwire, which must fail, and reads the objects that it writes to standard error.
#[track_caller]
fn failures(net: &Lab, words: &[&str]) -> Vec<Json> {
    let said = net.vwire(words);
    assert_ne!(said.exit, 0, "{words:?}");
    let read = |line: &str| Json::parse(line.as_bytes()).unwrap_or_else(|error| panic!("{words:?}: {error}"));
    said.stderr.lines().map(read).collect()
}

#[track_caller]
fn failure(net: &Lab, line: &str) -> Json {
    let mut all = failures(net, &line.split(' ').collect::<Vec<_>>());
    assert_eq!(all.len(), 1, "{line}: {all:?}");
    all.remove(0)
}

#[test]
fn a_refusal_of_the_kernel_is_told_in_parts() {
    lab(|net| {
        let said = failure(net, "-j link add a_name_that_is_too_long type dummy");
        assert_eq!(said.get("object").text(), "link");
        assert_eq!(said.get("operation").text(), "add");
        assert_eq!(said.get("command").elements().len(), 5);
        assert_eq!(*said.get("errno"), Json::Number("34".to_owned()));
        assert_eq!(said.get("error").text(), "ERANGE");
        assert_eq!(said.get("request").text(), "RTM_NEWLINK");
        assert_eq!(said.get("kernel").text(), "Attribute failed policy validation");
        assert_eq!(said.get("attribute").text(), "IFLA_IFNAME");
        assert_eq!(said.get("allowed").text(), "at most 15 bytes are allowed");
        assert_eq!(said.get("tried").text(), "cannot add link `a_name_that_is_too_long`");
        assert!(!said.get("hints").elements().is_empty());
        assert_eq!(*said.get("exit"), Json::Number("2".to_owned()));
    });
}

#[test]
fn each_object_names_itself_and_what_was_done() {
    let lines = [
        ("-j a a 10.0.0.1/8 dev nosuch", "address", "add", Some("ENODEV")),
        ("-j a chg zz dev lo", "address", "change", None),
        ("-j r d 10.0.0.0/8", "route", "delete", Some("ESRCH")),
        ("-j ru d pref 77", "rule", "delete", Some("ENOENT")),
        ("-j n lst dev nosuch", "neighbor", "show", Some("ENODEV")),
        ("-j l set lo mtu x", "link", "set", None),
        ("-j nexthop del id 77", "nexthop", "delete", Some("ENOENT")),
        ("-j tuntap add tun1 mode nosuch", "tuntap", "add", None),
        ("-j netns del nosuch", "netns", "delete", Some("ENOENT")),
        ("-j maddr add 33:33:00:00:00:01 dev nosuch", "maddress", "add", Some("ENODEV")),
        ("-j mo nosuch", "monitor", "monitor", None),
    ];
    lab(|net| {
        for (line, object, operation, error) in lines {
            let said = failure(net, line);
            assert_eq!(said.get("object").text(), object, "{line}");
            assert_eq!(said.get("operation").text(), operation, "{line}");
            match error {
                Some(error) => assert_eq!(said.get("error").text(), error, "{line}"),
                None => assert_eq!(*said.get("error"), Json::Null, "{line}"),
            }
        }
    });
}

#[test]
fn what_is_wrong_before_the_command_is_told_alike() {
    lab(|net| {
        for line in ["-j -nosuch link", "-j nosuch", "-j -n nosuch link", "-j -b /nosuch", "-j link help"] {
            let said = failure(net, line);
            assert!(!said.get("cause").text().is_empty(), "{line}");
        }
    });
}

#[test]
fn a_batch_says_which_line() {
    lab(|net| {
        std::fs::write("/run/batch", "link show lo\nlink set nosuch up\nroute add nosuch\nlink set lo mtu x\n")
            .unwrap();
        let said = failures(net, &["-j", "-force", "-b", "/run/batch"]);
        let lines: Vec<&Json> = said.iter().map(|failure| failure.get("line")).collect();
        let number = |line: &str| Json::Number(line.to_owned());
        assert_eq!(lines, [&number("2"), &number("3"), &number("4")]);
        assert_eq!(said[0].get("file").text(), "/run/batch");
    });
}

#[test]
fn a_word_that_is_no_text_comes_back_as_it_was() {
    use std::os::unix::ffi::OsStrExt;
    lab(|net| {
        let mut command = net.command_of(Who::Vwire, &["-j", "link", "set"]);
        command.arg(std::ffi::OsStr::from_bytes(b"a\xff\n")).arg("up");
        let output = command.output().unwrap();
        let said = Json::parse(&output.stderr).unwrap();
        assert_eq!(said.get("command").elements()[2], Json::String(b"a\xff\n".to_vec()));
    });
}

#[test]
fn linked_as_ip_failures_are_words_with_json_too() {
    lab(|net| {
        net.same(&["-j", "link", "set", "nosuch", "up"]);
        net.same(&["-j", "link", "set", "lo", "mtu", "x"]);
        net.same(&["-j", "route", "del", "10.0.0.0/8"]);
    });
}

#[test]
fn words_that_do_not_fit_are_told_with_what_would() {
    let lines = [
        ("addr add 10.0.0.1/24 dev v0 scope foo", 255, "hint: a scope is global, site, link, host"),
        ("addr show scope foo", 255, "hint: a scope is global, site, link, host"),
        ("addr add 10.0.0.1/24 dev v0 proto foo", 255, "hint: it is a number up to 255"),
        ("addr add 10.0.0.1/24 dev v0 valid_lft x", 255, "hint: it is a number of seconds, or `forever`"),
        ("addr add 10.0.0.1/24 dev v0 metric x", 255, "hint: it is a number\n"),
        ("addr flush dev nosuch", 1, "error: cannot flush the addresses of `nosuch`: there is no device"),
        ("link add all type veth", 2, "hint: `all` is no name for a device: /proc/sys/net/ipv4/conf/all"),
        ("link add v5 type veth peer name default", 2, "hint: `default` is no name for a device"),
        ("link add x type nosuch", 2, "hint: this kernel has no driver `nosuch`; it has: "),
        ("link add a234567890123456 type veth", 2, "hint: `a234567890123456` is 16 bytes, 15 is the limit"),
        ("route add 10.9.0.0/16 via 10.77.0.1", 2, "hint: connected are 10.3.0.0/24 on `v0`"),
        ("tuntap add tap9 mode tap vnet_hdr", 1, "hint: it is a tap with multi_queue, persist"),
        ("tuntap del nosuch", 1, "there is no device `nosuch`"),
    ];
    lab(|net| {
        net.arrange(&[
            "link add v0 type veth peer name v1",
            "link set v0 up",
            "addr add 10.3.0.1/24 dev v0",
            "tuntap add tap9 mode tap multi_queue",
        ]);
        for (line, exit, wanted) in lines {
            let said = net.vwire(&line.split(' ').collect::<Vec<_>>()).fails(exit);
            assert!(said.contains(wanted), "{line}: {said}");
        }
    });
}

/// Failures of every object, and of vwire's own verbs: each is an object on a line, and nothing else is said.
#[test]
fn nothing_but_objects_is_told_where_json_is_asked_for() {
    lab(|net| {
        net.arrange(&["link add v0 type veth peer name v1", "link add br0 type bridge"]);
        let directory = std::env::temp_dir().join(format!("vwire-failures-{}", std::process::id()));
        std::fs::create_dir_all(&directory).unwrap();
        for (file, text) in [
            ("batch", "link set nosuch up\nfoo\nlink set v0 mtu many\n"),
            ("refused", "link set v0 mtu 1400\nroute del 10.99.0.0/16\n"),
            ("bad.toml", "[nodes\n"),
            ("odd.toml", "[nodes.a]\nfoo = 1\n"),
            ("bad.json", "{\n"),
        ] {
            std::fs::write(directory.join(file), text).unwrap();
        }
        let lines = [
            "link add v0 type veth",
            "link add x type nosuch",
            "link set v0 mtu 1400 master v1",
            "link foo",
            "link set v0 up down",
            "link set v0 type nosuch",
            "link property add dev nosuch altname x",
            "addr add 10.0.0.300 dev v0",
            "addr del 10.0.0.1/24 dev v0",
            "addr show dev nosuch",
            "addr add 10.0.0.1/24 dev v0 dev v1",
            "route add 10.9.0.0/16 via 192.168.7.1",
            "route get 99.9.9.9",
            "route show table nosuch",
            "rule del priority 77",
            "rule add",
            "neigh del 10.0.0.7 dev v0",
            "neigh get 10.0.0.7 dev v0",
            "nexthop get id 9",
            "tuntap del nosuch",
            "tuntap add x mode foo",
            "netns add a/b",
            "netns set nosuch 5",
            "netns exec nosuch true",
            "maddress del 33:33:00:00:00:01 dev v0",
            "addrlabel del prefix fd07::/32 label 5",
            "token set ::1 dev nosuch",
            "ntable change name nosuch",
            "netconf show dev nosuch",
            "tunnel del nosuch",
            "monitor foo",
            "bridge fdb add 02:00:00:00:00:01 dev nosuch",
            "bridge link set dev v0 cost 5",
            "bridge vlan add vid 5 dev v0",
            "bridge mdb show dev nosuch",
            "bridge foo",
            "batch DIR/batch",
            "batch DIR/refused",
            "batch DIR/nosuch",
            "-force -batch DIR/batch",
            "-n nosuch link",
            "--plan link set nosuch up",
            "--wait=soon link set v0 up",
            "--wait=0.1 link set v0 up",
            "--wait route add 10.0.0.0/8 dev v0",
            "--if-exists ls",
            "--if-absent link add br0 type veth",
            "--from DIR/bad.json link",
            "--from DIR/bad.json ping",
            "foo",
            "-foo link",
            "xfrm state",
            "ls foo",
            "ls --nosuch",
            "snapshot foo",
            "ping",
            "ping -I nosuch 10.0.0.1",
            "plan DIR/bad.toml",
            "plan DIR/odd.toml",
            "up DIR/nosuch",
            "status nosuch",
            "graph DIR/nosuch",
            "check DIR/nosuch",
            "import nosuch",
            "topo foo",
            "sandbox DIR/nosuch",
        ];
        for line in lines {
            let line = format!("-j {}", line.replace("DIR", directory.to_str().unwrap()));
            let all = failures(net, &line.split(' ').collect::<Vec<_>>());
            assert!(!all.is_empty(), "{line} says nothing");
            let told = |one: &Json| matches!(one.get("cause"), Json::String(cause) if !cause.is_empty());
            assert!(all.iter().any(told), "{line}: {all:?}");
        }
        let toml = format!("-j plan {}", directory.join("bad.toml").display());
        let said = failure(net, &toml);
        assert!(said.get("file").text().ends_with("bad.toml"), "{said:?}");
        assert_eq!(*said.get("line"), Json::Number("1".to_owned()));
        std::fs::remove_dir_all(directory).unwrap();
    });
}
