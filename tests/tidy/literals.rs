//! The code, the comments and the string literals of Rust sources.

/// A part of a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Code,
    Comment,
    Literal,
}

/// Returns the string literals of a source, each with the line on which it begins.
///
/// Escapes and values in braces are left out: they are no words of the text.
pub(crate) fn literals(text: &str) -> Vec<(usize, String)> {
    let parts = parts(text).into_iter().filter(|(_, part, _)| *part == Part::Literal);
    parts.map(|(number, _, literal)| (number, without_values(&literal))).collect()
}

/// Returns the comments of a source, each with the line on which it begins.
pub(crate) fn comments(text: &str) -> Vec<(usize, String)> {
    let parts = parts(text).into_iter().filter(|(_, part, _)| *part == Part::Comment);
    parts.map(|(number, _, comment)| (number, comment)).collect()
}

/// Returns a source without comments, and with `""` for each literal. Lines keep their numbers.
pub(crate) fn code(text: &str) -> String {
    let mut code = String::new();
    let mut line = 1;
    for (number, part, text) in parts(text) {
        code.extend(std::iter::repeat_n('\n', number - line));
        line = number;
        match part {
            Part::Code => {
                line += text.matches('\n').count();
                code.push_str(&text);
            }
            Part::Comment => {}
            Part::Literal => code.push_str("\"\""),
        }
    }
    code
}

/// Cuts a source into its parts, each with the line on which it begins.
fn parts(text: &str) -> Vec<(usize, Part, String)> {
    let mut found: Vec<(usize, Part, String)> = Vec::new();
    let mut rest = text;
    let mut number = 1;
    while let Some(c) = rest.chars().next() {
        let same = |length: usize| rest.get(..length).unwrap_or_default().to_owned();
        let (length, part, inside) = if rest.starts_with("//") {
            let length = rest.find('\n').unwrap_or(rest.len());
            (length, Part::Comment, same(length))
        } else if rest.starts_with("/*") {
            let length = rest.find("*/").map_or(rest.len(), |at| at + 2);
            (length, Part::Comment, same(length))
        } else if let Some((length, inside)) = raw(rest) {
            (length, Part::Literal, inside.to_owned())
        } else if c == '"' {
            let (length, inside) = escaped(rest);
            (length, Part::Literal, inside)
        } else if c == '\'' {
            (character(rest), Part::Code, same(character(rest)))
        } else if c.is_alphanumeric() || c == '_' {
            // The end of a name is no beginning of a raw string.
            let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_');
            let end = end.unwrap_or(rest.len());
            (end, Part::Code, same(end))
        } else {
            (c.len_utf8(), Part::Code, c.to_string())
        };
        found.push((number, part, inside));
        let (passed, behind) = rest.split_at(length);
        number += passed.matches('\n').count();
        rest = behind;
    }
    found
}

/// Returns the length and the content of a raw string at the beginning.
fn raw(text: &str) -> Option<(usize, &str)> {
    let behind = text.strip_prefix("br").or_else(|| text.strip_prefix('r'))?;
    let inside = behind.trim_start_matches('#');
    let end = format!("\"{}", "#".repeat(behind.len() - inside.len()));
    let inside = inside.strip_prefix('"')?;
    let (inside, behind) = inside.split_once(&end)?;
    Some((text.len() - behind.len(), inside))
}

/// Returns the length and the content of a string at the beginning, with a space for each escape.
fn escaped(text: &str) -> (usize, String) {
    let mut inside = String::new();
    let mut chars = text.char_indices().skip(1);
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return (at + 1, inside),
            '\\' => {
                chars.next();
                inside.push(' ');
            }
            c => inside.push(c),
        }
    }
    (text.len(), inside)
}

/// Returns the length of a character or a lifetime at the beginning.
fn character(text: &str) -> usize {
    let mut chars = text.char_indices().skip(1);
    match chars.next() {
        Some((_, '\\')) => {
            let end = chars.skip(1).find(|(_, c)| *c == '\'');
            end.map_or(text.len(), |(at, _)| at + 1)
        }
        Some(_) => match chars.next() {
            Some((at, '\'')) => at + 1,
            _ => 1,
        },
        None => 1,
    }
}

/// Replaces each value of a format string by a digit, as `{name}` or `{:?}`.
fn without_values(text: &str) -> String {
    let mut result = String::new();
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once('{') {
        result.push_str(before);
        let is_of_value = |c: char| c.is_alphanumeric() || "_.:?#$<>+".contains(c);
        match behind.split_once('}') {
            Some((value, behind)) if value.chars().all(is_of_value) => {
                result.push('0');
                rest = behind;
            }
            _ => {
                result.push(' ');
                rest = behind;
            }
        }
    }
    result + rest
}

#[test]
fn literals_are_found_between_comments_and_characters() {
    let source = [
        "// \"no\"",
        "let a: &'static str = \"one {x} two\"; let q = '\"'; let e = '\\'';",
        "call(r#\"three \"four\"#, b\"f\\nive\", br\"six\", \"se\\",
        "    ven\");",
    ];
    let found = literals(&source.join("\n"));
    let lines = found.iter().map(|(number, text)| (*number, text.as_str()));
    let expected =
        [(2, "one 0 two"), (3, "three \"four"), (3, "f ive"), (3, "six"), (3, "se     ven")];
    assert_eq!(lines.collect::<Vec<_>>(), expected);
}

#[test]
fn code_is_what_no_comment_and_no_literal_has() {
    let source = "a(\"b // c\"); d /* \"e */ f // g\nh";
    assert_eq!(code(source), "a(\"\"); d  f \nh");
    let found = comments(source);
    assert_eq!(found, [(1, "/* \"e */".to_owned()), (1, "// g".to_owned())]);
}

#[test]
fn code_keeps_the_numbers_of_lines() {
    let source = "a /* b\n c */\n\"d \\\n e\nf\"\ng";
    assert_eq!(code(source), "a \n\n\"\"\n\n\ng");
}
