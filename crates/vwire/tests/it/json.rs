//! A strict reader of JSON, to hold to RFC 8259 what vwire prints.
//!
//! Strings are kept as bytes: a lone surrogate `\udc80` to `\udcff` stands for a byte that is no UTF-8, as Python's
//! `surrogateescape` has it. A control character that is not escaped, a comma too many, a member that comes twice, or
//! anything behind the document is an error.

/// A value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Json {
    Null,
    Bool(bool),
    /// As it is spelled.
    Number(String),
    String(Vec<u8>),
    Array(Vec<Json>),
    Object(Vec<(String, Json)>),
}

impl Json {
    /// Reads the one document that a text is.
    pub(crate) fn parse(text: &[u8]) -> Result<Self, String> {
        let mut reader = Reader { text, at: 0 };
        let value = reader.value()?;
        reader.blanks();
        if reader.at == text.len() { Ok(value) } else { Err(reader.wrong("something behind the document")) }
    }

    /// Returns the member of an object.
    #[track_caller]
    pub(crate) fn get(&self, name: &str) -> &Self {
        let Self::Object(members) = self else { panic!("no object: {self:?}") };
        let member = members.iter().find(|(known, _)| known == name);
        &member.unwrap_or_else(|| panic!("no `{name}` in {self:?}")).1
    }

    /// Returns the elements of an array.
    #[track_caller]
    pub(crate) fn elements(&self) -> &[Self] {
        let Self::Array(elements) = self else { panic!("no array: {self:?}") };
        elements
    }

    /// Returns a string that is text.
    #[track_caller]
    pub(crate) fn text(&self) -> &str {
        let Self::String(bytes) = self else { panic!("no string: {self:?}") };
        std::str::from_utf8(bytes).unwrap_or_else(|_| panic!("no text: {self:?}"))
    }

    /// Returns whether there is an object without members in it, or it is one.
    pub(crate) fn has_empty_object(&self) -> bool {
        match self {
            Self::Object(members) => members.is_empty() || members.iter().any(|(_, value)| value.has_empty_object()),
            Self::Array(elements) => elements.iter().any(Self::has_empty_object),
            _ => false,
        }
    }
}

