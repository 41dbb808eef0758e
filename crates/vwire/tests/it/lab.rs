//! A network of its own for each test, and `ip` as the judge of what vwire says.
//!
//! - [`lab`] runs a test in fresh network and mount namespaces with an empty `/run` (so its own
//!   `/run/netns`) and its own `/sys`. Tests run side by side, touch nothing outside, and leave
//!   nothing, even when they panic: the kernel frees the namespaces with the last process inside.
//! - [`Lab::same`] asks vwire (called `ip`) and `ip` the same question **in one lab** and wants the
//!   same standard output, standard error and exit code. For commands that change nothing.
//! - [`alike`] runs a list of commands with vwire in one fresh lab, with `ip` in another, and wants
//!   the same transcripts. For commands that change something.
//!
//! What differs by nature (random MAC addresses, where `ip` was built to keep its names) is made
//! equal by [`Normal`]; usage texts are vwire's own and count as equal.
//!
//! The judge is `$VWIRE_ORACLE_IP`, else `ip` on the `PATH`. Without privilege a test fails, or is
//! skipped with `VWIRE_SKIP_PRIVILEGED=1`.
#![allow(dead_code, unreachable_pub, reason = "each topic takes what it needs")]

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::marker::PhantomData;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use vwire::lab::capability::{self, Capability};
use vwire::lab::namespace::Sandbox;

/// How long [`until`] and [`Running::line`] wait before they fail.
const PATIENCE: Duration = Duration::from_secs(20);

/// How long a command may take: `ip -6 addr show group N` of iproute2 7.2 never ends.
const LONGEST: Duration = Duration::from_secs(60);

/// A test's own network. It belongs to the test's thread: commands run from here are inside.
pub struct Lab {
    /// Namespaces belong to a thread, so a lab must not leave it.
    thread: PhantomData<*const ()>,
}

/// Runs a test in a lab of its own.
pub fn lab(test: impl FnOnce(&Lab) + Send) {
    in_lab(test);
}

