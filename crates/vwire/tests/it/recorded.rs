//! Judgements of a newer `ip` than the one that is installed, kept in files.
//!
//! vwire follows iproute2 7.1; many systems have an older one, which cannot judge what came since.
//! Where the installed `ip` is as new, it judges itself, and `VWIRE_WRITE_RECORDED=1` keeps what it
//! says in `tests/recorded`; where it is older, that is what vwire is held against. So nothing is
//! skipped. The records were made on Linux 6.18.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use crate::lab::{Lab, Normal, Who, assert_alike, judge, transcript};

/// What stands between two judgements.
const BETWEEN: &str = "%%\n";

/// Where a judgement comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    /// From the `ip` that is installed.
    Judge,
    /// From it too, and it is kept.
    Kept,
    /// From the file.
    File,
}

/// The judgements that one test wants, in their order.
pub(crate) struct Recorded {
    file: PathBuf,
    source: Source,
    judgements: Mutex<Vec<String>>,
}

impl Recorded {
    /// Starts a test's judgements; the test's name is the file's.
    #[track_caller]
    pub(crate) fn of(test: &str) -> Self {
        let file = PathBuf::from(format!("{}/tests/recorded/{test}.txt", env!("CARGO_MANIFEST_DIR")));
        let source = match (judge().version >= (7, 1), std::env::var_os("VWIRE_WRITE_RECORDED")) {
            (true, None) => Source::Judge,
            (true, Some(_)) => Source::Kept,
            (false, _) => Source::File,
        };
        let judgements = match source {
            Source::File => {
                let text = std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
                let mut judgements: Vec<String> = text.split(BETWEEN).map(str::to_owned).collect();
                judgements.reverse();
                judgements
            }
            _ => Vec::new(),
        };
        Self { file, source, judgements: Mutex::new(judgements) }
    }

    /// Returns whether the installed `ip` judges.
    pub(crate) fn is_live(&self) -> bool {
        self.source != Source::File
    }

    /// Holds what vwire did against what the judge does, or once did.
    #[track_caller]
    pub(crate) fn hold(&self, ours: &str, judge: impl FnOnce() -> Option<String>) {
        let theirs = match self.source {
            Source::File => self.judgements.lock().unwrap().pop(),
            Source::Judge => judge(),
            Source::Kept => judge().inspect(|text| self.keep(text)),
        };
        let theirs = theirs.unwrap_or_else(|| panic!("{} has too few judgements", self.file.display()));
        assert_alike(ours, &theirs);
    }

    /// Writes down a judgement behind those before.
    fn keep(&self, judgement: &str) {
        let mut judgements = self.judgements.lock().unwrap();
        judgements.push(judgement.to_owned());
        std::fs::write(&self.file, judgements.join(BETWEEN)).unwrap();
    }

    /// Like `Lab::same`.
    #[track_caller]
    pub(crate) fn same(&self, net: &Lab, words: &[&str]) {
        let line = words.join(" ");
        let spelled = |said| format!("$ ip {line}\n{}", Normal::new(&line).said(&said));
        self.hold(&spelled(net.vwire_as_ip(words)), || Some(spelled(net.ip(words))));
    }

    /// Like `alike_after`.
    #[track_caller]
    pub(crate) fn alike_after(&self, arrange: &[&str], lines: &[&str]) {
        if let Some(ours) = transcript(Who::VwireAsIp, arrange, lines, false) {
            self.hold(&ours, || transcript(Who::Ip, arrange, lines, false));
        }
    }
}

/// Holds what vwire did against what a newer judge than 6.1 does, or once did: of one test, one after the other.
///
/// The file is called as the test is, whose name its threads have.
#[track_caller]
pub(crate) fn hold_of_newer(ours: &str, judge: impl FnOnce() -> Option<String>) {
    static OWN: Mutex<BTreeMap<String, Arc<Recorded>>> = Mutex::new(BTreeMap::new());
    let thread = std::thread::current();
    let test = thread.name().expect("a test's thread has its name").replace("::", "-");
    let recorded = OWN.lock().unwrap().entry(test.clone()).or_insert_with(|| Arc::new(Recorded::of(&test))).clone();
    recorded.hold(ours, judge);
}