struct Reader<'a> {
    text: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn wrong(&self, what: &str) -> String {
        let around = &self.text[self.at.saturating_sub(40)..(self.at + 20).min(self.text.len())];
        format!("{what} at byte {}, around {}", self.at, String::from_utf8_lossy(around))
    }

    fn blanks(&mut self) {
        while self.text.get(self.at).is_some_and(|byte| b" \t\r\n".contains(byte)) {
            self.at += 1;
        }
    }

    fn take(&mut self, words: &str) -> bool {
        let found = self.text[self.at..].starts_with(words.as_bytes());
        self.at += if found { words.len() } else { 0 };
        found
    }

    fn value(&mut self) -> Result<Json, String> {
        self.blanks();
        match self.text.get(self.at) {
            Some(b'{') => self.object(),
            Some(b'[') => self.array(),
            Some(b'"') => self.string().map(Json::String),
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ if self.take("null") => Ok(Json::Null),
            _ if self.take("true") => Ok(Json::Bool(true)),
            _ if self.take("false") => Ok(Json::Bool(false)),
            _ => Err(self.wrong("no value")),
        }
    }

    /// Reads what stands between brackets, with commas between.
    fn list<T>(&mut self, end: &str, mut one: impl FnMut(&mut Self) -> Result<T, String>) -> Result<Vec<T>, String> {
        self.at += 1;
        self.blanks();
        let mut all = Vec::new();
        if self.take(end) {
            return Ok(all);
        }
        loop {
            all.push(one(self)?);
            self.blanks();
            if self.take(end) {
                return Ok(all);
            }
            if !self.take(",") {
                return Err(self.wrong("neither a comma nor an end"));
            }
        }
    }

    fn array(&mut self) -> Result<Json, String> {
        self.list("]", Self::value).map(Json::Array)
    }

    fn object(&mut self) -> Result<Json, String> {
        let mut names = std::collections::HashSet::new();
        let members = self.list("}", |reader| {
            reader.blanks();
            if reader.text.get(reader.at) != Some(&b'"') {
                return Err(reader.wrong("no name"));
            }
            let name = String::from_utf8(reader.string()?).map_err(|_| reader.wrong("a name that is no text"))?;
            if !names.insert(name.clone()) {
                return Err(reader.wrong(&format!("`{name}` twice")));
            }
            reader.blanks();
            if !reader.take(":") {
                return Err(reader.wrong("no colon"));
            }
            Ok((name, reader.value()?))
        })?;
        Ok(Json::Object(members))
    }

    fn number(&mut self) -> Result<Json, String> {
        let start = self.at;
        self.take("-");
        let whole = self.digits();
        let leading_zero = whole.len() > 1 && whole.starts_with('0');
        let fraction = !self.take(".") || !self.digits().is_empty();
        if whole.is_empty() || leading_zero || !fraction {
            return Err(self.wrong("no number"));
        }
        Ok(Json::Number(String::from_utf8_lossy(&self.text[start..self.at]).into_owned()))
    }

    fn digits(&mut self) -> String {
        let start = self.at;
        while self.text.get(self.at).is_some_and(u8::is_ascii_digit) {
            self.at += 1;
        }
        String::from_utf8_lossy(&self.text[start..self.at]).into_owned()
    }

    fn string(&mut self) -> Result<Vec<u8>, String> {
        self.at += 1;
        let mut bytes = Vec::new();
        loop {
            let Some(&byte) = self.text.get(self.at) else { return Err(self.wrong("a string without an end")) };
            self.at += 1;
            match byte {
                b'"' => break,
                b'\\' => self.escape(&mut bytes)?,
                0..=0x1f => return Err(self.wrong("a control character")),
                _ => bytes.push(byte),
            }
        }
        // What is written as it is must be UTF-8; escaped surrogates put bytes behind that are none.
        if std::str::from_utf8(self.text).is_err() { Err(self.wrong("the document is no UTF-8")) } else { Ok(bytes) }
    }

    fn escape(&mut self, bytes: &mut Vec<u8>) -> Result<(), String> {
        let escape = self.text.get(self.at).copied().unwrap_or_default();
        self.at += 1;
        let plain = match escape {
            b'"' | b'\\' | b'/' => escape,
            b'b' => 8,
            b'f' => 12,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'u' => {
                let digits = self.text.get(self.at..self.at + 4).and_then(|digits| std::str::from_utf8(digits).ok());
                let code = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok());
                let code = code.ok_or_else(|| self.wrong("no four digits"))?;
                self.at += 4;
                match code {
                    0xdc80..=0xdcff => bytes.push(u8::try_from(code - 0xdc00).unwrap()),
                    _ => {
                        let letter = char::from_u32(code).ok_or_else(|| self.wrong("a surrogate"))?;
                        bytes.extend(letter.to_string().bytes());
                    }
                }
                return Ok(());
            }
            _ => return Err(self.wrong("an escape that is none")),
        };
        bytes.push(plain);
        Ok(())
    }
}

#[test]
fn what_is_json_is_read() {
    let read = Json::parse(b" {\"a\": [1, -2.5, null], \"b\\n\":\"x\\udcff\\u00e4\", \"c\" : {}}\n").unwrap();
    assert_eq!(read.get("a").elements()[1], Json::Number("-2.5".to_owned()));
    assert_eq!(*read.get("b\n"), Json::String(b"x\xff\xc3\xa4".to_vec()));
    assert!(read.has_empty_object());
}

#[test]
fn what_is_no_json_is_refused() {
    let wrong: [&[u8]; 12] = [
        b"",
        b"[1,]",
        b"[1 2]",
        b"{\"a\":1,\"a\":2}",
        b"{\"a\"}",
        b"[]\n[]",
        b"\"\x1b\"",
        b"\"\xff\"",
        b"\"\\x41\"",
        b"\"\\ud800\"",
        b"01",
        b"[",
    ];
    for text in wrong {
        assert!(Json::parse(text).is_err(), "{}", String::from_utf8_lossy(text));
    }
}
