//! `netns`: the same names, words and exit codes as `ip netns`, and both tools side by side.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::Command;

use nix::fcntl::{Flock, FlockArg};
use vwire::lab::namespace::{DIRECTORY, Identity, Name, Namespace, find, named, run_in};

use crate::lab::{Who, alike, alike_after, lab, until};

/// The lines of the mount table for a mount point; those of the machine itself lie hidden below the lab's.
fn mounts_of(directory: &str) -> Vec<String> {
    let table = fs::read_to_string("/proc/thread-self/mountinfo").unwrap();
    table.lines().filter(|line| line.split(' ').nth(4) == Some(directory)).map(str::to_owned).collect()
}

fn names() -> Vec<String> {
    let mut names: Vec<String> = named::names().unwrap_or_default().iter().map(ToString::to_string).collect();
    names.sort();
    names
}

#[test]
fn names_come_and_go_in_the_judges_words() {
    alike(&[
        "netns",
        "netns add blue",
        "netns add red",
        "netns",
        "netns list",
        "netns show",
        "netns lst x y",
        "netns l",
    ]);
    alike(&["-j netns", "netns add blue", "-j netns", "-j -p netns", "netns add red", "-j netns", "-o netns"]);
    alike(&[
        "netns add blue",
        "netns add blue",
        "netns del blue",
        "netns del blue",
        "netns",
        "-j netns",
        "-j -p netns",
    ]);
    alike(&["netns add 'a b'", "netns add -x", "netns a ...", "netns", "netns delete 'a b' -x", "netns"]);
    alike(&["netns add blue", "netns add red", "-all netns del", "netns", "-a netns del blue", "-all netns del"]);
}

#[test]
fn wrong_words_are_refused_in_the_judges_words() {
    alike(&["netns add", "netns del", "netns exec", "netns exec blue", "netns pids", "netns attach", "netns attach a"]);
    alike(&["netns add ../x", "netns add .", "netns del ..", "netns exec /proc/1/ns/net true", "netns foo a/b"]);
    alike(&["netns add ''", "netns foo", "netns identify x", "netns identify 1 2", "netns pids a b", "netns help"]);
    alike(&["netns attach a 0", "netns attach a 0x", "netns attach a -5", "netns attach a 2147483647", "netns"]);
    alike(&["netns pids nosuch", "netns identify 2147483647", "netns exec nosuch true", "-all netns exec"]);
    let long = "n".repeat(256);
    alike(&[&format!("netns add {long}"), &format!("netns add {}", &long[1..]), "netns"]);
}

#[test]
fn ids_are_given_and_told_in_the_judges_words() {
    let two = ["netns add blue", "netns add red"];
    alike_after(&two, &["netns list-id", "-j netns list-id", "-j -p netns list-id", "netns set blue", "netns set"]);
    alike_after(
        &two,
        &[
            "netns set blue auto",
            "netns set blue 4",
            "netns set red 0",
            "netns set red 0x7",
            "netns",
            "-j netns",
            "-j -p netns list",
            "netns list-id",
            "-j netns list-id",
            "-j -p netns list-id",
            "netns list-id nsid 7",
            "-j netns list-id nsid 7",
            "netns list-id nsid 9",
            "netns list-id target-nsid 9",
            "-j netns list-id target-nsid 9",
            "-n blue netns set red 3",
            "-n blue netns set blue 5",
            "netns list-id target-nsid 0",
            "-j netns list-id target-nsid 0",
            "netns list-id target-nsid 0 nsid 3",
        ],
    );
    alike_after(
        &two,
        &[
            "netns set blue x",
            "netns set blue -4",
            "netns set blue 2147483648",
            "netns list-id nsid",
            "netns list-id nsid x",
            "netns list-id nsid -4",
            "netns list-id target-nsid -4 nsid",
            "netns list-id nsid 3 nsid 4",
            "netns list-id target-nsid 3 target-nsid 4",
            "netns list-id foo",
            "netns list-i",
        ],
    );
}

#[test]
fn links_tell_the_name_of_the_namespace_behind_them() {
    let pair = "link add v0 index 9 type veth peer name v1 index 8 netns blue";
    alike_after(&["netns add blue", pair], &["-o link show v0", "-j link show v0", "netns"]);
}

#[test]
fn names_without_a_namespace_are_told_beside_the_list() {
    lab(|net| {
        net.arrange(&["netns add blue"]);
        fs::write("/run/netns/half", "").unwrap();
        net.same(&["netns"]);
        net.same(&["-j", "netns"]);
        net.same(&["netns", "list-id"]);
        net.same(&["netns", "set", "half", "4"]);
        let said = net.vwire(&["netns"]);
        let hint = "hint: nothing is bound to /run/netns/half; `vwire netns delete half` removes the file\n";
        assert!(said.exit == 0 && said.stderr.ends_with(hint), "{}", said.stderr);
    });
}

