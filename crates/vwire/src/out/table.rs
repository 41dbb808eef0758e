//! Lays out tables for people: columns as wide as they must be, empty ones left out.
//!
//! Where a table is wider than the terminal, cells are broken at their blanks, the widest column
//! first; then the columns that may be spared go; then the last columns are told below their row,
//! each fact with its heading. A word is never broken: names and addresses are there to be copied.

/// A table: headings, and rows whose cells may have several lines.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Table {
    /// The headings of the columns.
    pub headings: Vec<String>,
    /// The rows; a row with fewer cells than headings ends with empty ones.
    pub rows: Vec<Vec<Cell>>,
    /// How many of the last columns are left out where there is no room.
    pub spare: usize,
}

/// The lines of one cell, and how it is set apart on a terminal.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cell {
    /// The lines.
    pub lines: Vec<String>,
    /// The weight of the text where colour is allowed.
    pub tone: Tone,
}

/// How a cell is set apart where colour is allowed; the words say the same without it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Tone {
    /// As the terminal has it.
    #[default]
    Plain,
    /// What the row is about.
    Strong,
    /// All is well.
    Good,
    /// Worth a look.
    Attention,
    /// Of less weight.
    Faint,
}

impl Tone {
    fn code(self) -> Option<&'static str> {
        match self {
            Self::Plain => None,
            Self::Strong => Some("1"),
            Self::Good => Some("32"),
            Self::Attention => Some("33"),
            Self::Faint => Some("2"),
        }
    }
}

impl Cell {
    /// Makes a cell of one line, or of none for an empty text.
    pub fn line(text: impl Into<String>) -> Self {
        let text = text.into();
        Self { lines: if text.is_empty() { vec![] } else { vec![text] }, tone: Tone::Plain }
    }

    /// Makes a cell of several lines.
    pub fn lines(lines: impl IntoIterator<Item = String>) -> Self {
        Self { lines: lines.into_iter().collect(), tone: Tone::Plain }
    }

    /// Sets the tone.
    #[must_use]
    pub fn toned(self, tone: Tone) -> Self {
        Self { tone, ..self }
    }

    fn width(&self) -> usize {
        self.lines.iter().map(|line| width(line)).max().unwrap_or(0)
    }

    fn widest_word(&self) -> usize {
        self.lines.iter().flat_map(|line| line.split(' ')).map(width).max().unwrap_or(0)
    }

    /// Returns the cell with its lines broken at blanks, to fit a width.
    fn broken(&self, room: usize) -> Self {
        let mut lines: Vec<String> = Vec::new();
        for line in &self.lines {
            let mut begun = String::new();
            for word in line.split(' ') {
                if !begun.is_empty() && width(&begun) + 1 + width(word) > room {
                    lines.push(std::mem::take(&mut begun));
                }
                if !begun.is_empty() {
                    begun.push(' ');
                }
                begun.push_str(word);
            }
            lines.push(begun);
        }
        Self { lines, tone: self.tone }
    }
}

/// Returns how many columns a text takes, which is its number of characters for names and addresses.
fn width(text: &str) -> usize {
    text.chars().count()
}

impl Table {
    /// Lays the table out, within a width if one is given; columns without any content are left out.
    #[must_use]
    pub fn render(&self, colour: bool, room: Option<usize>) -> String {
        let (beside, below) = self.columns(room.unwrap_or(usize::MAX));
        let mut text =
            render_row(&beside.iter().map(|column| (self.heading(column), column.width)).collect::<Vec<_>>(), colour);
        let indent = beside.first().map_or(0, |column| column.width + GAP);
        for row in &self.rows {
            let cell =
                |column: &Column| row.get(column.index).map(|cell| cell.broken(column.width)).unwrap_or_default();
            let cells: Vec<_> = beside.iter().map(|column| (cell(column), column.width)).collect();
            text.push_str(&render_row(&cells, colour));
            for column in &below {
                let cell = cell(column);
                if !cell.lines.is_empty() {
                    let heading = self.heading(column);
                    let width = heading.width();
                    text.push_str(&render_row(
                        &[(Cell::default(), indent.saturating_sub(GAP)), (heading, width), (cell, 0)],
                        colour,
                    ));
                }
            }
        }
        text
    }

    fn heading(&self, column: &Column) -> Cell {
        Cell::line(self.headings.get(column.index).cloned().unwrap_or_default()).toned(Tone::Faint)
    }

