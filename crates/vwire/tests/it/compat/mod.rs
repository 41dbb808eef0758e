//! How vwire compares with `ip`: the same commands to both in twin networks, counted in `docs/compatibility.md`.
//!
//! The commands are data (`tests/compat/tables`, see [`table`]): a new object is a new file there. What may
//! differ is data too (`tests/compat/allowed.txt`, see [`allowed`]). Nothing else may.
//!
//! Commands that only read are given to both in one network, so that nothing differs by nature; those that
//! change something, or should fail to, in two that were arranged alike.

mod allowed;
mod drawn;
pub(crate) mod older;
mod report;
mod table;

pub(crate) use table::directory;

use std::fmt::Write as _;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::kinds::without_timers;
use crate::lab::{Lab, Normal, Said, Who, difference, in_lab, judge, privileged, split, until};
use crate::link_change::settled;
use allowed::{Allowed, What};
use table::{Part, Program, Table};

/// Names tables, with commas between: while one is written, the others need not be asked.
const ONLY: &str = "VWIRE_COMPAT_ONLY";
/// How many option sets share a network that is only read.
const OPTIONS_IN_A_JOB: usize = 8;
/// How often a question is asked that is answered otherwise: a second may have gone by, a packet come, an address settled.
const ATTEMPTS: usize = 5;
/// How many networks are asked at once; the processes wait for the kernel's locks part of their time.
const WORKERS: usize = 3;
/// How many differences are shown in full.
const SHOWN: usize = 30;

/// What has a carrier in the network of `network.txt`: the kernel gives it an address a little later.
const WITH_CARRIER: [&str; 3] = ["v0", "v1", "n0"];

/// A command that both were given.
struct Outcome {
    object: String,
    command: String,
    verdict: Verdict,
}

/// How two answers compare.
enum Verdict {
    Equal,
    /// The row that allows the difference.
    Allowed(usize),
    /// The row that says what is missing.
    Missing(usize),
    /// Both answers as one text.
    Different(String),
}

/// What one network, or a pair of twins, is used for.
enum Job<'a> {
    Read(&'a Table, &'a [String], &'a [String]),
    Wrong(&'a Table, &'a str, &'a [String]),
    Change(&'a Table, &'a [String], &'a [String]),
}

#[test]
fn vwire_answers_as_ip_does() {
    if !privileged() {
        return;
    }
    let chosen = std::env::var(ONLY).ok();
    let chosen = |table: &Table| chosen.as_ref().is_none_or(|names| names.split(',').any(|name| name == table.object));
    let of_ip = |table: &Table| table.program == Program::Ip && chosen(table);
    let rows = allowed::for_judge(judge().version.0);
    let outcomes = compare(&table::all().into_iter().filter(of_ip).collect::<Vec<_>>(), &rows);
    if std::env::var_os(ONLY).is_some() {
        return;
    }
    assert!(outcomes.len() >= 1500, "only {} pairs", outcomes.len());
    let uses = |outcome: &Outcome, number| matches!(outcome.verdict, Verdict::Allowed(row) | Verdict::Missing(row) if row == number);
    let is_stale = |number: &usize| !outcomes.iter().any(|outcome| uses(outcome, *number));
    let stale: Vec<_> = (0..rows.len()).filter(is_stale).map(|number| &rows[number].command).collect();
    assert!(stale.is_empty(), "rows of allowed.txt that allow nothing: {stale:#?}");
    let release = &judge().release;
    report::check(release, &report::section(release, &outcomes, &rows));
}

#[test]
fn vwire_answers_as_bridge_does() {
    if !privileged() {
        return;
    }
    let of_bridge = |table: &Table| table.program == Program::Bridge && table.since <= judge().version.0;
    let outcomes = compare(&table::all().into_iter().filter(of_bridge).collect::<Vec<_>>(), &[]);
    assert!(outcomes.len() >= 250, "only {} pairs", outcomes.len());
}

/// Gives both all commands of some tables, and fails where they differ and may not.
fn compare(tables: &[Table], rows: &[Allowed]) -> Vec<Outcome> {
    let jobs: Vec<Job<'_>> = tables.iter().flat_map(jobs).collect();
    let (next, outcomes) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                while let Some(job) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let done = run(job, rows);
                    outcomes.lock().unwrap().extend(done);
                }
            });
        }
    });
    let mut outcomes = outcomes.into_inner().unwrap();
    outcomes.sort_by(|one, other| (&one.object, &one.command).cmp(&(&other.object, &other.command)));
    fail_on_differences(&outcomes);
    outcomes
}