/// Runs something in a lab of its own and returns what it returns, or nothing where the test is skipped.
pub fn in_lab<T: Send>(body: impl FnOnce(&Lab) -> T + Send) -> Option<T> {
    if !privileged() {
        return None;
    }
    let name = std::thread::current().name().unwrap_or("lab").to_owned();
    std::thread::scope(|scope| {
        let inside = || {
            Sandbox::enter().expect("root can make a sandbox");
            body(&Lab { thread: PhantomData })
        };
        let thread = std::thread::Builder::new().name(name).spawn_scoped(scope, inside).unwrap();
        match thread.join() {
            Ok(value) => Some(value),
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}

/// Returns whether the test may go on; fails where it neither may nor shall be skipped.
pub fn privileged() -> bool {
    if capability::has(Capability::SysAdmin) && capability::has(Capability::NetAdmin) {
        return true;
    }
    let name = std::thread::current().name().unwrap_or("test").to_owned();
    if std::env::var_os("VWIRE_SKIP_PRIVILEGED").is_none_or(|value| value != "1") {
        panic!("{name} needs root (CAP_SYS_ADMIN and CAP_NET_ADMIN); set VWIRE_SKIP_PRIVILEGED=1 to skip");
    }
    // Not eprintln!: the test harness swallows that of a test that passes.
    let _ = writeln!(io::stderr(), "SKIPPED {name}: it needs CAP_SYS_ADMIN and CAP_NET_ADMIN");
    false
}

/// What a command said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    pub stdout: String,
    pub stderr: String,
    pub exit: i32,
}

impl Said {
    /// Spells what vwire said as the judge's release spells it, to be compared with the judge.
    #[must_use]
    pub fn spelled_for_the_judge(mut self) -> Self {
        if judge().version < (7, 0) {
            self.stdout = super::compat::older::spell(&self.stdout);
        }
        self
    }

    /// Returns standard output; fails where the command did.
    #[track_caller]
    pub fn ok(self) -> String {
        assert_eq!(self.exit, 0, "stdout: {}\nstderr: {}", self.stdout, self.stderr);
        self.stdout
    }

    /// Returns standard error; fails where the command did not end with `exit`.
    #[track_caller]
    pub fn fails(self, exit: i32) -> String {
        assert_eq!(self.exit, exit, "stdout: {}\nstderr: {}", self.stdout, self.stderr);
        self.stderr
    }
}

/// The program that a command runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// vwire, called `vwire`: its own messages.
    Vwire,
    /// vwire, called `ip`: `ip`'s messages.
    VwireAsIp,
    /// The judge.
    Ip,
}

impl Lab {
    /// Makes a command of any program, with surroundings that do not depend on the developer's.
    pub fn command(&self, program: &str, words: &[&str]) -> Command {
        let mut command = Command::new(program);
        command.args(words).env("LC_ALL", "C").stdin(Stdio::null());
        for variable in ["NO_COLOR", "COLORFGBG", "VWIRE_TRACE"] {
            command.env_remove(variable);
        }
        command
    }

    /// Makes a command of one of the three.
    pub fn command_of(&self, who: Who, words: &[&str]) -> Command {
        match who {
            Who::Vwire => self.command(env!("CARGO_BIN_EXE_vwire"), words),
            Who::VwireAsIp => {
                let mut command = self.command(env!("CARGO_BIN_EXE_vwire"), words);
                command.arg0("ip");
                command
            }
            Who::Ip => self.command(&judge().path, words),
        }
    }

    /// Makes a command of one of the three in `bridge`'s grammar.
    pub fn bridge_command_of(&self, who: Who, words: &[&str]) -> Command {
        match who {
            Who::Vwire => self.command(env!("CARGO_BIN_EXE_vwire"), &[&["bridge"], words].concat()),
            Who::VwireAsIp => {
                let mut command = self.command(env!("CARGO_BIN_EXE_vwire"), words);
                command.arg0("bridge");
                command
            }
            // It is installed beside `ip`.
            Who::Ip => {
                let beside = std::path::Path::new(&judge().path).with_file_name("bridge");
                self.command(&beside.to_string_lossy(), words)
            }
        }
    }

    /// Runs a command to its end; fails where it has none.
    #[track_caller]
    pub fn run(&self, mut command: Command) -> Said {
        let spawned = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let mut child = spawned.unwrap_or_else(|error| panic!("cannot run {command:?}: {error}"));
        let (sender, ended) = std::sync::mpsc::channel();
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        std::thread::spawn({
            let sender = sender.clone();
            move || sender.send((1, read_all(stderr)))
        });
        std::thread::spawn(move || sender.send((0, read_all(stdout))));
        let mut texts = [String::new(), String::new()];
        for _ in 0..texts.len() {
            match ended.recv_timeout(LONGEST) {
                Ok((which, text)) => texts[which] = text,
                Err(_) => {
                    let state = whereabouts(child.id());
                    let _ = child.kill();
                    let _ = child.wait();
                    panic!("{command:?} does not end within {LONGEST:?}:\n{state}");
                }
            }
        }
        let [stdout, stderr] = texts;
        Said { stdout, stderr, exit: child.wait().expect("a child can be waited for").code().unwrap_or(-1) }
    }

    /// Runs `vwire WORDS`.
    #[track_caller]
    pub fn vwire(&self, words: &[&str]) -> Said {
        self.run(self.command_of(Who::Vwire, words))
    }

    /// Runs vwire under the name `ip`.
    #[track_caller]
    pub fn vwire_as_ip(&self, words: &[&str]) -> Said {
        self.run(self.command_of(Who::VwireAsIp, words))
    }

    /// Runs the judge.
    #[track_caller]
    pub fn ip(&self, words: &[&str]) -> Said {
        self.run(self.command_of(Who::Ip, words))
    }

    /// Runs several lines with the judge, each of which must succeed: the arranging part of a test.
    #[track_caller]
    pub fn arrange(&self, lines: &[&str]) {
        for line in lines {
            let said = self.ip(&split(line).iter().map(String::as_str).collect::<Vec<_>>());
            assert_eq!(said.exit, 0, "ip {line}: {}", said.stderr);
        }
    }

    /// Asks vwire and the judge the same, which must not change anything, and wants the same answer.
    #[track_caller]
    pub fn same(&self, words: &[&str]) {
        let line = words.join(" ");
        let said = |said| {
            let text = Normal::new(&line).said(said);
            if judge().version < (7, 0) { super::compat::older::spell_answer(&line, &text) } else { text }
        };
        let (ours, theirs) = (said(&self.vwire_as_ip(words).spelled_for_the_judge()), said(&self.ip(words)));
        assert_alike(&format!("$ ip {line}\n{ours}"), &format!("$ ip {line}\n{theirs}"));
    }

    /// Like [`Lab::same`], for what an older judge says otherwise, or not at all: then a newer one's record judges.
    #[track_caller]
    pub fn same_of_newer(&self, words: &[&str]) {
        let line = words.join(" ");
        let spelled = |said| format!("$ ip {line}\n{}", Normal::new(&line).said(&said));
        super::recorded::hold_of_newer(&spelled(self.vwire_as_ip(words)), || Some(spelled(self.ip(words))));
    }

    /// Starts a command that runs until it is dropped, with its output readable line by line.
    #[track_caller]
    pub fn start(&self, mut command: Command) -> Running {
        let spawned = command.stdout(Stdio::piped()).spawn();
        let mut child = spawned.unwrap_or_else(|error| panic!("cannot run {command:?}: {error}"));
        let output = child.stdout.take().expect("stdout was piped");
        let (sender, lines) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            for line in io::BufRead::lines(io::BufReader::new(output)) {
                if line.is_err() || sender.send(line.unwrap_or_default()).is_err() {
                    break;
                }
            }
        });
        Running { child, lines }
    }
}