#[test]
fn an_id_for_nobody_is_refused() {
    lab(|net| {
        net.arrange(&["netns add blue"]);
        // 6.1 says what vwire says otherwise; later ones fail without a word.
        net.same_of_newer(&["netns", "set", "bleu", "5"]);
        let said = net.vwire(&["netns", "set", "bleu", "5"]).fails(1);
        assert!(said.ends_with("No such file or directory\nhint: did you mean `blue`?\n"), "{said}");
    });
}

#[test]
fn a_program_inside_gives_its_own_exit_code() {
    alike_after(
        &["netns add blue"],
        &[
            "netns exec blue true",
            "netns exec blue sh -c 'exit 7'",
            "netns exec blue sh -c 'echo out; echo err >&2; exit 255'",
            "netns exec blue nosuchprogram",
            "netns exec blue /etc",
            "netns e blue true",
            "netns exec blue ls /sys/class/net",
            "netns exec blue ip -o link show",
        ],
    );
    alike(&[
        "-all netns exec true",
        "netns add blue",
        "-all netns exec sh -c 'echo in; exit 3'",
        "-all netns exec nosuch",
    ]);
}

#[test]
fn a_program_inside_is_ended_by_its_signal() {
    lab(|net| {
        net.vwire(&["netns", "add", "blue"]).ok();
        let kill = ["netns", "exec", "blue", "sh", "-c", "kill -9 $$"];
        assert_eq!(net.vwire(&kill).exit, -1, "not an exit code: the signal itself");
    });
}

#[test]
fn a_batch_goes_on_behind_a_program() {
    lab(|net| {
        let lines =
            "netns add blue\nnetns exec blue sh -c 'ls /sys/class/net'\nnetns exec blue sh -c 'exit 3'\nnetns\n";
        let batch = "/run/batch";
        fs::write(batch, lines).unwrap();
        for words in [&["-b", batch][..], &["-force", "-b", batch]] {
            let ours = net.vwire_as_ip(words);
            net.ip(&["netns", "del", "blue"]).ok();
            let theirs = net.ip(words);
            net.ip(&["netns", "del", "blue"]).ok();
            assert_eq!(ours, theirs);
        }
    });
}

#[test]
fn both_tools_see_and_remove_each_others_names() {
    lab(|net| {
        net.vwire(&["netns", "add", "ours"]).ok();
        net.ip(&["netns", "add", "theirs"]).ok();
        net.same(&["netns"]);
        assert_eq!(net.ip(&["netns", "exec", "ours", "echo", "in"]).ok(), "in\n");
        assert_eq!(net.vwire(&["netns", "exec", "theirs", "echo", "in"]).ok(), "in\n");
        net.ip(&["netns", "del", "ours"]).ok();
        net.vwire(&["netns", "del", "theirs"]).ok();
        assert_eq!(names(), [""; 0]);
    });
}

#[test]
fn the_directory_is_shared_once_whoever_comes_first() {
    lab(|net| {
        let hidden = mounts_of(DIRECTORY).len();
        // While the test holds the lock all eight must wait for it; then they are let go at once.
        let lock = Flock::lock(fs::File::open(DIRECTORY).unwrap(), FlockArg::LockExclusive).unwrap();
        let commands = ["first-1", "first-2", "first-3", "first-4", "first-5", "first-6", "first-7", "first-8"];
        let mut children = commands.map(|name| {
            let who = if name < "first-7" { Who::Vwire } else { Who::Ip };
            net.command_of(who, &["netns", "add", name]).spawn().unwrap()
        });
        let waiter = format!(":{} 0 EOF", fs::metadata(DIRECTORY).unwrap().ino());
        until("eight wait for the lock", || {
            let locks = fs::read_to_string("/proc/locks").unwrap();
            let waiters = locks.lines().filter(|line| line.contains("-> FLOCK") && line.ends_with(&waiter));
            (waiters.count() == 8).then_some(())
        });
        assert_eq!(mounts_of(DIRECTORY).len(), hidden);
        drop(lock);
        for child in &mut children {
            assert!(child.wait().unwrap().success());
        }
        assert_eq!(names().len(), 8);
        let mounts = mounts_of(DIRECTORY);
        assert_eq!(mounts.len() - hidden, 1, "{mounts:#?}");
        assert!(mounts[hidden].contains(" shared:"), "{mounts:#?}");
        for name in names() {
            assert_eq!(mounts_of(&format!("{DIRECTORY}/{name}")).len(), 1, "{name}");
        }
    });
}

#[test]
fn a_name_that_fails_halfway_is_taken_back() {
    lab(|net| {
        fs::write("/run/plain", "").unwrap();
        let name = Name::parse(b"blue").unwrap();
        named::attach(&name, Path::new("/run/nosuch")).unwrap_err();
        assert_eq!(names(), [""; 0]);
        fs::create_dir_all("/run/netns").unwrap();
        fs::write("/run/netns/half", "").unwrap();
        assert!(named::is_leftover(&Name::parse(b"half").unwrap()));
        let said = net.vwire(&["netns", "add", "half"]).fails(1);
        assert!(said.contains("File exists") && said.contains("`vwire netns delete half` removes it"), "{said}");
        net.same(&["netns", "exec", "half", "true"]);
        let said = net.vwire(&["netns", "exec", "half", "true"]).fails(255);
        assert!(said.contains("nothing is bound to /run/netns/half"), "{said}");
        net.vwire(&["netns", "del", "half"]).ok();
    });
}

