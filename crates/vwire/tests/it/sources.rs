//! Reads the repository's own files, for the tests that hold its rules.
//!
//! [`Source`] keeps several views of one Rust file, all of the same length, so that an offset means the same line in
//! each: with and without literals, with and without tests.

use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// What is not the repository's own: build output, version control, what fuzzing leaves.
const NOT_OURS: &[&str] = &["target", ".git", "corpus", "artifacts", "coverage"];

/// Returns the top directory of the repository.
pub(crate) fn top() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("the crate is in its repository")
}

/// Returns each text file of the repository, in order: its path from the top, and what it says.
pub(crate) fn files() -> Vec<(String, String)> {
    let mut found = Vec::new();
    walk(&top(), "", &mut found);
    found.sort();
    found
}

fn walk(directory: &Path, below: &str, found: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(directory).expect("the directory can be read").flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let Ok(kind) = entry.file_type() else { continue };
        if NOT_OURS.contains(&name.as_str()) {
            continue;
        }
        if kind.is_dir() {
            walk(&entry.path(), &format!("{below}{name}/"), found);
        } else if kind.is_file()
            && let Ok(text) = fs::read_to_string(entry.path())
        {
            found.push((format!("{below}{name}"), text));
        }
    }
}

/// One file, in the views that rules look at.
pub(crate) struct Source<'a> {
    /// From the top of the repository, with `/` between.
    pub(crate) path: &'a str,
    /// As it is.
    pub(crate) text: &'a str,
    /// Without comments.
    pub(crate) uncommented: String,
    /// Without comments and without what literals hold.
    pub(crate) code: String,
    /// The code without what is compiled for tests only.
    pub(crate) product: String,
}

impl<'a> Source<'a> {
    /// Makes the views of a file.
    pub(crate) fn new(path: &'a str, text: &'a str) -> Self {
        let uncommented = blank(text, Keep::Literals);
        let code = blank(text, Keep::Code);
        let mut product = code.clone().into_bytes();
        for range in test_items(&code) {
            erase(&mut product, range);
        }
        if path.ends_with("/tests.rs") || path.contains("/tests/") || path.contains("/fuzz/") {
            product.fill(b'\n');
        }
        Self { path, text, uncommented, code, product: into_text(product) }
    }

    /// Tells whether the file is Rust.
    pub(crate) fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }

    /// Tells whether the file is Rust that users get.
    pub(crate) fn is_product(&self) -> bool {
        self.is_rust()
            && self.path.starts_with("crates/")
            && self.path.contains("/src/")
            && !self.path.contains("/fuzz/")
    }

    /// Returns the number of the line that an offset is in, from 1.
    pub(crate) fn line(&self, offset: usize) -> usize {
        1 + self.text.bytes().take(offset).filter(|&byte| byte == b'\n').count()
    }

    /// Counts the lines that are not in test modules.
    pub(crate) fn lines_without_tests(&self) -> usize {
        let tests = test_items(&self.code);
        let in_tests = tests.into_iter().map(|range| self.line(range.end) - self.line(range.start) + 1).sum::<usize>();
        self.text.lines().count().saturating_sub(in_tests)
    }
}

/// What [`blank`] leaves in place.
#[derive(Clone, Copy, PartialEq)]
enum Keep {
    /// All but comments.
    Literals,
    /// All but comments and the insides of literals.
    Code,
}

/// Replaces comments, and literals unless they are kept, by spaces.
fn blank(text: &str, keep: Keep) -> String {
    let bytes = text.as_bytes();
    let mut out = bytes.to_vec();
    let mut at = 0;
    while at < bytes.len() {
        let rest = &bytes[at..];
        if rest.starts_with(b"//") {
            let end = at + rest.iter().position(|&byte| byte == b'\n').unwrap_or(rest.len());
            erase(&mut out, at..end);
            at = end;
        } else if rest.starts_with(b"/*") {
            let end = at + comment_length(rest);
            erase(&mut out, at..end);
            at = end;
        } else if let Some(Literal { inside, length }) = literal(rest, at > 0 && is_word(bytes[at - 1])) {
            if keep == Keep::Code {
                erase(&mut out, at + inside.start..at + inside.end);
            }
            at += length;
        } else {
            at += 1;
        }
    }
    into_text(out)
}