fn jobs(table: &Table) -> Vec<Job<'_>> {
    table.parts.iter().flat_map(|part| jobs_of(table, part)).collect()
}

fn jobs_of<'a>(table: &'a Table, part: &'a Part) -> Vec<Job<'a>> {
    match part {
        Part::Read { options, lines } => {
            options.chunks(OPTIONS_IN_A_JOB).map(|options| Job::Read(table, options, lines)).collect()
        }
        Part::Wrong { options, lines } => options.iter().map(|options| Job::Wrong(table, options, lines)).collect(),
        Part::Change { state, lines } => vec![Job::Change(table, state, lines)],
    }
}

fn run(job: &Job<'_>, rows: &[Allowed]) -> Vec<Outcome> {
    match *job {
        Job::Read(table, options, lines) => arranged(table, |net| {
            let commands = options.iter().flat_map(|options| lines.iter().map(|line| with(options, line)));
            commands.map(|command| read(net, table, command, rows)).collect()
        }),
        Job::Wrong(table, options, lines) => {
            let commands: Vec<String> = lines.iter().map(|line| with(options, line)).collect();
            in_twins(table, &commands, &[], rows)
        }
        Job::Change(table, state, lines) => in_twins(table, lines, state, rows),
    }
}

/// Puts options before a command.
fn with(options: &str, line: &str) -> String {
    format!("{options} {line}").trim().to_owned()
}

/// Runs something in a network that the judge arranged.
fn arranged<T: Send>(table: &Table, body: impl FnOnce(&Lab) -> T + Send) -> T {
    let inside = |net: &Lab| {
        for name in ["all", "default"] {
            for (setting, value) in [("accept_dad", "0"), ("router_solicitations", "0")] {
                std::fs::write(format!("/proc/sys/net/ipv6/conf/{name}/{setting}"), value).expect("a lab has IPv6");
            }
        }
        net.arrange(&table.arrange.iter().map(String::as_str).collect::<Vec<_>>());
        until("every device with a carrier has its link-local address", || {
            let all = std::fs::read_to_string("/proc/thread-self/net/if_inet6").ok()?;
            let has =
                |name: &&str| all.lines().any(|line| line.starts_with("fe80") && line.ends_with(&format!(" {name}")));
            WITH_CARRIER.iter().all(has).then_some(())
        });
        for line in &table.bridge {
            // A port takes some of it only once it forwards.
            let done = || (ask(net, Who::Ip, Program::Bridge, line).exit == 0).then_some(());
            until(&format!("`bridge {line}` succeeds"), done);
        }
        body(net)
    };
    in_lab(inside).expect("privilege was asked for")
}

fn ask(net: &Lab, who: Who, program: Program, command: &str) -> Said {
    let words = split(command);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let said = net.run(match program {
        Program::Ip => net.command_of(who, &words),
        Program::Bridge => net.bridge_command_of(who, &words),
    });
    if who == Who::VwireAsIp { said.spelled_for_the_judge() } else { said }
}

/// Gives both a command that changes nothing.
fn read(net: &Lab, table: &Table, command: String, rows: &[Allowed]) -> Outcome {
    let mut verdict = Verdict::Equal;
    for _ in 0..ATTEMPTS {
        let (ours, theirs) =
            (ask(net, Who::VwireAsIp, table.program, &command), ask(net, Who::Ip, table.program, &command));
        let spell = |said: &Said| {
            let text = without_times(table.program, without_timers(&Normal::new(&command).said(said)));
            if judge().version < (7, 0) { older::spell_answer(&command, &text) } else { text }
        };
        verdict = judged(&command, (&ours, spell(&ours)), (&theirs, spell(&theirs)), rows);
        if !matches!(verdict, Verdict::Different(_)) {
            break;
        }
    }
    Outcome { object: table.object.clone(), command, verdict }
}

/// What a command said in one of the twins, that with what is always equal made equal, and the state behind it.
type Step = (Said, String, String);

/// Gives commands to both, in networks made anew where they differ: the kernel does some of what it does later.
fn in_twins(table: &Table, commands: &[String], state: &[String], rows: &[Allowed]) -> Vec<Outcome> {
    let attempt = || in_twins_once(table, commands, state, rows);
    let differs = |outcomes: &[Outcome]| outcomes.iter().any(|one| matches!(one.verdict, Verdict::Different(_)));
    let mut outcomes = attempt();
    for _ in 1..ATTEMPTS {
        if !differs(&outcomes) {
            break;
        }
        outcomes = attempt();
    }
    outcomes
}

