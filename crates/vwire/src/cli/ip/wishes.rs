//! vwire's own options before the object: how to take what is there already, or is not, and how long to wait. Pure.
//!
//! Called `ip`, there are none of them.

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;
use std::time::Duration;

use super::failure::{EXIT_USAGE, Failure};
use super::options;
use super::words::shown;

/// How long `--wait` waits if it does not say.
const PATIENCE: Duration = Duration::from_secs(5);

/// What is wished beside the command itself.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is an option of its own, and any may stand beside any")]
pub struct Wishes {
    /// `--if-exists`: what is not there need not be changed or deleted.
    pub if_exists: bool,
    /// `--if-absent`: what is there already as it is asked for need not be made.
    pub if_absent: bool,
    /// `--replace`: what is there already becomes what is asked for.
    pub replace: bool,
    /// `--wait[=SECONDS]`: it is done only when it can be used.
    pub wait: Option<Duration>,
    /// `--plan`: nothing is done, but shown.
    pub plan: bool,
    /// `--atomic`: a batch is done as a whole or not at all.
    pub atomic: bool,
}

impl Wishes {
    /// Returns these and others.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            if_exists: self.if_exists || other.if_exists,
            if_absent: self.if_absent || other.if_absent,
            replace: self.replace || other.replace,
            wait: other.wait.or(self.wait),
            plan: self.plan || other.plan,
            atomic: self.atomic || other.atomic,
        }
    }

    /// Returns those that are given, by name.
    fn given(self) -> impl Iterator<Item = &'static str> {
        let all = [
            (self.if_exists, "--if-exists"),
            (self.if_absent, "--if-absent"),
            (self.replace, "--replace"),
            (self.wait.is_some(), "--wait"),
            (self.plan, "--plan"),
            (self.atomic, "--atomic"),
        ];
        all.into_iter().filter_map(|(is_given, name)| is_given.then_some(name))
    }

    /// Refuses those that say nothing to a command: of this object, `bridge` before one of `bridge`'s, and this operation.
    ///
    /// # Errors
    /// One of them.
    pub fn fit(self, object: &str, operation: Option<&str>) -> Result<(), Failure> {
        let operation = operation.unwrap_or_default();
        let makes = matches!(operation, "add" | "attach" | "property") || (object, operation) == ("token", "set");
        let takes = matches!(operation, "set" | "change" | "replace" | "property" | "delete" | "del" | "flush");
        let waits = matches!(object, "link" | "address") && matches!(operation, "add" | "set" | "change" | "replace");
        let fits = |name: &str| match name {
            "--if-exists" => takes,
            "--if-absent" | "--replace" => makes,
            "--wait" => waits,
            "--atomic" => false,
            _ => true,
        };
        let Some(idle) = self.given().find(|name| !fits(name)) else { return Ok(()) };
        let hint = match idle {
            "--if-exists" => "it is for what deletes, sets, changes or flushes",
            "--wait" => "it is for `link` and `addr`: `add`, `set`, `change`, `replace`",
            "--atomic" => "it is for batches: `vwire --atomic -batch FILE`",
            _ => "it is for what adds",
        };
        let command = format!("{object} {operation}");
        Err(Failure::new(EXIT_USAGE, "", format!("`{idle}` says nothing to `{}`", command.trim_end())).hint(hint))
    }

    /// Refuses all of them: for a verb of vwire's own.
    ///
    /// # Errors
    /// One of them.
    pub fn none_for(self, verb: &str) -> Result<(), Failure> {
        let Some(idle) = self.given().next() else { return Ok(()) };
        let failure = Failure::new(EXIT_USAGE, "", format!("`{idle}` says nothing to `{verb}`"));
        Err(match (idle, verb) {
            ("--plan", "up" | "try") => failure.hint("`vwire plan FILE` shows what `up` would change"),
            _ => failure.hint("it is for the commands of `ip` and `bridge`, and for batches of them"),
        })
    }

    /// Takes a word, if it is one of these options.
    fn take(&mut self, word: &[u8]) -> Result<bool, Failure> {
        match word {
            b"--if-exists" => self.if_exists = true,
            b"--if-absent" => self.if_absent = true,
            b"--replace" => self.replace = true,
            b"--wait" => self.wait = Some(PATIENCE),
            b"--plan" => self.plan = true,
            b"--atomic" => self.atomic = true,
            _ => match word.strip_prefix(b"--wait=") {
                Some(seconds) => self.wait = Some(seconds_of(seconds)?),
                None => return Ok(false),
            },
        }
        Ok(true)
    }

    /// Takes these options from among those before the object, and leaves the other words.
    ///
    /// # Errors
    /// A number of seconds that is none.
    pub fn split(arguments: &[OsString]) -> Result<(Self, Vec<OsString>), Failure> {
        let (mut wishes, mut left) = (Self::default(), Vec::new());
        let mut rest = arguments.iter();
        while let Some(word) = rest.as_slice().first().filter(|word| word.as_bytes().starts_with(b"-")) {
            rest.next();
            if wishes.take(word.as_bytes())? {
                continue;
            }
            left.push(word.clone());
            if word == "--" {
                break;
            }
            if options::takes_value(word.as_bytes()) {
                left.extend(rest.next().cloned());
            }
        }
        left.extend(rest.cloned());
        Ok((wishes, left))
    }
}