/// Returns the length of a `/* … */` comment, which may hold others.
fn comment_length(rest: &[u8]) -> usize {
    let (mut at, mut depth) = (0, 0);
    while at < rest.len() {
        match &rest[at..] {
            [b'/', b'*', ..] => (depth, at) = (depth + 1, at + 2),
            [b'*', b'/', ..] if depth == 1 => return at + 2,
            [b'*', b'/', ..] => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
    }
    rest.len()
}

/// A literal: where its inside is, and how long all of it is.
struct Literal {
    inside: Range<usize>,
    length: usize,
}

/// Returns the literal that begins at the first byte, if one does.
fn literal(rest: &[u8], behind_word: bool) -> Option<Literal> {
    match rest {
        [b'"', ..] => Some(quoted(rest, 0)),
        [b'r' | b'b' | b'c', ..] if !behind_word => lettered(rest),
        [b'\'', b'\\', ..] => Some(quoted(rest, 0)),
        // `'a'` is a character, `'a` a lifetime.
        [b'\'', ..] => {
            let width = rest.get(1..)?.utf8_chunks().next()?.valid().chars().next()?.len_utf8();
            (rest.get(1 + width) == Some(&b'\'')).then(|| Literal { inside: 1..1 + width, length: 2 + width })
        }
        _ => None,
    }
}

/// Returns a literal that letters stand before: `b"…"`, `r#"…"#`, `b'…'`.
fn lettered(rest: &[u8]) -> Option<Literal> {
    let letters = rest.iter().take_while(|byte| matches!(byte, b'r' | b'b' | b'c')).count();
    let hashes = rest[letters..].iter().take_while(|&&byte| byte == b'#').count();
    let open = letters + hashes + 1;
    let quote = *rest.get(open - 1)?;
    let raw = rest[..letters].contains(&b'r');
    if !raw {
        return (hashes == 0 && matches!(quote, b'"' | b'\'')).then(|| quoted(rest, letters));
    }
    let close: Vec<u8> = std::iter::once(b'"').chain(std::iter::repeat_n(b'#', hashes)).collect();
    let end = open + rest.get(open..)?.windows(close.len()).position(|window| window == close)?;
    (quote == b'"').then(|| Literal { inside: open..end, length: end + close.len() })
}

/// Returns the literal whose quote stands at `open`; a backslash takes the next byte with it.
fn quoted(rest: &[u8], open: usize) -> Literal {
    let mut at = open + 1;
    while at < rest.len() && rest[at] != rest[open] {
        at += if rest[at] == b'\\' { 2 } else { 1 };
    }
    let end = at.min(rest.len());
    Literal { inside: open + 1..end, length: (end + 1).min(rest.len()) }
}

/// Returns where the items marked `#[cfg(test)]` are.
fn test_items(code: &str) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    for (start, mark) in code.match_indices("#[cfg(test)]").chain(code.match_indices("#[cfg(all(test,")) {
        if !found.iter().any(|range| range.contains(&start)) {
            found.push(start..item_end(code, start + mark.len()));
        }
    }
    found
}

/// Returns where an item ends: behind its first `;`, or behind the brace that closes its first.
fn item_end(code: &str, from: usize) -> usize {
    let mut depth = 0;
    for (offset, byte) in code.bytes().enumerate().skip(from) {
        match byte {
            b';' if depth == 0 => return offset + 1,
            b'{' => depth += 1,
            b'}' if depth <= 1 => return offset + 1,
            b'}' => depth -= 1,
            _ => {}
        }
    }
    code.len()
}

fn erase(bytes: &mut [u8], range: Range<usize>) {
    for byte in bytes.get_mut(range).unwrap_or_default() {
        if *byte != b'\n' {
            *byte = b' ';
        }
    }
}

fn into_text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).expect("whole literals and comments were blanked")
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// Returns the offset of each place where a whole word stands.
pub(crate) fn words<'a>(code: &'a str, word: &'a str) -> impl Iterator<Item = usize> + 'a {
    let bytes = code.as_bytes();
    code.match_indices(word).map(|(offset, _)| offset).filter(move |&offset| {
        let before = offset.checked_sub(1).and_then(|before| bytes.get(before));
        let behind = bytes.get(offset + word.len());
        !before.is_some_and(|&byte| is_word(byte)) && !behind.is_some_and(|&byte| is_word(byte))
    })
}

/// Returns each path that the code names, `use` trees spread out: `std::{fs, io::Write}` is two.
pub(crate) fn paths(code: &str) -> Vec<(usize, String)> {
    let tokens = tokens(code);
    let mut found = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let (_, token) = tokens[at];
        if token == "use" && tokens.get(at + 1).is_some_and(|(_, next)| *next != "<") {
            at = use_tree(&tokens, at + 1, "", &mut found);
        } else if is_name(token) {
            at = plain_path(&tokens, at, &mut found);
        } else {
            at += 1;
        }
    }
    found
}

fn plain_path(tokens: &[(usize, &str)], mut at: usize, found: &mut Vec<(usize, String)>) -> usize {
    let (offset, first) = tokens[at];
    let mut path = first.to_owned();
    at += 1;
    while let Some([(_, "::"), (_, next)]) = tokens.get(at..at + 2)
        && is_name(next)
    {
        path = format!("{path}::{next}");
        at += 2;
    }
    found.push((offset, path));
    at
}

