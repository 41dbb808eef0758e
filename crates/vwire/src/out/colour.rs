//! Which words of the output carry colour, and which codes the palette has.

/// A kind of word that is coloured, as `ip -c` colours it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Colour {
    /// A device's name.
    Device,
    /// A link-layer address.
    Mac,
    /// An IPv4 address.
    Inet,
    /// An IPv6 address.
    Inet6,
    /// The operational state UP.
    Up,
    /// The operational state DOWN.
    Down,
}

/// A palette for a dark or a light background.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Palette {
    /// For light text on a dark ground: bright colours.
    #[default]
    Dark,
    /// For dark text on a light ground.
    Light,
}

impl Palette {
    /// Chooses by the value of `COLORFGBG`, `FG;BG`: a ground that is said and is none of 0 to 6 and 8 is light.
    #[must_use]
    pub fn from_colorfgbg(value: Option<&str>) -> Self {
        match value.and_then(|value| value.rsplit_once(';')) {
            None | Some((_, "0" | "1" | "2" | "3" | "4" | "5" | "6" | "8")) => Self::Dark,
            Some(_) => Self::Light,
        }
    }

    /// Returns the SGR parameters of a colour.
    #[must_use]
    pub fn code(self, colour: Colour) -> &'static str {
        match (self, colour) {
            (Self::Dark, Colour::Device) => "1;36",
            (Self::Dark, Colour::Mac) => "1;33",
            (Self::Dark, Colour::Inet) => "1;35",
            (Self::Dark, Colour::Inet6) => "1;94",
            (Self::Dark, Colour::Up) => "1;32",
            (Self::Dark, Colour::Down) => "1;31",
            (Self::Light, Colour::Device) => "36",
            (Self::Light, Colour::Mac) => "33",
            (Self::Light, Colour::Inet) => "35",
            (Self::Light, Colour::Inet6) => "34",
            (Self::Light, Colour::Up) => "32",
            (Self::Light, Colour::Down) => "31",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ground_decides_the_palette() {
        assert_eq!(Palette::from_colorfgbg(None), Palette::Dark);
        assert_eq!(Palette::from_colorfgbg(Some("15;0")), Palette::Dark);
        assert_eq!(Palette::from_colorfgbg(Some("0;15")), Palette::Light);
        assert_eq!(Palette::from_colorfgbg(Some("0;8")), Palette::Dark);
        assert_eq!(Palette::from_colorfgbg(Some("15")), Palette::Dark);
        assert_eq!(Palette::from_colorfgbg(Some("0;default")), Palette::Light);
    }
}
