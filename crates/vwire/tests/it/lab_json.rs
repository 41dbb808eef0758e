//! What the verbs on labs say to programs when they fail: JSON alone, an object a line, with the place in the file.

use std::collections::BTreeMap;

use crate::json::Json;
use crate::lab::{Lab, Said, lab, until};
use crate::lab_up::file;

const PAIR: &str = "nodes = [\"alice\", \"bob\"]\nwires = [\"alice 10.0.0.1/24 -- bob 10.0.0.2/24\"]\n";

/// Runs a verb that fails and returns what it said, each line read.
fn failures(net: &Lab, words: &[&str]) -> (Said, Vec<Json>) {
    let said = net.vwire(&[&["-j"], words].concat());
    assert_ne!(said.exit, 0, "{words:?}: {}", said.stdout);
    let line = |line: &str| Json::parse(line.as_bytes()).unwrap_or_else(|error| panic!("{words:?}: {error}: {line}"));
    let lines: Vec<Json> = said.stderr.lines().map(line).collect();
    assert!(!lines.is_empty(), "{words:?} says nothing");
    (said, lines)
}

/// Returns the one failure that a verb tells of.
fn failure(net: &Lab, words: &[&str]) -> Json {
    let (said, mut lines) = failures(net, words);
    assert_eq!(lines.len(), 1, "{words:?}: {}", said.stderr);
    let line = lines.remove(0);
    assert_eq!(line.get("exit"), &Json::Number(said.exit.to_string()), "{words:?}");
    assert_eq!(line.get("command").elements().iter().map(Json::text).collect::<Vec<_>>(), words, "{words:?}");
    assert_eq!(line.get("operation").text(), words[0]);
    line
}

fn number(number: usize) -> Json {
    Json::Number(number.to_string())
}

#[test]
fn mistakes_of_a_file_are_told_with_line_and_column_by_each_verb_that_reads_it() {
    lab(|net| {
        let path = file("bad.toml", "nodes = [\"a\"]\nnmae = \"x\"\n[node.a]\nforwarding = 1\n");
        for verb in ["up", "plan", "status", "check", "try", "down", "graph", "confirm"] {
            let (said, lines) = failures(net, &[verb, &path]);
            assert_eq!((said.exit, lines.len(), said.stdout.as_str()), (1, 2, ""), "{verb}: {}", said.stderr);
            let told = |name| lines.iter().map(|line| line.get(name).clone()).collect::<Vec<_>>();
            assert_eq!(told("line"), [number(2), number(4)], "{verb}");
            assert_eq!(told("column"), [number(1), number(14)], "{verb}");
            assert_eq!(lines[0].get("file").text(), path);
            assert_eq!(lines[0].get("cause").text(), "unknown key `nmae` at the top of the file");
            assert_eq!(lines[0].get("hints").elements()[0].text(), "did you mean `name`?");
            assert_eq!((lines[0].get("changed"), lines[0].get("severity").text()), (&Json::Bool(false), "error"));
        }
        let (_, lines) = failures(net, &["exec", "-f", &path, "a", "--", "true"]);
        assert_eq!(lines.len(), 2);
    });
}

#[test]
fn a_refusal_of_the_kernel_is_told_with_its_number_and_what_became_of_the_machine() {
    lab(|net| {
        // A device that is there already, and a route that leads nowhere in the kernel's eyes.
        net.arrange(&["link add vwx type bridge"]);
        let path = file("clash.toml", &PAIR.replace("bob 10.0.0.2/24", "host:vwx 10.0.0.2/24"));
        let told = failure(net, &["up", &path]);
        assert_eq!((told.get("line"), told.get("changed")), (&number(2), &Json::Bool(false)));
        let long =
            file("far.toml", &format!("{PAIR}[node.alice]\nsysctl = {{ \"net.ipv4.conf.nothing.rp_filter\" = 1 }}\n"));
        let told = failure(net, &["up", &long]);
        assert_eq!((told.get("errno"), told.get("error").text()), (&number(2), "ENOENT"));
        assert_eq!(told.get("file").text(), long);
        let text = format!("{PAIR}[node.alice]\nroutes = [\"10.9.0.0/16 via 10.0.0.2 src 10.3.3.3\"]\n");
        let told = failure(net, &["up", &file("source.toml", &text)]);
        assert_eq!((told.get("error").text(), told.get("request").text()), ("EINVAL", "RTM_NEWROUTE"));
        assert_eq!(told.get("kernel").text(), "Invalid prefsrc address");
        assert!(told.get("tried").text().contains("route append 10.9.0.0/16 via 10.0.0.2"), "{told:?}");
        assert_eq!(told.get("left").elements(), []);
    });
}