/// Reads one branch of a `use` tree and returns the index behind it.
fn use_tree(tokens: &[(usize, &str)], mut at: usize, above: &str, found: &mut Vec<(usize, String)>) -> usize {
    let mut path = above.to_owned();
    let start = tokens.get(at).map_or(0, |(offset, _)| *offset);
    let mut leaf = true;
    while let Some(&(_, token)) = tokens.get(at) {
        match token {
            "{" => {
                leaf = false;
                at += 1;
                while !matches!(tokens.get(at), None | Some((_, "}" | ";"))) {
                    at = use_tree(tokens, at, &path, found);
                    at += usize::from(matches!(tokens.get(at), Some((_, ","))));
                }
                at += usize::from(matches!(tokens.get(at), Some((_, "}"))));
            }
            "," | "}" | ";" => break,
            "as" => at += 2,
            "::" | "self" if !path.is_empty() => at += 1,
            _ => {
                path = if path.is_empty() { token.to_owned() } else { format!("{path}::{token}") };
                at += 1;
            }
        }
    }
    if leaf {
        found.push((start, path));
    }
    at
}

fn is_name(token: &str) -> bool {
    token.bytes().next().is_some_and(|byte| is_word(byte) && !byte.is_ascii_digit())
}

fn tokens(code: &str) -> Vec<(usize, &str)> {
    let bytes = code.as_bytes();
    let mut found = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let length = match bytes[at] {
            byte if byte.is_ascii_whitespace() || !byte.is_ascii() => {
                at += 1;
                continue;
            }
            byte if is_word(byte) => bytes[at..].iter().take_while(|&&byte| is_word(byte)).count(),
            b':' if bytes.get(at + 1) == Some(&b':') => 2,
            _ => 1,
        };
        found.push((at, &code[at..at + length]));
        at += length;
    }
    found
}

/// Returns the crates that a manifest depends on, for whatever purpose.
pub(crate) fn dependencies(manifest: &str) -> Vec<String> {
    let mut found = Vec::new();
    let (mut inside, mut open) = (false, 0);
    for line in manifest.lines().map(|line| line.split('#').next().unwrap_or_default().trim()) {
        if let Some(section) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']'))
            && open == 0
        {
            let (kind, name) = match section.rsplit_once('.') {
                Some((kind, name)) if kind.ends_with("dependencies") => (kind, Some(name)),
                _ => (section, None),
            };
            inside = name.is_none() && kind.ends_with("dependencies") && kind != "workspace.dependencies";
            found.extend(name.filter(|_| kind != "workspace").map(str::to_owned));
            continue;
        }
        if inside
            && open == 0
            && let Some((key, _)) = line.split_once('=')
        {
            found.extend(key.trim().split('.').next().map(|name| name.trim_matches('"').to_owned()));
        }
        let count = |of: &[char]| line.matches(of).count();
        open = (open + count(&['[', '{'])).saturating_sub(count(&[']', '}']));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_literals_are_blanked_and_lifetimes_are_not() {
        let text = "let s: &'a str = \"un//safe\"; // unsafe\nlet c = '\"'; let r = r#\"a\"b\"#; /* x /* y */ z */ end";
        let source = Source::new("a.rs", text);
        assert_eq!(
            source.code,
            "let s: &'a str = \"        \";          \nlet c = ' '; let r = r#\"   \"#;                   end"
        );
        assert!(source.uncommented.contains("un//safe") && !source.uncommented.contains("// unsafe"));
        assert_eq!(source.code.len(), text.len());
    }

    #[test]
    fn test_modules_are_no_product() {
        let text = "fn a() {}\n#[cfg(test)]\nmod tests {\n    fn b() { {} }\n}\nfn c() {}\n";
        let source = Source::new("crates/x/src/a.rs", text);
        assert!(source.product.contains("fn a") && source.product.contains("fn c") && !source.product.contains("fn b"));
        assert_eq!(source.lines_without_tests(), 2);
    }

    #[test]
    fn use_trees_are_spread_out() {
        let code = "use std::{fs, io::{self, Write as _}}; use super::*; let x = crate::out::Printer::new::<u8>();";
        let found: Vec<String> = paths(code).into_iter().map(|(_, path)| path).collect();
        for path in ["std::fs", "std::io", "std::io::Write", "super::*", "crate::out::Printer::new"] {
            assert!(found.iter().any(|found| found == path), "{path} in {found:?}");
        }
    }

    #[test]
    fn manifests_are_read_in_each_of_their_forms() {
        let manifest = "[package]\nname = \"x\"\n[dependencies]\na = \"1\"\nb.workspace = true\nc = { version = \"1\", features = [\n  \"d=e\",\n] }\n[dev-dependencies.f]\nversion = \"1\"\n[target.'cfg(unix)'.dependencies]\ng = \"1\" # why\n[features]\nh = []\n";
        assert_eq!(dependencies(manifest), ["a", "b", "c", "f", "g"]);
    }
}
