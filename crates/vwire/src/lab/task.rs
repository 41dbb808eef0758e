//! What is to be done about the commands of nodes: which are run, which are ended, and which are left as they are. Pure.
//!
//! A command is the same as one that was run if its words are, and whether it goes on in the background, wherever it stands
//! among the others. What is the same is left alone: in the background as long as it runs, else for good.

use super::ledger::{Entry, Ledger};
use super::model::{Command, Lab, Span};

/// One thing to be done.
#[derive(Debug, Clone, PartialEq)]
pub struct Task {
    /// The node, by number.
    pub place: usize,
    /// What.
    pub what: What,
}

/// What is to be done about a command.
#[derive(Debug, Clone, PartialEq)]
pub enum What {
    /// What it left running is ended: the file says it no more.
    End(Entry),
    /// It is run, by its number among the node's commands.
    Run(usize),
    /// It is run again: it was to go on in the background, and has ended.
    Again(usize, Entry),
    /// It goes on, and is asked whether it is ready, by what the file says anew.
    Ask(usize, Entry),
}

/// What is to be done about all commands, and what is known of them before the first is run.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Work {
    /// What is to be done, node by node: what is ended, then what is run, in the order of the file.
    pub tasks: Vec<Task>,
    /// What was run and counts.
    pub ledger: Ledger,
}

/// What is known of a lab's commands.
pub struct Known<'a> {
    /// What was run.
    pub ledger: &'a Ledger,
    /// Whether anything of a command is running.
    pub lives: &'a mut dyn FnMut(&Entry) -> bool,
    /// The nodes, by number, in which nothing can have been run: their namespaces are to be made.
    pub makes: &'a [usize],
    /// What was run is not known any more: what was to end has been run.
    pub is_lost: bool,
}

/// Works out what is to be done.
#[must_use]
pub fn work(lab: &Lab, known: Known<'_>) -> Work {
    let Known { ledger, lives, makes, is_lost } = known;
    let mut work = Work { tasks: Vec::new(), ledger: Ledger { token: ledger.token.clone(), entries: Vec::new() } };
    // Of nodes that are gone, or go later, all is kept until then.
    let stays = |entry: &&Entry| !lab.nodes.iter().any(|node| node.name == entry.node && !node.leaves);
    work.ledger.entries.extend(ledger.entries.iter().filter(stays).cloned());
    for (place, node) in lab.nodes.iter().enumerate().filter(|(_, node)| !node.leaves) {
        let is_new = makes.contains(&place);
        let mut left: Vec<&Entry> = ledger.of(&node.name).collect();
        let mut runs = Vec::new();
        for (number, command) in node.commands.iter().enumerate() {
            let same = left.iter().position(|entry| !is_new && is_same(&entry.command, command));
            let Some(entry) = same.map(|at| left.remove(at)) else {
                let is_done = is_lost && !is_new && !node.is_host && !command.background;
                runs.extend((!is_done).then_some(What::Run(number)));
                continue;
            };
            if command.background && !lives(entry) {
                runs.push(What::Again(number, entry.clone()));
                continue;
            }
            if command.background && command.ready.is_some() && command.ready != entry.command.ready {
                runs.push(What::Ask(number, entry.clone()));
            }
            let command = Command { span: Span::default(), ..command.clone() };
            work.ledger.entries.push(Entry { command, ..entry.clone() });
        }
        let ends = left.into_iter().filter(|entry| lives(entry)).map(|entry| What::End(entry.clone()));
        work.tasks.extend(ends.chain(runs).map(|what| Task { place, what }));
    }
    work
}