    /// Returns the columns that stand side by side, each as wide as there is room for, and those told below.
    fn columns(&self, room: usize) -> (Vec<Column>, Vec<Column>) {
        let cells = |column: usize| self.rows.iter().filter_map(move |row| row.get(column));
        let mut beside: Vec<Column> = Vec::new();
        for (index, heading) in self.headings.iter().enumerate() {
            let widest = cells(index).map(Cell::width).max().unwrap_or(0);
            if widest > 0 {
                let word = cells(index).map(Cell::widest_word).max().unwrap_or(0);
                let least = word.max(widest.min(NARROW)).max(width(heading));
                beside.push(Column { index, width: widest.max(width(heading)), least });
            }
        }
        let mut below = Vec::new();
        let taken = |columns: &[Column]| columns.iter().map(|column| column.width + GAP).sum::<usize>();
        while taken(&beside) > room.saturating_add(GAP) {
            let breakable = beside.iter_mut().filter(|column| column.width > column.least);
            if let Some(widest) = breakable.max_by_key(|column| column.width) {
                widest.width -= 1;
                continue;
            }
            let Some(mut last) = beside.pop_if(|column| column.index > 0) else { break };
            if last.index + self.spare < self.headings.len() {
                last.width = usize::MAX;
                below.insert(0, last);
            }
            // What was broken for a column that went may be whole again.
            for column in &mut beside {
                column.width = cells(column.index).map(Cell::width).max().unwrap_or(0).max(column.least);
            }
        }
        (beside, below)
    }
}

/// A column: how wide it is, and how narrow it may become.
struct Column {
    index: usize,
    width: usize,
    least: usize,
}

/// How narrow a column of several words may become: less is hard to read.
const NARROW: usize = 18;
/// The blanks between two columns.
const GAP: usize = 2;

fn render_row(cells: &[(Cell, usize)], colour: bool) -> String {
    let height = cells.iter().map(|(cell, _)| cell.lines.len()).max().unwrap_or(0).max(1);
    let mut text = String::new();
    for index in 0..height {
        let mut line = String::new();
        let mut gap = 0;
        for (cell, cell_width) in cells {
            let words = cell.lines.get(index).map_or("", String::as_str);
            if !words.is_empty() {
                line.extend(std::iter::repeat_n(' ', gap));
                match cell.tone.code().filter(|_| colour) {
                    Some(code) => line.push_str(&format!("\x1b[{code}m{words}\x1b[0m")),
                    None => line.push_str(words),
                }
                gap = 0;
            }
            gap += cell_width.saturating_sub(width(words)) + GAP;
        }
        text.push_str(&line);
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Table {
        Table {
            headings: ["DEVICE", "KIND", "MASTER", "ADDRESSES"].map(String::from).to_vec(),
            rows: vec![
                vec![
                    Cell::line("tap0").toned(Tone::Strong),
                    Cell::line("tap"),
                    Cell::line(""),
                    Cell::lines(["10.0.0.1/24".to_owned(), "fe80::1/64".to_owned()]),
                ],
                vec![Cell::line("lo"), Cell::line("loopback")],
            ],
            spare: 0,
        }
    }

    #[test]
    fn columns_fit_and_empty_ones_are_left_out() {
        let wanted = "DEVICE  KIND      ADDRESSES\n\
                      tap0    tap       10.0.0.1/24\n\
                      \x20                 fe80::1/64\n\
                      lo      loopback\n";
        assert_eq!(sample().render(false, None), wanted);
    }

    #[test]
    fn colour_does_not_move_the_columns() {
        let coloured = sample().render(true, None);
        let mut bare = coloured.clone();
        for code in ["\x1b[1m", "\x1b[2m", "\x1b[0m"] {
            bare = bare.replace(code, "");
        }
        assert_eq!(bare, sample().render(false, None));
    }

    #[test]
    fn a_narrow_terminal_breaks_cells_at_blanks_spares_a_column_and_tells_the_rest_below() {
        let state = "down, and nobody has opened it";
        let other = Cell::line("ep2 in right");
        let table = Table {
            headings: ["DEVICE", "STATE", "OTHER END", "MAC"].map(String::from).to_vec(),
            rows: vec![vec![Cell::line("tap0"), Cell::line(state), other, Cell::line("fa:ca:1e:e8:cd:17")]],
            spare: 1,
        };
        let broken = "DEVICE  STATE               OTHER END     MAC\n\
                      tap0    down, and nobody    ep2 in right  fa:ca:1e:e8:cd:17\n\
                      \x20       has opened it\n";
        assert_eq!(table.render(false, Some(59)), broken);
        let spared = "DEVICE  STATE               OTHER END\n\
                      tap0    down, and nobody    ep2 in right\n\
                      \x20       has opened it\n";
        assert_eq!(table.render(false, Some(40)), spared);
        let below = "DEVICE  STATE\n\
                     tap0    down, and nobody has\n\
                     \x20       opened it\n\
                     \x20       OTHER END  ep2 in right\n";
        assert_eq!(table.render(false, Some(30)), below);
    }
}