#[test]
fn processes_are_told_and_identified() {
    lab(|net| {
        net.arrange(&["netns add blue", "netns add twin"]);
        net.same(&["netns", "pids", "blue"]);
        let program = ["netns", "exec", "blue", "sh", "-c", "echo up; exec tail -f /dev/null"];
        let mut waiter = net.start(net.command_of(Who::Vwire, &program));
        assert_eq!(waiter.line(), "up");
        let pid = waiter.child.id().to_string();
        assert_eq!(net.vwire(&["netns", "pids", "blue"]).ok(), format!("{pid}\n"));
        net.same(&["netns", "pids", "blue"]);
        net.same(&["-j", "netns", "pids", "blue"]);
        net.same(&["netns", "identify", &pid]);
        net.same(&["-j", "netns", "identify", &pid]);
        net.same(&["netns", "identify"]);
        net.vwire(&["netns", "attach", "again", &pid]).ok();
        assert_eq!(Identity::of("/run/netns/again").unwrap(), Identity::of("/run/netns/blue").unwrap());
        net.same(&["netns", "identify", &pid]);
        let seen = find::all();
        let found = seen.namespaces.iter().find(|found| found.names().any(|name| name.to_string() == "blue")).unwrap();
        assert_eq!((found.to_string(), found.names().count(), found.processes), ("again".to_owned(), 2, 1));
    });
}

#[test]
fn changes_are_told_as_they_happen() {
    lab(|net| {
        let mut monitor = net.start(net.command_of(Who::Vwire, &["netns", "monitor"]));
        let pid = monitor.child.id();
        until("the monitor watches", || {
            let files = fs::read_dir(format!("/proc/{pid}/fdinfo")).ok()?;
            let mut texts = files.flatten().filter_map(|file| fs::read_to_string(file.path()).ok());
            texts.any(|text| text.contains("inotify wd:")).then_some(())
        });
        net.ip(&["netns", "add", "blue"]).ok();
        net.vwire(&["netns", "del", "blue"]).ok();
        assert_eq!(monitor.line(), "add blue");
        assert_eq!(monitor.line(), "delete blue");
    });
}

#[test]
fn files_of_a_name_lie_over_etc() {
    lab(|net| {
        // An /etc of the lab's own: what is laid over a file of the machine would not show there,
        // but the file of the name must be made somewhere.
        net.run(net.command("mount", &["-t", "tmpfs", "tmpfs", "/etc"])).ok();
        fs::create_dir_all("/etc/netns/blue").unwrap();
        fs::write("/etc/netns/blue/resolv.conf", "nameserver 192.0.2.1\n").unwrap();
        fs::write("/etc/netns/blue/nosuch.conf", "").unwrap();
        fs::write("/etc/resolv.conf", "nameserver 192.0.2.9\n").unwrap();
        net.vwire(&["netns", "add", "blue"]).ok();
        let said = net.vwire(&["netns", "exec", "blue", "cat", "/etc/resolv.conf"]);
        assert_eq!((said.stdout.as_str(), said.exit), ("nameserver 192.0.2.1\n", 0));
        assert!(said.stderr.contains("hint: create an empty /etc/nosuch.conf for it to lie over"), "{}", said.stderr);
        net.same(&["netns", "exec", "blue", "cat", "/etc/resolv.conf"]);
        assert_eq!(fs::read_to_string("/etc/resolv.conf").unwrap(), "nameserver 192.0.2.9\n");
    });
}

#[test]
fn errors_of_vwire_teach() {
    lab(|net| {
        let said = net.vwire(&["netns", "exec", "blue", "true"]).fails(255);
        assert!(said.contains("hint: no namespace has a name yet; `vwire netns add blue` makes this one"), "{said}");
        net.vwire(&["netns", "add", "blue"]).ok();
        let said = net.vwire(&["netns", "exec", "bleu", "true"]).fails(255);
        assert_eq!(
            said,
            "error: cannot open network namespace `bleu`: No such file or directory\nhint: did you mean `blue`?\n"
        );
        let mut command = Command::new("setpriv");
        command.args(["--bounding-set=-sys_admin", "--inh-caps=-sys_admin", env!("CARGO_BIN_EXE_vwire")]);
        command.args(["netns", "add", "red"]);
        let said = net.run(command).fails(1);
        assert!(said.contains("CAP_SYS_ADMIN, which this process lacks"), "{said}");
    });
}

#[test]
fn a_thread_that_visits_leaves_the_caller_where_it_was() {
    lab(|_| {
        let here = Namespace::current().unwrap().identity();
        let other = Namespace::create().unwrap();
        let inside = run_in(&other, || Namespace::current().unwrap().identity()).unwrap();
        assert_eq!(inside, other.identity());
        assert_ne!(inside, here);
        assert_eq!(Namespace::current().unwrap().identity(), here);
        assert!(run_in(&Namespace::open("/dev/null").unwrap(), || ()).is_err());
    });
}
