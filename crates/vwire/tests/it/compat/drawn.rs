//! Commands that nobody has thought of, drawn by a seed, to which vwire must say and do what the judge does.
//!
//! They are drawn from the words that there are (`tests/compat/words.txt`): right and wrong, cut short, repeated, in odd
//! places. Each of the two is given them one after the other, in a network of its own.
//!
//! 6.1 knows too few of the words; what a newer judge said is in `tests/recorded`. `VWIRE_DRAWN_SEEDS=FIRST-LAST` draws
//! others, which only a newer judge can judge.

use std::fs;

use super::table::{self, Program, Table, directory};
use super::{arranged, without_seconds, without_times};
use crate::kinds::without_timers;
use crate::lab::{Normal, Who, assert_alike, judge, privileged, split};
use crate::link_change::settled;
use crate::recorded::hold_of_newer;

/// Names the first and the last seed.
const SEEDS: &str = "VWIRE_DRAWN_SEEDS";
/// How many seeds are tried where none are named.
const OWN_SEEDS: u64 = 2;
/// How many commands a seed draws for each program.
const COMMANDS: usize = 100;
/// Devices, which a network of `network.txt` has, or not.
const NAMES: [&str; 10] = ["v0", "v1", "p0", "br0", "x0", "x1", "m0", "lo", "nosuch", "averyveryverylongname"];
/// What shows what a command has changed.
const STATE: [&str; 8] =
    ["-d link", "addr", "route show table all", "-6 route show table all", "rule", "neigh", "nexthop", "addrlabel"];

/// The words that commands are drawn of.
struct Words {
    objects: Vec<(String, Vec<String>, Vec<String>)>,
    values: Vec<Vec<String>>,
    options: Vec<String>,
}

/// Numbers that depend on the seed alone.
struct Draw(u64);

impl Draw {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from((self.0 >> 16) % u64::try_from(end.max(1)).unwrap()).unwrap()
    }

    fn one<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }

    /// Returns whether something happens that does so many times in a hundred.
    fn happens(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    fn cut_short(&mut self, word: &str, percent: usize) -> String {
        if self.happens(percent) { word[..=self.below(word.len())].to_owned() } else { word.to_owned() }
    }
}

impl Words {
    fn read(program: &str) -> Self {
        let text = fs::read_to_string(directory().join("words.txt")).expect("the words are there");
        let mut words = Self { objects: Vec::new(), values: Vec::new(), options: Vec::new() };
        for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let cells: Vec<&str> = line.split(" | ").collect();
            let list = |cell: &str| cell.split(' ').map(str::to_owned).collect::<Vec<_>>();
            match cells[0].split_once(' ') {
                None => words.values.push(list(cells[1])),
                Some(("option", of)) if of == program => {
                    words.options = cells[1..].iter().map(|cell| (*cell).to_owned()).collect();
                }
                Some((of, object)) if of == program => {
                    words.objects.push((object.to_owned(), list(cells[1]), list(cells[2])));
                }
                Some(_) => {}
            }
        }
        words
    }

    fn value(&self, draw: &mut Draw) -> String {
        if draw.happens(35) {
            return (*draw.one(&NAMES)).to_owned();
        }
        let values: &Vec<String> = draw.one(&self.values);
        draw.one(values).clone()
    }

    /// Draws a command, options first.
    fn command(&self, draw: &mut Draw) -> String {
        let mut line = Vec::new();
        while draw.happens(40) {
            line.push(draw.one(&self.options).clone());
        }
        let (object, commands, words) = draw.one(&self.objects);
        line.push(draw.cut_short(object, 15));
        if draw.happens(93) {
            let command: &String = draw.one(commands);
            line.push(draw.cut_short(command, 25));
        }
        if draw.happens(50) {
            let names_device = draw.happens(50);
            line.extend(names_device.then(|| "dev".to_owned()));
            line.push(if names_device { (*draw.one(&NAMES)).to_owned() } else { self.value(draw) });
        }
        for _ in 0..*draw.one(&[0, 1, 1, 2, 2, 3, 4]) {
            match draw.below(10) {
                0..7 => {
                    let word: &String = draw.one(words);
                    line.push(draw.cut_short(word, 25));
                    if draw.happens(75) {
                        line.push(self.value(draw));
                    }
                }
                7 | 8 => line.push(self.value(draw)),
                _ => line.push((*draw.one(&["help", "-", "--", "dev", "'x y'", "''"])).to_owned()),
            }
        }
        line.join(" ")
    }
}

/// Draws commands, and returns what one of the two says to them and leaves behind.
fn answers(who: Who, program: Program, seed: u64) -> String {
    let words = Words::read(if program == Program::Ip { "ip" } else { "bridge" });
    let mut draw = Draw(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let lines: Vec<String> = (0..COMMANDS).map(|_| words.command(&mut draw)).collect();
    let table = Table { object: format!("drawn by {seed}"), program, arrange: table::network(), ..Table::default() };
    arranged(&table, |net| {
        let mut normal = Normal::new(&[table.arrange.join(" "), lines.join(" ")].concat());
        let mut text = String::new();
        let mut tell = |who, program, line: &String| {
            let words = split(line);
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            let mut said = net.run(match program {
                Program::Ip => net.command_of(who, &words),
                Program::Bridge => net.bridge_command_of(who, &words),
            });
            // `ip` complains of each process that it may not look at.
            said.stderr = said.stderr.split_inclusive('\n').filter(|line| !line.starts_with("readlink: ")).collect();
            let said = settled(&without_seconds(&without_times(program, without_timers(&normal.said(&said)))));
            text += &format!("$ {line}\n{}", in_order(said));
        };
        lines.iter().for_each(|line| tell(who, program, line));
        // One asks for both, so that only what is there can differ.
        STATE.iter().for_each(|line| tell(Who::VwireAsIp, Program::Ip, &(*line).to_owned()));
        text
    })
}

/// Puts the words about neighbours in order, which the kernel keeps by a number drawn by lot.
fn in_order(said: String) -> String {
    let marks = ["lladdr", "\"mac\"", " self ", " master br", " NOARP", "FAILED"];
    if !marks.iter().any(|mark| said.contains(mark)) {
        return said;
    }
    let mut words: Vec<&str> =
        said.split([' ', '\n', ',', '{', '}', '[', ']']).filter(|word| !word.is_empty()).collect();
    words.sort_unstable();
    words.join(" ") + "\n"
}

#[test]
fn what_is_drawn_is_answered_as_by_the_judge() {
    if !privileged() {
        return;
    }
    let programs = [Program::Ip, Program::Bridge];
    let seeds = std::env::var(SEEDS).ok();
    let Some((first, last)) = seeds.as_deref().and_then(|seeds| seeds.split_once('-')) else {
        for (seed, program) in (1..=OWN_SEEDS).flat_map(|seed| programs.map(|program| (seed, program))) {
            let ours = answers(Who::VwireAsIp, program, seed);
            hold_of_newer(&ours, || Some(answers(Who::Ip, program, seed)));
        }
        return;
    };
    assert!(judge().version >= (7, 0), "{SEEDS} needs a newer judge than {}: VWIRE_ORACLE_IP", judge().release);
    let [first, last] = [first, last].map(|seed| seed.parse::<u64>().expect("a seed is a number"));
    for (seed, program) in (first..=last).flat_map(|seed| programs.map(|program| (seed, program))) {
        println!("seed {seed} of {program:?}");
        assert_alike(&answers(Who::VwireAsIp, program, seed), &answers(Who::Ip, program, seed));
    }
}