#[test]
fn what_is_not_there_or_not_allowed_is_told_by_each_verb() {
    lab(|net| {
        let words: [&[&str]; 9] = [
            &["status", "nolab"],
            &["check", "nolab"],
            &["graph", "-l", "nolab"],
            &["confirm", "nolab"],
            &["confirm"],
            &["exec", "node", "--", "true"],
            &["import", "nonamespace"],
            &["up", "/run/no-such-file.toml"],
            &["topo", "ring", "--nodes", "1"],
        ];
        let causes: BTreeMap<String, String> =
            words.iter().map(|words| (words.join(" "), failure(net, words).get("cause").text().to_owned())).collect();
        assert_eq!(causes["status nolab"], "lab `nolab` is not up");
        assert_eq!(causes["exec node -- true"], "no lab is up");
        assert_eq!(causes["up /run/no-such-file.toml"], "No such file or directory");
        let path = file("pair.toml", PAIR);
        net.vwire(&["up", &path]).ok();
        let told = failure(net, &["exec", "nobody", "--", "true"]);
        assert_eq!((told.get("exit"), told.get("cause").text()), (&number(126), "lab `pair` has no node `nobody`"));
        let told = failure(net, &["exec", "alice", "--", "/no/program"]);
        assert_eq!((told.get("exit"), told.get("error").text()), (&number(126), "ENOENT"));
        let runs = file("runs.toml", &format!("{PAIR}[node.alice]\nrun = [\"exit 7\"]\n"));
        let told = failure(net, &["up", &runs]);
        assert_eq!((told.get("line"), told.get("changed")), (&number(4), &Json::Bool(false)));
    });
}

#[test]
fn a_wrong_command_line_is_told_with_its_usage() {
    lab(|net| {
        let (said, lines) = failures(net, &["up"]);
        assert_eq!((said.exit, lines.len()), (2, 1), "{}", said.stderr);
        assert!(lines[0].get("cause").text().contains("<FILE>"), "{}", said.stderr);
        assert!(lines[0].get("hints").elements()[0].text().starts_with("Usage: vwire up"), "{}", said.stderr);
        let said = net.vwire(&["plan", "-j"]);
        assert_eq!(said.exit, 2);
        Json::parse(said.stderr.as_bytes()).unwrap();
    });
}

#[test]
fn what_is_no_failure_is_a_message_and_who_waits_says_so() {
    lab(|net| {
        let path = file("pair.toml", PAIR);
        let said = net.vwire(&["-j", "down", &path]);
        assert_eq!((said.exit, said.stderr.as_str()), (0, "{\"message\":\"there is nothing of lab `pair`\"}\n"));
        let slow = file(
            "pair.toml",
            &format!("{PAIR}[node.alice]\nrun = [\"while ! test -e /run/go; do sleep 0.05; done\"]\n"),
        );
        let mut first = net.command_of(crate::lab::Who::Vwire, &["up", &slow]).spawn().unwrap();
        until("the first holds the lock", || {
            std::path::Path::new("/run/vwire/labs/pair/journal").exists().then_some(())
        });
        let mut second = net.command_of(crate::lab::Who::Vwire, &["-j", "down", "pair"]);
        let second = second.stderr(std::process::Stdio::piped()).spawn().unwrap();
        let waits = until_line(second, || std::fs::write("/run/go", "").unwrap());
        assert!(first.wait().unwrap().success());
        assert!(waits.get("message").text().starts_with("waiting for process "), "{waits:?}");
    });
}

/// Reads the first line that a program says, does something, and waits for its end.
fn until_line(mut child: std::process::Child, then: impl FnOnce()) -> Json {
    use std::io::BufRead;
    let mut line = String::new();
    std::io::BufReader::new(child.stderr.take().unwrap()).read_line(&mut line).unwrap();
    then();
    assert!(child.wait().unwrap().success());
    Json::parse(line.trim_end().as_bytes()).unwrap()
}

#[test]
fn a_warning_of_a_file_is_told_as_one_and_stands_in_nobodys_way() {
    lab(|net| {
        let path = file(
            "odd.toml",
            "nodes = [\"alice\", \"bob\"]\nwires = [\"alice 10.0.0.1/24 -- lan\", \"bob 10.0.0.2/24 -- lam\"]\n",
        );
        let said = net.vwire(&["-j", "plan", &path]);
        assert_eq!(said.exit, 3, "{}", said.stderr);
        let lines: Vec<Json> = said.stderr.lines().map(|line| Json::parse(line.as_bytes()).unwrap()).collect();
        assert!(!lines.is_empty());
        for line in lines {
            assert_eq!((line.get("severity").text(), line.get("exit")), ("warning", &number(0)));
        }
    });
}