/// Reads a number of seconds, with a fraction if it has one.
///
/// # Errors
/// It is none, or more than a day.
pub fn seconds_of(word: &[u8]) -> Result<Duration, Failure> {
    const MOST: f64 = 86_400.0;
    let seconds = std::str::from_utf8(word).ok().and_then(|word| word.parse::<f64>().ok());
    let seconds = seconds.filter(|seconds| (0.0..=MOST).contains(seconds));
    seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()).ok_or_else(|| {
        let word = shown(word);
        Failure::new(EXIT_USAGE, "", format!("`{word}` is no number of seconds between 0 and 86400"))
            .trying("cannot read `--wait`")
            .hint("`--wait` alone waits 5 seconds; `--wait=0.5` half a second")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_that_says_nothing_to_a_command_is_refused_by_name() {
        let refused = |options: &str, object: &str, operation: &str| {
            let (wishes, _) = Wishes::split(&words(options)).unwrap();
            let failure = wishes.fit(object, Some(operation)).err()?;
            Some(String::from_utf8(failure.render(super::super::Persona::Vwire)).unwrap())
        };
        assert_eq!(refused("--wait", "link", "set"), None);
        assert_eq!(refused("--if-exists", "bridge fdb", "delete"), None);
        assert_eq!(refused("--if-absent --plan", "route", "add"), None);
        let said = "error: `--wait` says nothing to `route add`\n";
        assert!(refused("--wait", "route", "add").unwrap().starts_with(said));
        for (option, object, operation) in [
            ("--if-exists", "link", "add"),
            ("--if-absent", "link", "delete"),
            ("--replace", "addr", "show"),
            ("--wait", "bridge link", "set"),
            ("--atomic", "link", "set"),
        ] {
            assert!(refused(option, object, operation).is_some(), "{option} {object} {operation}");
        }
        assert!(Wishes { plan: true, ..Wishes::default() }.none_for("up").is_err());
        assert!(Wishes::default().none_for("up").is_ok());
    }

    fn words(line: &str) -> Vec<OsString> {
        line.split_whitespace().map(OsString::from).collect()
    }

    #[test]
    fn they_stand_among_the_options_and_nowhere_else() {
        let (wishes, left) = Wishes::split(&words("-n --wait --wait=2 -j --if-exists link del --replace")).unwrap();
        assert_eq!(left, words("-n --wait -j link del --replace"));
        assert_eq!(wishes, Wishes { if_exists: true, wait: Some(Duration::from_secs(2)), ..Wishes::default() });
        assert!(Wishes::split(&words("--wait=soon link")).is_err());
    }
}
