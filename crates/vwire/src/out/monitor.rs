//! Prints what stands in front of a change: when, in which namespace, of which sort, and whether it is gone.
//!
//! In text that is `ip monitor`'s heading. In JSON it is vwire's own: each change is one object on one line, with the
//! members that the object has in `ip -j` behind it.

use super::Printer;

/// A sort of object that changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subject {
    /// Its name in JSON.
    pub name: &'static str,
    /// Its label in text.
    pub label: &'static str,
}

/// What became of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// It is new, or another.
    New,
    /// It is gone.
    Deleted,
    /// The kernel has it not and asks who knows it.
    Missed,
}

/// When something changed, by the clock on the wall.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Time {
    /// The year.
    pub year: i32,
    /// The month, from 1.
    pub month: u8,
    /// The day of the month, from 1.
    pub day: u8,
    /// The day of the week, Sunday is 0.
    pub week_day: u8,
    /// The hour.
    pub hour: u8,
    /// The minute.
    pub minute: u8,
    /// The second.
    pub second: u8,
    /// The millionth of a second.
    pub microsecond: u32,
    /// How far it is ahead of UTC, in seconds.
    pub offset: i32,
}

/// How a time is spelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeStyle {
    /// On a line of its own: `-t`.
    Long,
    /// In brackets: `-ts`.
    Short,
}

/// What stands in front of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Heading {
    /// Of which sort it is.
    pub subject: Subject,
    /// What became of it.
    pub change: Change,
    /// Where namespaces are told apart: the id of the one it is in; the inner None is the monitor's own.
    pub namespace: Option<Option<i32>>,
    /// When it was.
    pub time: Time,
    /// Whether and how text tells the time.
    pub time_style: Option<TimeStyle>,
    /// Whether text tells the sort.
    pub labelled: bool,
}

/// Opens a change.
pub fn open(p: &mut Printer, heading: &Heading) {
    p.open_object(None);
    p.string_json("event", if heading.change == Change::Deleted { "del" } else { "new" });
    p.string_json("object", heading.subject.name);
    p.string_json("timestamp", rfc3339(&heading.time));
    match heading.time_style {
        Some(TimeStyle::Long) => {
            p.text(format!("Timestamp: {} {} usec\n", long(&heading.time), heading.time.microsecond))
        }
        Some(TimeStyle::Short) => p.text(format!("[{}] ", short(&heading.time))),
        None => {}
    }
    match heading.namespace {
        Some(Some(id)) => {
            p.number_json("nsid", id);
            p.text(format!("[nsid {id}]"));
        }
        Some(None) => {
            p.literal_json("nsid", "null");
            p.text("[nsid current]");
        }
        None => {}
    }
    if heading.labelled {
        p.text(heading.subject.label);
    }
    match heading.change {
        Change::New => {}
        Change::Deleted => p.text("Deleted "),
        Change::Missed => p.null("miss", "miss "),
    }
}

/// Closes a change: in JSON, ends its line.
pub fn close(p: &mut Printer) {
    p.close_object();
    if p.is_json() {
        p.verbatim("\n");
    }
}

/// Prints the time that a file has of what follows.
pub fn print_time(p: &mut Printer, time: &Time) {
    p.text(format!("Timestamp: {} {} us\n", long(time), time.microsecond));
}

/// Spells a time as C's `asctime` does.
fn long(time: &Time) -> String {
    const DAYS: [&str; 7] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let day = DAYS.get(usize::from(time.week_day)).unwrap_or(&"???");
    let month = usize::from(time.month).checked_sub(1).and_then(|month| MONTHS.get(month)).unwrap_or(&"???");
    let Time { hour, minute, second, year, .. } = time;
    format!("{day} {month}{:3} {hour:02}:{minute:02}:{second:02} {year}", time.day)
}

fn short(time: &Time) -> String {
    let Time { year, month, day, hour, minute, second, microsecond, .. } = time;
    format!("{year}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{microsecond:06}")
}

fn rfc3339(time: &Time) -> String {
    let minutes = time.offset.abs() / 60;
    let sign = if time.offset < 0 { '-' } else { '+' };
    format!("{}{sign}{:02}:{:02}", short(time), minutes / 60, minutes % 60)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::out::Layout;

    const HEADING: Heading = Heading {
        subject: Subject { name: "link", label: "[LINK]" },
        change: Change::Deleted,
        namespace: Some(Some(7)),
        time: Time {
            year: 2026,
            month: 11,
            day: 3,
            week_day: 1,
            hour: 19,
            minute: 29,
            second: 5,
            microsecond: 2155,
            offset: -12_600,
        },
        time_style: None,
        labelled: true,
    };

    fn printed(heading: Heading, json: bool) -> String {
        let mut p = Printer::new(Layout { json, ..Layout::default() });
        open(&mut p, &heading);
        close(&mut p);
        String::from_utf8(p.take()).unwrap()
    }

    #[test]
    fn text_has_ips_heading() {
        assert_eq!(printed(HEADING, false), "[nsid 7][LINK]Deleted ");
        let own = Heading { namespace: Some(None), labelled: false, change: Change::New, ..HEADING };
        assert_eq!(printed(own, false), "[nsid current]");
        let short = Heading { namespace: None, time_style: Some(TimeStyle::Short), ..HEADING };
        assert_eq!(printed(short, false), "[2026-11-03T19:29:05.002155] [LINK]Deleted ");
        let long = Heading { namespace: None, time_style: Some(TimeStyle::Long), ..HEADING };
        assert_eq!(printed(long, false), "Timestamp: Mon Nov  3 19:29:05 2026 2155 usec\n[LINK]Deleted ");
    }

    #[test]
    fn json_is_an_object_on_a_line() {
        let wanted = "{\"event\":\"del\",\"object\":\"link\",\"timestamp\":\"2026-11-03T19:29:05.002155-03:30\",\
                      \"nsid\":7}\n";
        assert_eq!(printed(HEADING, true), wanted);
    }
}