fn is_same(one: &Command, other: &Command) -> bool {
    one.argv == other.argv && one.background == other.background
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::lab::ledger::Process;
    use crate::lab::model::Node;

    fn command(word: &str) -> Command {
        let (word, ready) = word.split_once('?').map_or((word, None), |(word, ready)| (word, Some(ready)));
        let ready = ready.map(|ready| vec![ready.to_owned()]);
        let (argv, background) = (vec![word.trim_end_matches('&').to_owned()], word.ends_with('&'));
        Command { argv, background, ready, within: Duration::from_secs(1), span: Span { start: 1, end: 2 } }
    }

    fn lab(words: &[&str]) -> Lab {
        let commands = words.iter().map(|word| command(word)).collect();
        Lab { nodes: vec![Node { name: "a".to_owned(), commands, ..Node::default() }], ..Lab::default() }
    }

    fn ran(words: &[&str]) -> Ledger {
        let entry = |(serial, word): (usize, &&str)| Entry {
            serial: u64::try_from(serial).unwrap(),
            node: "a".to_owned(),
            command: Command { span: Span::default(), ..command(word) },
            process: Process { pid: 1, start: 1 },
        };
        Ledger { token: "t".to_owned(), entries: words.iter().enumerate().map(entry).collect() }
    }

    /// Says what is to be done, and what is kept; all runs but what is among the dead.
    fn said(now: &[&str], before: &[&str], dead: &[u64], makes: &[usize], is_lost: bool) -> (Vec<String>, Vec<u64>) {
        let ledger = ran(before);
        let mut lives = |entry: &Entry| !dead.contains(&entry.serial);
        let work = work(&lab(now), Known { ledger: &ledger, lives: &mut lives, makes, is_lost });
        let told = |task: &Task| match &task.what {
            What::End(entry) => format!("end {}", entry.serial),
            What::Run(number) => format!("run {number}"),
            What::Again(number, entry) => format!("again {number} {}", entry.serial),
            What::Ask(number, entry) => format!("ask {number} {}", entry.serial),
        };
        let kept = work.ledger.entries.iter().map(|entry| entry.serial).collect();
        (work.tasks.iter().map(told).collect(), kept)
    }

    #[test]
    fn what_is_new_is_run_and_what_is_the_same_is_left() {
        assert_eq!(said(&["x", "y&"], &[], &[], &[0], false).0, ["run 0", "run 1"]);
        assert_eq!(said(&["x", "y&"], &["x", "y&"], &[], &[], false), (vec![], vec![0, 1]));
        assert_eq!(said(&["y&", "x"], &["x", "y&"], &[0], &[], false), (vec![], vec![1, 0]));
        assert_eq!(said(&["x", "x"], &["x"], &[], &[], false).0, ["run 1"]);
    }

    #[test]
    fn one_that_is_another_is_ended_and_run_and_the_others_are_left() {
        let (tasks, kept) = said(&["n", "x", "y&", "v&"], &["x", "y&", "z&"], &[], &[], false);
        assert_eq!((tasks, kept), (["end 2", "run 0", "run 3"].map(str::to_owned).to_vec(), vec![0, 1]));
        assert_eq!(said(&["x"], &["x&"], &[], &[], false).0, ["end 0", "run 0"]);
        // Of what nothing runs, nothing is ended.
        assert_eq!(said(&["y"], &["x"], &[0], &[], false), (vec!["run 0".to_owned()], vec![]));
    }

    #[test]
    fn what_ended_in_the_background_is_run_again_and_what_was_to_end_is_not() {
        assert_eq!(said(&["x", "y&"], &["x", "y&"], &[0, 1], &[], false), (vec!["again 1 1".to_owned()], vec![0]));
    }

    #[test]
    fn in_a_new_namespace_all_is_run_and_what_was_left_of_the_old_one_ended() {
        assert_eq!(said(&["x", "y&"], &["x", "y&"], &[0], &[0], false).0, ["end 1", "run 0", "run 1"]);
    }

    #[test]
    fn what_the_file_asks_anew_is_asked() {
        assert_eq!(said(&["y&?new"], &["y&?old"], &[], &[], false), (vec!["ask 0 0".to_owned()], vec![0]));
        assert_eq!(said(&["y&"], &["y&?old"], &[], &[], false), (vec![], vec![0]));
    }

    #[test]
    fn with_the_record_lost_what_was_to_end_is_not_run_again() {
        assert_eq!(said(&["x", "y&"], &[], &[], &[], true).0, ["run 1"]);
        assert_eq!(said(&["x"], &[], &[], &[0], true).0, ["run 0"]);
    }

    #[test]
    fn what_a_node_left_that_goes_is_kept_until_then() {
        let mut lab = lab(&[]);
        lab.nodes[0].leaves = true;
        let ledger = ran(&["y&"]);
        let work = work(&lab, Known { ledger: &ledger, lives: &mut |_| true, makes: &[], is_lost: false });
        assert_eq!(work, Work { tasks: Vec::new(), ledger });
    }
}
