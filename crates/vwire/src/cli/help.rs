//! What `vwire help` says: the verbs, the objects of `ip`'s grammar, and the options before them.

use super::ip;

/// The options before the object, and what they do.
const OPTIONS: &[(&str, &str)] = &[
    ("-n NAME", "in the namespace NAME"),
    ("-j, -p", "JSON; with line breaks"),
    ("-d, -s, -s -s", "details; counters; kinds of errors too"),
    ("-br, -o", "one short line, or one long line, a record"),
    ("-4, -6, -0", "IPv4, IPv6, the link layer alone"),
    ("-c[=auto|never]", "in colour"),
    ("-h, -N, -iec", "sizes with units; numbers for names; units of 1,024"),
    ("-a", "all, for `netns exec` and `netns del`"),
    ("--from FILE", "what a snapshot says, in the place of the kernel: for lists"),
    ("-b FILE", "commands from a file or from standard input (-), -force to go on after errors"),
    ("--plan", "show what would change, and change nothing"),
    ("--if-exists", "what is not there need not be changed or deleted"),
    ("--if-absent", "what is there already as asked for need not be made"),
    ("--replace", "what is there already becomes what is asked for"),
    ("--wait[=SECONDS]", "done when it can be used: carrier, no duplicate address"),
    ("--atomic", "with -b: all of it or nothing, as `vwire batch`"),
    ("-V", "the version"),
];

/// Returns the text.
#[must_use]
pub fn text() -> String {
    let mut text = "vwire: virtual wiring for Linux\n\n\
                    Usage: vwire VERB …            each has --help\n\
                    \x20      vwire [OPTIONS] OBJECT …  word for word as `ip`\n\nVerbs:\n"
        .to_owned();
    for verb in super::verbs() {
        let command = (verb.command)();
        let about = command.get_about().map(ToString::to_string).unwrap_or_default();
        text.push_str(&format!("  {:<16} {about}\n", command.get_name()));
    }
    text.push_str("\nObjects, each with `help`:\n");
    for (name, about) in ip::spoken_objects() {
        text.push_str(&format!("  {name:<16} {about}\n"));
    }
    text.push_str("\nWord for word as `bridge`, with `help`:\n");
    text.push_str("  bridge           ports, addresses, VLANs and groups of bridges: show, change, monitor\n");
    text.push_str("\nOptions before the object, each may be cut short:\n");
    for (option, about) in OPTIONS {
        text.push_str(&format!("  {option:<16} {about}\n"));
    }
    text
}