/// Tells what the threads of a process wait for in the kernel: of one that hangs nothing else is known.
fn whereabouts(pid: u32) -> String {
    let read = |path: String| std::fs::read_to_string(path).unwrap_or_default();
    let state = read(format!("/proc/{pid}/status")).lines().take(3).collect::<Vec<_>>().join(" ");
    let threads = std::fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    let of = |thread: std::fs::DirEntry| {
        let path = thread.path();
        let file = |name: &str| read(path.join(name).to_string_lossy().into_owned());
        format!("{}: {}\n{}", thread.file_name().to_string_lossy(), file("syscall").trim(), file("stack"))
    };
    format!("{state}\n{}", threads.map(of).collect::<String>())
}

fn read_all(from: Option<impl io::Read>) -> String {
    let mut bytes = Vec::new();
    if let Some(mut from) = from {
        let _ = from.read_to_end(&mut bytes);
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// A program beside the test; it dies with this value.
pub struct Running {
    pub child: Child,
    lines: std::sync::mpsc::Receiver<String>,
}

impl Running {
    /// Waits for the next line of its standard output.
    #[track_caller]
    pub fn line(&mut self) -> String {
        self.lines.recv_timeout(PATIENCE).unwrap_or_else(|error| panic!("no line came: {error}"))
    }
}

impl Running {
    /// Returns the next line of its standard output, if it is there already.
    pub fn line_if_there(&mut self) -> Option<String> {
        self.lines.try_recv().ok()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits until `check` gives something, and fails where it never does.
#[track_caller]
pub fn until<T>(what: &str, mut check: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    while start.elapsed() < PATIENCE {
        if let Some(value) = check() {
            return value;
        }
        std::thread::park_timeout(Duration::from_millis(2));
    }
    panic!("waited {PATIENCE:?} in vain: {what}");
}

/// Runs the same lines with vwire in one lab and with the judge in another, and wants the same transcripts.
///
/// A line holds the words behind `ip`; `"…"` and `'…'` keep blanks together.
#[track_caller]
pub fn alike(lines: &[&str]) {
    alike_after(&[], lines);
}

/// Like [`alike`], with lines that the judge runs in both labs before.
#[track_caller]
pub fn alike_after(arrange: &[&str], lines: &[&str]) {
    alike_where(super::compat::older::knows, arrange, lines);
}

/// Like [`alike_after`], where the caller says which lines 6.1 knows: with those that it does not, all are held to what a
/// newer judge does, or once did.
#[track_caller]
pub fn alike_where(is_known: impl Fn(&str) -> bool, arrange: &[&str], lines: &[&str]) {
    let known: Vec<&str> = lines.iter().filter(|line| is_known(line)).copied().collect();
    if known.len() < lines.len()
        && let Some(ours) = transcript(Who::VwireAsIp, arrange, lines, false)
    {
        super::recorded::hold_of_newer(&ours, || transcript(Who::Ip, arrange, lines, false));
        if judge().version >= (7, 0) {
            return;
        }
    }
    let ours = transcript(Who::VwireAsIp, arrange, &known, true);
    if let (Some(ours), Some(theirs)) = (ours, transcript(Who::Ip, arrange, &known, true)) {
        assert_alike(&ours, &theirs);
    }
}

/// Runs lines in a lab of their own and returns what was typed and said; nothing where the test is skipped.
pub fn transcript(who: Who, arrange: &[&str], lines: &[&str], for_the_judge: bool) -> Option<String> {
    in_lab(|net| {
        net.arrange(arrange);
        let mut normal = Normal::new(&[arrange, lines].concat().join(" "));
        let mut text = String::new();
        for line in lines {
            let words = split(line);
            let said = net.run(net.command_of(who, &words.iter().map(String::as_str).collect::<Vec<_>>()));
            let said = if for_the_judge && who == Who::VwireAsIp { said.spelled_for_the_judge() } else { said };
            let _ = write!(text, "$ ip {line}\n{}", normal.said(&said));
        }
        text
    })
}

#[track_caller]
pub fn assert_alike(ours: &str, theirs: &str) {
    if ours == theirs {
        return;
    }
    let shown = difference(ours, theirs);
    panic!("vwire and {} {:?} differ:\n{shown}", judge().path, judge().version);
}

/// Spells two texts as one: `vw` before a line that only ours has, `ip` before one that only theirs has.
pub fn difference(ours: &str, theirs: &str) -> String {
    let (ours, theirs): (Vec<&str>, Vec<&str>) = (ours.lines().collect(), theirs.lines().collect());
    // common[i][j]: how many lines ours from i and theirs from j have in common.
    let mut common = vec![vec![0_usize; theirs.len() + 1]; ours.len() + 1];
    for i in (0..ours.len()).rev() {
        for j in (0..theirs.len()).rev() {
            let apart = common[i + 1][j].max(common[i][j + 1]);
            common[i][j] = if ours[i] == theirs[j] { common[i + 1][j + 1] + 1 } else { apart };
        }
    }
    let (mut i, mut j, mut shown) = (0, 0, String::new());
    while i < ours.len() || j < theirs.len() {
        let only_theirs = i == ours.len() || (j < theirs.len() && common[i][j + 1] >= common[i + 1][j]);
        if i < ours.len() && j < theirs.len() && ours[i] == theirs[j] {
            let _ = writeln!(shown, "   {}|", ours[i]);
            (i, j) = (i + 1, j + 1);
        } else if only_theirs {
            let _ = writeln!(shown, "ip {}|", theirs[j]);
            j += 1;
        } else {
            let _ = writeln!(shown, "vw {}|", ours[i]);
            i += 1;
        }
    }
    shown
}

/// The `ip` that judges.
#[derive(Debug)]
pub struct Judge {
    pub path: String,
    /// Its release as it says it: `7.2.0`.
    pub release: String,
    /// The first two numbers of that.
    pub version: (u32, u32),
}

/// Returns the judge, and fails where there is none.
#[track_caller]
pub fn judge() -> &'static Judge {
    static JUDGE: OnceLock<Judge> = OnceLock::new();
    JUDGE.get_or_init(|| {
        let path = std::env::var("VWIRE_ORACLE_IP").unwrap_or_else(|_| "ip".to_owned());
        let output = Command::new(&path).arg("-V").output();
        let output = output.unwrap_or_else(|error| panic!("cannot run `{path}`, install iproute2: {error}"));
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let version = version_of(&text).unwrap_or_else(|| panic!("`{path}` is not iproute2's: {text}"));
        let of_release = |letter: char| letter.is_ascii_digit() || letter == '.';
        let release = text.split("iproute2-").nth(1).unwrap_or_default();
        let release = release.split(|letter| !of_release(letter)).next().unwrap_or_default().to_owned();
        Judge { path, release, version }
    })
}

fn version_of(text: &str) -> Option<(u32, u32)> {
    let mut numbers = text.split("iproute2-").nth(1)?.split(|letter: char| !letter.is_ascii_digit());
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

/// Says in which lines two dumps differ.
pub fn short(after: &str, before: &str) -> String {
    let only = |one: &str, other: &str, mark: &str| {
        let lines = one.lines().filter(|line| !other.lines().any(|same| same == *line));
        lines.map(|line| format!("{mark} {line}\n")).collect::<String>()
    };
    only(before, after, "before:") + &only(after, before, "after: ")
}

/// Makes equal what differs by nature between two runs: the first random MAC address of each is
/// `<mac 1>`, the second `<mac 2>`; link-local addresses made of them likewise. What the test's
/// own words name is left as it is.
pub struct Normal {
    named: String,
    macs: Vec<String>,
    locals: Vec<String>,
}

impl Normal {
    /// Starts anew; `named` holds the words of the test's commands.
    pub fn new(named: &str) -> Self {
        Self { named: named.to_owned(), macs: Vec::new(), locals: Vec::new() }
    }

    /// Spells what a command said, to be compared.
    pub fn said(&mut self, said: &Said) -> String {
        let (mut stdout, mut stderr) = (self.text(&said.stdout), self.text(&said.stderr));
        for text in [&mut stdout, &mut stderr] {
            if let Some(at) = usage_in(text) {
                text.truncate(at);
                text.push_str("Usage: (words of our own)\n");
            }
        }
        let mut all = stdout;
        for line in stderr.lines() {
            let _ = writeln!(all, "! {line}");
        }
        let _ = writeln!(all, "= {}", said.exit);
        all
    }

    /// Makes a text comparable.
    pub fn text(&mut self, text: &str) -> String {
        // Where iproute2 keeps its names is decided when it is built; 6.1 wrote "a garbage".
        let text = text.replace("/var/run/netns", "/run/netns").replace("is a garbage", "is garbage");
        // How long ago a route was used, in seconds.
        let text = without_number(&without_number(&text, " age "), "\"age\":");
        let mut normal = String::new();
        let mut rest = text.as_str();
        while let Some(first) = rest.chars().next() {
            let is_part = |letter: char| letter.is_ascii_hexdigit() || letter == ':';
            let end = rest.find(|letter| !is_part(letter)).unwrap_or(rest.len());
            if end == 0 {
                normal.push(first);
                rest = &rest[first.len_utf8()..];
                continue;
            }
            normal.push_str(&self.address(&rest[..end]));
            rest = &rest[end..];
        }
        normal
    }

    fn address(&mut self, word: &str) -> String {
        if self.named.contains(word) {
            return word.to_owned();
        }
        if is_random_mac(word) {
            return format!("<mac {}>", ordinal(&mut self.macs, word));
        }
        if word.starts_with("fe80::") && word.len() > 12 {
            return format!("<link-local {}>", ordinal(&mut self.locals, word));
        }
        word.to_owned()
    }
}

/// Writes `…` for the number behind each of these words.
fn without_number(text: &str, word: &str) -> String {
    let mut parts = text.split(word);
    let mut kept = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let rest = part.trim_start_matches(|letter: char| letter.is_ascii_digit());
        kept.push_str(word);
        kept.push_str(if rest.len() < part.len() { "…" } else { "" });
        kept.push_str(rest);
    }
    kept
}

/// Returns where a usage text starts, which ends what is said.
fn usage_in(text: &str) -> Option<usize> {
    if text.starts_with("Usage:") || text.starts_with("vwire: virtual wiring for Linux") {
        Some(0)
    } else {
        text.find("\nUsage:").map(|at| at + 1)
    }
}

/// Tells addresses that the kernel draws by lot: local (bit 1) and not a group's (bit 0).
fn is_random_mac(word: &str) -> bool {
    let octets: Vec<_> = word.split(':').map(|octet| (octet.len(), u8::from_str_radix(octet, 16))).collect();
    let whole = octets.len() == 6 && octets.iter().all(|(length, octet)| *length == 2 && octet.is_ok());
    whole && octets[0].1.as_ref().is_ok_and(|first| first & 3 == 2)
}

fn ordinal(seen: &mut Vec<String>, word: &str) -> usize {
    let at = seen.iter().position(|known| known == word).unwrap_or_else(|| {
        seen.push(word.to_owned());
        seen.len() - 1
    });
    at + 1
}

/// Splits a line at blanks; quotes keep blanks together.
pub fn split(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    for letter in line.chars() {
        match (quote, letter) {
            (Some(open), letter) if letter == open => quote = None,
            (None, '\'' | '"') => {
                quote = Some(letter);
                word.get_or_insert_default();
            }
            (None, blank) if blank.is_whitespace() => words.extend(word.take()),
            _ => word.get_or_insert_default().push(letter),
        }
    }
    words.extend(word);
    words
}

#[test]
fn a_line_is_split_at_blanks_outside_quotes() {
    assert_eq!(split("link set v0 alias 'a b' ''"), ["link", "set", "v0", "alias", "a b", ""]);
}

#[test]
fn random_addresses_are_numbered_and_named_ones_kept() {
    let mut normal = Normal::new("link add v0 address 02:00:00:00:00:01");
    let text =
        "link/ether 02:00:00:00:00:01 brd ff:ff:ff:ff:ff:ff 5e:11:22:33:44:55 fa:00:00:00:00:02 5e:11:22:33:44:55";
    assert_eq!(normal.text(text), "link/ether 02:00:00:00:00:01 brd ff:ff:ff:ff:ff:ff <mac 1> <mac 2> <mac 1>");
    assert_eq!(normal.text("inet6 fe80::5c11:22ff:fe33:4455/64"), "inet6 <link-local 1>/64");
}

#[test]
fn a_difference_shows_the_lines_of_each() {
    assert_eq!(difference("a\nb\nd", "a\nc\nd\ne"), "   a|\nip c|\nvw b|\n   d|\nip e|\n");
}

#[test]
fn a_release_is_read_from_what_ip_says_of_itself() {
    assert_eq!(version_of("ip utility, iproute2-6.1.0, libbpf 1.1.2"), Some((6, 1)));
    assert_eq!(version_of("BusyBox v1.36"), None);
}
