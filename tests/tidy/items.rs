//! The items that a Rust source defines, and the types that have them.
//!
//! The sources are formatted: a header such as `impl Type {` begins a line.

/// Keywords in front of the name of an item.
const KEYWORDS: [&str; 8] = ["fn", "struct", "enum", "trait", "const", "static", "type", "mod"];

/// Keywords in front of a block that has items.
const OWNERS: [&str; 5] = ["impl", "trait", "enum", "struct", "mod"];

/// Returns true if this code, without comments and literals, defines `item` or `Owner::item`. With
/// `…` at its end, an item is the beginning of a name.
pub(crate) fn defines(code: &str, item: &str) -> bool {
    match item.rsplit_once("::") {
        None => declares(code, item) || blocks(code).any(|block| block.has_part(item)),
        Some((owner, name)) => blocks(code)
            .filter(|block| block.owner == owner)
            .any(|block| declares(block.body, name) || block.has_part(name)),
    }
}

/// A block of items, as `impl Owner { … }`.
struct Block<'a> {
    keyword: &'a str,
    owner: &'a str,
    body: &'a str,
}

impl Block<'_> {
    /// Returns true for a variant of an enum or a field of a struct.
    fn has_part(&self, name: &str) -> bool {
        let begins = |line: &str| rest_of(line, name).is_some_and(|rest| ends_name(name, rest));
        let lines = || self.body.lines().map(without_visibility);
        match self.keyword {
            "enum" => lines().any(begins),
            "struct" => lines().any(|line| begins(line) && line.contains(':')),
            _ => false,
        }
    }
}

/// Iterates over the blocks of items, also of those within others.
fn blocks(code: &str) -> impl Iterator<Item = Block<'_>> {
    let starts = std::iter::once(0).chain(code.match_indices('\n').map(|(at, _)| at + 1));
    starts.filter_map(|start| block(without_visibility(code.get(start..)?)))
}

/// Returns the block whose header begins the text.
fn block(text: &str) -> Option<Block<'_>> {
    let text = text.strip_prefix("unsafe ").unwrap_or(text);
    let is_header = |keyword: &&&str| {
        text.strip_prefix(**keyword).is_some_and(|rest| rest.starts_with([' ', '<']))
    };
    let keyword = *OWNERS.iter().find(is_header)?;
    let end = text.find(['{', ';'])?;
    let (header, body) = text.split_at(end);
    let body = body.strip_prefix('{')?;
    let owner = owner(header.strip_prefix(keyword)?, keyword);
    Some(Block { keyword, owner, body: body.get(..end_of_block(body))? })
}

/// Returns the type of a header without its keyword: of `<T: A> B for c::D<T>` it is `D`.
fn owner<'a>(header: &'a str, keyword: &str) -> &'a str {
    let names = names_outside_generics(header);
    let count = names.iter().position(|name| *name == "where").unwrap_or(names.len());
    let names = names.get(..count).unwrap_or_default();
    // In `trait A: B` and `struct A`, it is the first name.
    let owner = if keyword == "impl" { names.last() } else { names.first() };
    owner.copied().unwrap_or_default()
}

fn names_outside_generics(header: &str) -> Vec<&str> {
    let (mut depth, mut start, mut names, mut before) = (0_u32, 0, Vec::new(), ' ');
    for (at, c) in header.char_indices().chain([(header.len(), ' ')]) {
        if !is_of_name(c) {
            if depth == 0 {
                names.extend(header.get(start..at).filter(|name| !name.is_empty()));
            }
            start = at + c.len_utf8();
        }
        match c {
            '<' => depth += 1,
            // The arrow of a function ends nothing.
            '>' if before != '-' => depth = depth.saturating_sub(1),
            _ => {}
        }
        before = c;
    }
    names
}

/// Returns where the block ends whose first brace is before the text.
fn end_of_block(body: &str) -> usize {
    let mut depth = 0_u32;
    for (at, c) in body.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => return at,
            '}' => depth -= 1,
            _ => {}
        }
    }
    body.len()
}

/// Returns true if a keyword is before this name.
fn declares(code: &str, name: &str) -> bool {
    code.lines().any(|line| {
        let words: Vec<&str> = line.split([' ', '(']).collect();
        words.windows(2).any(|pair| match pair {
            [keyword, behind] if KEYWORDS.contains(keyword) => {
                rest_of(behind, name).is_some_and(|rest| ends_name(name, rest))
            }
            _ => false,
        })
    })
}

/// Returns the text behind a name or the beginning of one.
fn rest_of<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.strip_prefix(name.trim_end_matches('…'))
}

fn ends_name(name: &str, rest: &str) -> bool {
    name.ends_with('…') || !rest.starts_with(is_of_name)
}

fn is_of_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Removes spaces and `pub` or `pub(…)` from the beginning.
fn without_visibility(line: &str) -> &str {
    let line = line.trim_start_matches(' ');
    let Some(rest) = line.strip_prefix("pub") else { return line };
    match rest.strip_prefix('(') {
        Some(rest) => rest.split_once(") ").map_or(line, |(_, item)| item),
        None => rest.strip_prefix(' ').unwrap_or(line),
    }
}

#[cfg(test)]
const EXAMPLE: &str = "
pub(crate) struct Sealed {
    pub(crate) name: String,
}

impl<T: Into<u8>, F: Fn() -> u8> Trait<T> for sealed::Sealed<T>
where
    T: Other,
{
    pub(crate) async fn retry(&self) {
        match self {
            Guess => {}
        }
    }
}

mod inner {
    impl Writer {
        const LIMIT: u8 = 1;
        fn flush_step<T>() {}
    }
}

pub enum Fate {
    Durable,
    Known(u8),
}

pub trait Store: Other {
    fn get(&self);
}
";

#[test]
fn items_belong_to_their_types() {
    for item in [
        "retry",
        "Sealed::retry",
        "Sealed::re…",
        "Sealed::name",
        "Writer::flush_step",
        "Writer::LIMIT",
        "inner::flush_step",
        "Fate::Known",
        "Durable",
        "Store::get",
        "Fate",
        "inner",
    ] {
        assert!(defines(EXAMPLE, item), "{item}");
    }
    for item in [
        "Sealed::flush_step",
        "Writer::retry",
        "Trait::retry",
        "Other::get",
        "Sealed::retr",
        "Fate::Guess",
        "Guess",
        "Store::retry",
        "Nothing::get",
        "flush",
    ] {
        assert!(!defines(EXAMPLE, item), "{item}");
    }
}
