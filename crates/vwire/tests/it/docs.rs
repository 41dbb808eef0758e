//! Holds the documents to what the repository really does: dependencies, links, commands and what those print.
//!
//! The ```` ```console ```` blocks of a document are run from top to bottom in one fresh lab, and must print what the
//! document shows, but for addresses drawn by lot and times. `VWIRE_WRITE_DOCS=1` writes what they print into the
//! document instead.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::lab::{Normal, lab};
use crate::sources::{Source, dependencies, files, paths, top};

/// How long a state that a document shows may take to come about: the kernel tells a carrier within a second.
const PATIENCE: Duration = Duration::from_secs(5);

/// Returns the documents of the repository.
fn documents() -> Vec<(String, String)> {
    let documents: Vec<_> = files().into_iter().filter(|(path, _)| path.ends_with(".md")).collect();
    assert!(documents.len() > 5, "only {} documents were found", documents.len());
    documents
}

fn read(path: &str) -> String {
    fs::read_to_string(top().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

#[test]
fn each_dependency_is_named_in_code() {
    let files = files();
    let mut unused = Vec::new();
    for (path, manifest) in files.iter().filter(|(path, _)| path != "Cargo.toml" && path.ends_with("Cargo.toml")) {
        let below = path.trim_end_matches("Cargo.toml");
        let sources = files.iter().filter(|(path, _)| path.starts_with(below) && path.ends_with(".rs"));
        let code: Vec<_> = sources.map(|(path, text)| Source::new(path, text)).collect();
        let named: BTreeSet<String> = code
            .iter()
            .flat_map(|source| paths(&source.code))
            .map(|(_, path)| path.split("::").next().unwrap_or_default().replace('_', "-"))
            .collect();
        let stale = dependencies(manifest).into_iter().filter(|name| !named.contains(&name.replace('_', "-")));
        unused.extend(stale.map(|name| format!("{path}: {name}")));
    }
    assert!(unused.is_empty(), "dependencies that no code names:\n{}", unused.join("\n"));
}

#[test]
fn each_dependency_is_accounted_for_and_no_other() {
    let manifests = files().into_iter().filter(|(path, _)| path != "Cargo.toml" && path.ends_with("Cargo.toml"));
    let used: BTreeSet<String> = manifests
        .flat_map(|(_, text)| dependencies(&text))
        .filter(|name| name != "vwire" && !name.starts_with("vwire-"))
        .collect();
    let text = read("docs/dependencies.md");
    let listed: BTreeSet<String> =
        text.lines().filter_map(|line| Some(line.strip_prefix("| `")?.split_once('`')?.0.to_owned())).collect();
    let missing: Vec<_> = used.difference(&listed).collect();
    let stale: Vec<_> = listed.difference(&used).collect();
    assert!(missing.is_empty(), "docs/dependencies.md has no row for {missing:?}");
    assert!(stale.is_empty(), "docs/dependencies.md has rows for what nothing uses: {stale:?}");
}

/// Returns the targets of a document's links, those in code left out.
fn links(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (number, part) in text.split("```").enumerate() {
        let prose: String = part.split('`').step_by(2).collect::<Vec<_>>().join("CODE");
        if number % 2 == 0 {
            let targets = prose.split("](").skip(1).filter_map(|rest| rest.split_once(')'));
            found.extend(targets.map(|(target, _)| target.to_owned()));
        }
    }
    found
}

/// Returns the names under which a document's headings can be linked to.
fn anchors(text: &str) -> Vec<String> {
    let prose = text.split("```").step_by(2).collect::<Vec<_>>().join("\n");
    let headings = prose.lines().filter(|line| line.starts_with('#')).map(|line| line.trim_start_matches('#').trim());
    let letters = |heading: &str| {
        let kept = heading.chars().filter(|letter| letter.is_alphanumeric() || matches!(letter, ' ' | '-' | '_'));
        kept.collect::<String>().to_lowercase().replace(' ', "-")
    };
    headings.map(letters).collect()
}

#[test]
fn each_link_leads_somewhere() {
    let mut dead = Vec::new();
    for (path, text) in documents() {
        for link in links(&text).into_iter().filter(|link| !link.contains("://") && !link.starts_with("mailto:")) {
            let (target, anchor) = link.split_once('#').unwrap_or((&link, ""));
            let beside = Path::new(&path).parent().unwrap_or(Path::new(""));
            let file = top().join(if target.is_empty() { path.clone().into() } else { beside.join(target) });
            let leads = match fs::read_to_string(&file) {
                Ok(text) => anchor.is_empty() || anchors(&text).iter().any(|known| known == anchor),
                Err(_) => file.is_dir() && anchor.is_empty(),
            };
            if !leads {
                dead.push(format!("{path}: {link}"));
            }
        }
    }
    assert!(dead.is_empty(), "links that lead nowhere:\n{}", dead.join("\n"));
}

#[test]
fn the_two_commands_of_the_readme_are_those_that_continuous_integration_runs() {
    for command in ["cargo run --release -- tour", "cargo test --workspace"] {
        assert!(read("README.md").lines().any(|line| line.starts_with(command)), "README.md has no `{command}`");
        assert!(read(".ci/run").lines().any(|line| line.starts_with(command)), ".ci/run does not run `{command}`");
    }
    let tour = Command::new(env!("CARGO_BIN_EXE_vwire")).args(["tour", "--help"]).output().unwrap();
    assert!(tour.status.success(), "vwire tour --help: {}", String::from_utf8_lossy(&tour.stderr));
}

/// Returns the first word that is neither an option nor what `-n` stands before.
fn verb_of(words: &str) -> Option<&str> {
    let mut words = words.split_whitespace();
    loop {
        match words.next()? {
            "-n" => drop(words.next()),
            option if option.starts_with('-') => {}
            verb => return Some(verb),
        }
    }
}

#[test]
fn documents_name_no_verb_that_is_not_there() {
    let mut asked = BTreeSet::new();
    for (path, text) in documents() {
        let spans = text.split('`').flat_map(str::lines).map(|line| line.trim_start_matches("$ "));
        let verbs = spans.filter_map(|span| verb_of(span.strip_prefix("vwire ")?));
        let whole = |verb: &&str| verb.bytes().all(|byte| byte.is_ascii_lowercase());
        asked.extend(verbs.filter(whole).map(|verb| (verb.to_owned(), path.clone())));
    }
    for (verb, path) in asked {
        let said = Command::new(env!("CARGO_BIN_EXE_vwire")).args([&verb, "--help"]).output().unwrap();
        let error = String::from_utf8_lossy(&said.stderr).into_owned();
        let unknown = error.contains("does not speak") || error.contains("is neither an object nor a verb");
        assert!(!unknown, "{path} speaks of `vwire {verb}`: {error}");
    }
}

/// A line of a document, or a command in it with what the document shows under it.
enum Part {
    Line(String),
    Command { line: String, shown: String },
}

/// Takes a document apart at the commands of its `console` blocks.
fn parts(text: &str) -> Vec<Part> {
    let (mut parts, mut console) = (Vec::new(), false);
    for line in text.lines() {
        let fence = line.trim_start().starts_with("```");
        match (line.strip_prefix("$ ").filter(|_| console), parts.last_mut()) {
            (Some(command), _) => parts.push(Part::Command { line: command.to_owned(), shown: String::new() }),
            (None, Some(Part::Command { shown, .. })) if !fence => *shown += &format!("{line}\n"),
            _ => parts.push(Part::Line(line.to_owned())),
        }
        if fence {
            console = !console && line == "```console";
        }
    }
    parts
}

/// Runs a command of a document in the calling thread's lab and returns what it prints, on either stream.
fn print_of(command: &str) -> String {
    let binary = Path::new(env!("CARGO_BIN_EXE_vwire")).parent().expect("a program is in a directory").display();
    let path = format!("{binary}:{}", std::env::var("PATH").unwrap_or_default());
    let script = format!("exec 2>&1; {command}");
    let mut shell = Command::new("sh");
    // Commands name files as who has the repository before them.
    shell.args(["-c", &script]).env("PATH", &path).env("LC_ALL", "C").current_dir(top());
    let output = shell.output().unwrap();
    String::from_utf8_lossy(&output.stdout).lines().map(|line| format!("{}\n", line.trim_end())).collect()
}

/// Makes equal what differs by nature: addresses drawn by lot, times, the qdisc that a system starts with, and the IPv6
/// address that a link gives itself when its carrier comes, which may be a moment later.
fn normal(text: &str) -> String {
    let is_measured = |word: &str| {
        let number = word.trim_end_matches("ms").trim_end_matches("us");
        number.parse::<f64>().is_ok() && (number != word || number.matches('.').count() == 1)
    };
    let separators = [' ', '\n', '/', '=', ',', '(', ')'];
    let text = Normal::new("").text(text);
    let text = ["pfifo_fast", "fq_codel", "fq"]
        .iter()
        .fold(text, |text, qdisc| text.replace(&format!("qdisc {qdisc} "), "qdisc DEFAULT "));
    let lines = text.lines().filter(|line| !line.contains("link-local"));
    let equal = |line: &str| {
        let words = line.split_inclusive(separators).filter(|word| *word != " ").map(|word| {
            let bare = word.trim_end_matches(separators);
            if is_measured(bare) { word.replace(bare, "N") } else { word.to_owned() }
        });
        words.collect::<String>() + "\n"
    };
    lines.map(equal).collect()
}

/// Tells whether a command only looks: then it may be asked again until a state has come about.
fn looks(command: &str) -> bool {
    command.split_whitespace().any(|word| ["show", "ls", "list"].contains(&word))
}

#[test]
fn documents_show_what_their_commands_print() {
    for (path, text) in documents().into_iter().filter(|(_, text)| text.contains("\n```console\n")) {
        lab(move |_| {
            let mut rewritten = String::new();
            for part in parts(&text) {
                let (line, shown) = match part {
                    Part::Line(line) => {
                        rewritten += &format!("{line}\n");
                        continue;
                    }
                    Part::Command { line, shown } => (line, shown),
                };
                let mut printed = print_of(&line);
                let settled = Instant::now() + PATIENCE;
                while looks(&line) && normal(&printed) != normal(&shown) && Instant::now() < settled {
                    std::thread::park_timeout(Duration::from_millis(50));
                    printed = print_of(&line);
                }
                rewritten += &format!("$ {line}\n{printed}");
                if std::env::var_os("VWIRE_WRITE_DOCS").is_none() {
                    assert_eq!(normal(&shown), normal(&printed), "{path}: `{line}`: shown, then printed:\n{printed}");
                }
            }
            if std::env::var_os("VWIRE_WRITE_DOCS").is_some() {
                fs::write(top().join(&path), rewritten).unwrap();
            }
        });
    }
}

#[test]
fn a_document_is_taken_apart_at_its_commands() {
    let text = "a\n```console\n$ x\n1\n2\n$ y\n```\n$ z\n";
    let taken = parts(text).into_iter().map(|part| match part {
        Part::Line(line) => line,
        Part::Command { line, shown } => format!("{line}>{shown}"),
    });
    assert_eq!(taken.collect::<Vec<_>>(), ["a", "```console", "x>1\n2\n", "y>", "```", "$ z"]);
}

#[test]
fn what_is_measured_or_drawn_by_lot_is_equal() {
    assert_eq!(normal("time=0.043 ms, 12ms\n"), normal("time=1.5 ms, 3ms\n"));
    assert_eq!(normal("a  e6:12:ed:85:5d:e7\n"), normal("a 26:12:ed:85:5d:e8\n"));
    assert_ne!(normal("10.0.0.1/24\n"), normal("10.0.0.2/24\n"));
}