/// Gives commands to both, each in a network of its own, and compares what they say and the `state` behind each.
fn in_twins_once(table: &Table, commands: &[String], state: &[String], rows: &[Allowed]) -> Vec<Outcome> {
    let steps = |who| {
        arranged(table, |net| {
            let mut normal = Normal::new(&[table.arrange.join(" "), commands.join(" ")].concat());
            let step = |command: &String| -> Step {
                let said = ask(net, who, table.program, command);
                let text = without_timers(&normal.said(&said));
                let text = if judge().version < (7, 0) { older::spell_answer(command, &text) } else { text };
                let mut after = String::new();
                for line in state {
                    let shown = without_seconds(&without_timers(&normal.said(&ask(net, Who::Ip, table.program, line))));
                    let _ = write!(after, "# ip {line}\n{}", ordered(table, settled(&shown)));
                }
                (said, text, after)
            };
            commands.iter().map(step).collect::<Vec<_>>()
        })
    };
    let (ours, theirs) = (steps(Who::VwireAsIp), steps(Who::Ip));
    let mut apart = false;
    let judge = |((command, ours), theirs): ((&String, Step), Step)| {
        // Once they are apart they stay so; only where it began is told.
        let (before, after) = if apart { (String::new(), String::new()) } else { (ours.2.clone(), theirs.2.clone()) };
        let verdict = judged(command, (&ours.0, ours.1 + &before), (&theirs.0, theirs.1 + &after), rows);
        apart |= ours.2 != theirs.2;
        Outcome { object: table.object.clone(), command: command.clone(), verdict }
    };
    commands.iter().zip(ours).zip(theirs).map(judge).collect()
}

/// Puts `…` in the place of each time in seconds, of which some may have gone by.
fn without_seconds(text: &str) -> String {
    let parts: Vec<&str> = text.split("sec").collect();
    let (last, before) = parts.split_last().expect("a split has a part");
    let cut = |part: &&str| part.trim_end_matches(|letter: char| letter.is_ascii_digit()).to_owned() + "…sec";
    before.iter().map(cut).collect::<String>() + last
}

/// Puts `…` in the place of what is left of a timer in an answer of `bridge`: ` 259.99`.
fn without_times(program: Program, text: String) -> String {
    if program == Program::Ip {
        return text;
    }
    let is_time = |word: &str| {
        let (seconds, rest) = word.split_once('.').unwrap_or_default();
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        digits(seconds) && rest.len() == 2 && digits(rest)
    };
    let line = |line: &str| {
        let blank = |letter: char| letter == ' ' || letter == '"';
        let words = line.split(blank).filter(|word| !word.is_empty());
        words.map(|word| if is_time(word) { "…" } else { word }).collect::<Vec<_>>().join(" ")
    };
    // Only lines with such a time lose their blanks.
    let timed = |text: &str| text.split([' ', '"']).any(is_time);
    text.lines().map(|text| if timed(text) { line(text) } else { text.to_owned() } + "\n").collect()
}

/// Sorts the lines about neighbours and of bridges, which the kernel keeps by a number drawn by lot.
fn ordered(table: &Table, text: String) -> String {
    if table.object != "neigh" && table.program == Program::Ip {
        return text;
    }
    // Groups of this link are joined and left by the kernel, when it likes.
    let mut lines: Vec<&str> = text.lines().filter(|line| !line.contains(" grp ff02::")).collect();
    lines.sort_unstable();
    lines.join("\n") + "\n"
}

/// Compares two answers.
fn judged(command: &str, ours: (&Said, String), theirs: (&Said, String), rows: &[Allowed]) -> Verdict {
    if ours.1 == theirs.1 {
        return Verdict::Equal;
    }
    let same_exit = ours.0.exit == theirs.0.exit;
    match rows.iter().position(|row| row.covers(command, same_exit)) {
        Some(number) if rows[number].what == What::Missing => Verdict::Missing(number),
        Some(number) => Verdict::Allowed(number),
        None => Verdict::Different(difference(&ours.1, &theirs.1)),
    }
}

fn fail_on_differences(outcomes: &[Outcome]) {
    let different = outcomes.iter().filter_map(|outcome| match &outcome.verdict {
        Verdict::Different(shown) => Some((&outcome.command, shown)),
        _ => None,
    });
    let (mut text, mut count) = (String::new(), 0);
    for (command, shown) in different {
        count += 1;
        let _ = writeln!(text, "$ ip {command}");
        if count <= SHOWN {
            let _ = writeln!(text, "{shown}");
        }
    }
    let judge = judge();
    assert!(
        count == 0,
        "vwire and {} {} differ in {count} of {} commands:\n{text}",
        judge.path,
        judge.release,
        outcomes.len()
    );
}
