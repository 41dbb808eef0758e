//! Lays out tables for people: columns as wide as they must be, empty ones left out.

/// A table: headings, and rows whose cells may have several lines.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Table {
    /// The headings of the columns.
    pub headings: Vec<String>,
    /// The rows; a row with fewer cells than headings ends with empty ones.
    pub rows: Vec<Vec<Cell>>,
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
}

/// Returns how many columns a text takes, which is its number of characters for names and addresses.
fn width(text: &str) -> usize {
    text.chars().count()
}

impl Table {
    /// Lays the table out; columns without any content are left out.
    #[must_use]
    pub fn render(&self, colour: bool) -> String {
        let empty = Cell::default();
        let cell = |row: &'_ [Cell], column: usize| row.get(column).cloned().unwrap_or_else(|| empty.clone());
        let used: Vec<(usize, usize)> = (0..self.headings.len())
            .filter_map(|column| {
                let widest = self.rows.iter().map(|row| cell(row, column).width()).max().unwrap_or(0);
                (widest > 0).then(|| (column, widest.max(width(&self.headings[column]))))
            })
            .collect();
        let heading =
            used.iter().map(|(column, width)| (Cell::line(self.headings[*column].clone()).toned(Tone::Faint), *width));
        let mut text = render_row(&heading.collect::<Vec<_>>(), colour);
        for row in &self.rows {
            let cells: Vec<_> = used.iter().map(|(column, width)| (cell(row, *column), *width)).collect();
            text.push_str(&render_row(&cells, colour));
        }
        text
    }
}

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
            gap += cell_width - width(words) + 2;
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
        }
    }

    #[test]
    fn columns_fit_and_empty_ones_are_left_out() {
        let wanted = "DEVICE  KIND      ADDRESSES\n\
                      tap0    tap       10.0.0.1/24\n\
                      \x20                 fe80::1/64\n\
                      lo      loopback\n";
        assert_eq!(sample().render(false), wanted);
    }

    #[test]
    fn colour_does_not_move_the_columns() {
        let coloured = sample().render(true);
        let mut bare = coloured.clone();
        for code in ["\x1b[1m", "\x1b[2m", "\x1b[0m"] {
            bare = bare.replace(code, "");
        }
        assert_eq!(bare, sample().render(false));
    }
}
