//! Batches, options before the object and names of the program, held against `ip`'s.

use std::io::Write as _;
use std::process::Stdio;

use crate::json::Json;
use crate::lab::{Who, judge, lab};
use crate::recorded;

#[test]
fn a_batch_ends_as_ips_does_wherever_it_breaks() {
    let too_many = |count: usize| format!("link show lo\nlink {}\n", "a ".repeat(count));
    let batches = [
        "link show lo\nlink show nosuch\nlink show lo\n".to_owned(),
        "link show lo\nlink show \"lo\nlink show lo\n".to_owned(),
        "link show lo\nlink show lo \\\n".to_owned(),
        "link show lo\\\n".to_owned(),
        "link \\\nshow \\\nlo".to_owned(),
        "link show lo\0 nonsense\nlink show lo # \\\nlink foo\nlink show lo\n".to_owned(),
        too_many(511),
        too_many(600),
        "\n\n# nothing\n".to_owned(),
    ];
    lab(|net| {
        for batch in &batches {
            std::fs::write("/run/batch", batch).unwrap();
            net.same(&["-b", "/run/batch"]);
            net.same(&["-force", "-b", "/run/batch"]);
        }
        net.same(&["-b", "/run/nosuch"]);
    });
}

#[test]
fn each_command_of_a_batch_is_done_before_the_next_is_written() {
    lab(|net| {
        let mut command = net.command_of(Who::VwireAsIp, &["-o", "-b", "-"]);
        command.stdin(Stdio::piped());
        let mut batch = net.start(command);
        let mut pipe = batch.child.stdin.take().unwrap();
        for name in ["v0", "v1"] {
            writeln!(pipe, "link add {name} type veth peer name {name}p\nlink show {name}").unwrap();
            let line = batch.line();
            assert!(line.contains(&format!(" {name}@{name}p: ")), "{line}");
        }
        drop(pipe);
        assert!(batch.child.wait().unwrap().success());
    });
}

#[test]
fn a_batch_of_vwires_prints_one_json_document_with_an_element_a_command() {
    lab(|net| {
        let batch = "link add v0 type veth peer name v1\nlink show v0\nlink show nosuch\n# nothing\n\
                     netns add blue\nnetns exec blue printf %s \"a\\b\"\naddr show dev v0\nneigh show\n";
        std::fs::write("/run/batch", batch).unwrap();
        for layout in [&["-j"][..], &["-j", "-p"]] {
            let said = net.vwire(&[layout, &["-force", "-b", "/run/batch"]].concat());
            let all = Json::parse(said.stdout.as_bytes()).unwrap();
            let [added, shown, failed, named, ran, address, neighbours] = all.elements() else { panic!("{all:?}") };
            assert_eq!([added, failed, named], [&Json::Null; 3]);
            assert_eq!(shown.elements()[0].get("ifname").text(), "v0");
            assert_eq!(ran.text(), "a\\b");
            assert_eq!(address.elements()[0].get("ifname").text(), "v0");
            assert_eq!(*neighbours, Json::Array(Vec::new()));
            net.arrange(&["link del v0", "netns del blue"]);
        }
    });
}

#[test]
fn a_batch_that_ends_early_still_prints_one_json_document() {
    lab(|net| {
        for (batch, elements) in [("", 0), ("link foo\nlink\n", 1), ("link show lo\nlink \"\n", 1), ("link \\\n", 0)] {
            std::fs::write("/run/batch", batch).unwrap();
            let said = net.vwire(&["-j", "-b", "/run/batch"]);
            let document = Json::parse(said.stdout.as_bytes()).unwrap_or_else(|error| panic!("{batch}: {error}"));
            assert_eq!(document.elements().len(), elements, "{batch}");
        }
    });
}

#[test]
fn a_batch_of_ips_prints_a_json_document_a_command() {
    lab(|net| {
        // Behind `link show`, `ip` shows no addresses for the rest of the batch; vwire does.
        std::fs::write("/run/batch", "addr show lo\naddr show nosuch\nlink show lo\n").unwrap();
        net.same(&["-j", "-b", "/run/batch"]);
        net.same(&["-j", "-force", "-b", "/run/batch"]);
    });
}

#[test]
fn options_want_and_take_what_ips_do() {
    lab(|net| {
        let lines = ["-l x link", "-l 3x link", "-l 0 link", "-rc x link", "-f x"];
        // 6.1 answers these with its usage.
        let newer = ["-f", "-family", "-rc", "-l", "-b", "-n"];
        for line in lines {
            net.same(&line.split(' ').collect::<Vec<_>>());
        }
        for line in newer {
            net.same_of_newer(&[line]);
        }
    });
}

#[test]
fn colour_that_is_asked_for_comes_and_the_ground_chooses_it() {
    lab(|net| {
        let grounds = ["", ";", "x", "0", "15;0", "0;15", "0;7", "0;8", "0;16", "0;default", "0;default;15", "0;00"];
        for (variable, value) in grounds.iter().map(|ground| ("COLORFGBG", *ground)).chain([("NO_COLOR", "1")]) {
            let said = |who| {
                let mut command = net.command_of(who, &["-c", "link", "show", "lo"]);
                command.env(variable, value);
                net.run(command)
            };
            let ours = said(Who::VwireAsIp);
            assert!(ours.stdout.contains('\x1b'), "{variable}={value}");
            let told = |said| format!("{variable}={value}: {said:?}");
            recorded::hold_of_newer(&told(ours), || Some(told(said(Who::Ip))));
        }
    });
}

#[test]
fn a_name_that_stands_for_no_object_is_ips_own() {
    lab(|net| {
        let path = net.run(net.command("sh", &["-c", "command -v \"$0\"", &judge().path])).ok();
        std::fs::create_dir("/run/judge").unwrap();
        for name in ["ip-next", "ipfoo", "iplink", "ipl", "ipaddr"] {
            let ours = format!("/run/{name}");
            std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_vwire"), &ours).unwrap();
            let theirs = format!("/run/judge/{name}");
            std::os::unix::fs::symlink(path.trim_end(), &theirs).unwrap();
            for words in [&["link", "show", "lo"][..], &["-o", "show", "lo"], &["link"]] {
                assert_eq!(
                    net.run(net.command(&ours, words)).exit,
                    net.run(net.command(&theirs, words)).exit,
                    "{name}"
                );
            }
        }
    });
}
