//! `ip rule save` and `restore`: rules in a file.

use vwire_netlink::{MessageType, Request, Rule};

use super::show::{family, refused};
use crate::cli::ip::failure::EXIT_SEMANTIC;
use crate::cli::ip::saved::{self, Sort};
use crate::cli::ip::words::Words;
use crate::cli::ip::{Failure, Ip};

const RULES: Sort = Sort { magic: 0x7170_6986, ip: "rule", objects: "rules", how: "`vwire rule save > rules.bin`" };

/// Runs `ip rule save`: writes the rules to standard output.
///
/// # Errors
/// A word, a terminal for output, or what the kernel refuses.
pub fn save(ip: &mut Ip<'_>, words: &Words<'_>) -> Result<(), Failure> {
    if !words.is_empty() {
        return Err(Failure::new(
            EXIT_SEMANTIC,
            "\"ip rule save\" does not take any arguments.",
            "all rules of a family are saved; nothing can be chosen",
        ));
    }
    RULES.refuse_terminal()?;
    let wanted = Rule { family: family(ip), ..Rule::default() };
    let request = Request::dump(MessageType::GETRULE, &wanted);
    let messages = ip.socket()?.dump(&request, |message| Ok(saved::bytes_of(message)));
    let messages = messages.map_err(|error| refused(&error))?;
    RULES.write(ip, &messages)
}

/// Runs `ip rule restore`: makes the rules that a file on standard input has, beside those that are there.
///
/// # Errors
/// Standard input is no such file, or the kernel refuses a rule.
pub fn restore(ip: &mut Ip<'_>) -> Result<(), Failure> {
    ip.refuse_in_whole("what is restored is read from standard input, and only once")?;
    let file = RULES.read()?;
    let (messages, end) = saved::cut(&file);
    for message in &messages {
        saved::restore(ip, message, "cannot restore a rule")?;
    }
    end
}
