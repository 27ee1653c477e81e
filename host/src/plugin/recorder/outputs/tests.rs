use super::*;
use crate::sandbox::bindings::wasi::logging::logging::Level;

const SECRET: &str = "sesame-open-1";

/// Takes a stretch of writes to stdout, except those in brackets, which are messages.
fn stretch(outputs: &mut Outputs, writes: &[&[u8]], is_last: bool) -> String {
    let mut texts = Texts::default();
    for (write, number) in writes.iter().zip(1..) {
        match write.strip_prefix(b"[") {
            Some(message) => {
                let message = std::str::from_utf8(message).unwrap();
                texts.message(Level::Info, message, (number, Instant::now()));
            }
            None => texts.output(Stream::Stdout, write, (number, Instant::now())),
        }
    }
    let redaction = Redaction::new([SECRET.to_owned(), "two\nlines".to_owned()].iter());
    let ready = outputs.take(&mut texts, &redaction, is_last);
    ready.iter().map(|ready| ready.text.as_str()).collect::<Vec<_>>().join("|")
}

#[test]
fn secret_is_hidden_wherever_its_output_is_cut() {
    for at in 1..SECRET.len() {
        let (head, tail) = SECRET.as_bytes().split_at(at);
        for between in [None, Some(&b"[m"[..])] {
            let mut outputs = Outputs::default();
            let writes: Vec<&[u8]> = [head].into_iter().chain(between).chain([tail]).collect();
            let said = stretch(&mut outputs, &writes, true);
            assert_eq!(said, if between.is_some() { "***|m" } else { "***" }, "{at}");
        }
        let mut outputs = Outputs::default();
        let mut said = stretch(&mut outputs, &[b"key ", head], false);
        said += &stretch(&mut outputs, &[tail, b"!\n"], false);
        assert_eq!(said, "key ***!\n", "{at}");
    }
    let mut outputs = Outputs::default();
    let said = stretch(&mut outputs, &[b"a\ntwo\n"], false);
    assert_eq!(said + &stretch(&mut outputs, &[b"lines\nb\n"], false), "a\n***\nb\n");
}

/// The end of such a secret may begin another one, or the same.
#[test]
fn secret_that_ends_as_one_begins_is_hidden() {
    for (secret, other) in [("token-1-to", "unused-1"), ("token-1-xy", "y-another")] {
        let redaction = Redaction::new([secret.to_owned(), other.to_owned()].iter());
        for (writes, expected) in [
            (&["a ", secret, "\n"][..], "a ***\n"),
            (&["a ", secret][..], "a ***"),
            (&[secret, "\n", secret, "!\n"][..], "***\n***!\n"),
        ] {
            let (mut outputs, mut said) = (Outputs::default(), String::new());
            for write in writes.iter().chain([&"", &""]) {
                let mut texts = Texts::default();
                texts.output(Stream::Stdout, write.as_bytes(), (1, Instant::now()));
                for ready in outputs.take(&mut texts, &redaction, false) {
                    said.push_str(&ready.text);
                }
            }
            assert_eq!(said, expected, "{writes:?}");
        }
    }
}

/// Writes a text in two parts: with a pause that is too long between them, or in a line that is
/// too long to wait. Returns what is recorded of it.
fn in_two_parts(text: &str, at: usize, is_long: bool) -> String {
    let (head, tail) = text.split_at(at);
    let mut outputs = Outputs::default();
    let long = "x".repeat(LINE_BYTES_MAX);
    let head = if is_long { format!("{long} {head}") } else { head.to_owned() };
    let mut said = stretch(&mut outputs, &[head.as_bytes()], false);
    if !is_long {
        said += &stretch(&mut outputs, &[], false);
    }
    said += &stretch(&mut outputs, &[format!("{tail}\n").as_bytes()], true);
    said
}

#[test]
fn text_that_looks_secret_is_hidden_wherever_it_is_cut() {
    for (text, secret) in [
        ("a https://bob:hunter22@host/x b", "hunter22"),
        ("a https://host/x?token=hunter22 b", "hunter22"),
        ("a https://host/x?sig=0123456789abcdef b", "89abcdef"),
        ("Authorization: Bearer opaque.token-22 b", "opaque.token"),
        ("X-Amz-Security-Token: opaque/sesame22\nb", "opaque/sesam"),
        ("X-Amz-Signature=0123456789abcdef&b", "89abcdef"),
        ("a [83, 51, 99, 114, 51, 116, 69] b", "114, 51"),
        ("a eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abcdefghijklmnopqrstuvwxyz b", "abcdefghijklm"),
    ] {
        let start = text.find(secret).unwrap();
        for at in start..start + secret.len() {
            for is_long in [false, true] {
                let said = in_two_parts(text, at, is_long);
                let shown: String = said.chars().filter(|c| !"|…".contains(*c)).collect();
                for four in secret.as_bytes().windows(4) {
                    let four = std::str::from_utf8(four).unwrap();
                    assert!(!shown.contains(four), "{at} {is_long}: {said}");
                }
                assert!(said.trim_end().ends_with('b'), "{at} {is_long}: {said}");
            }
        }
    }
    let progress = "Loading [1/10] of 3: done";
    assert_eq!(in_two_parts(progress, 9, false), format!("{progress}\n"));
}

#[test]
fn secret_in_parts_is_hidden_in_the_middle_too() {
    let mut outputs = Outputs::default();
    let mut said = String::new();
    for part in [&b"key sesam"[..], b"", b"e-op", b"", b"en-1", b"", b" b\n"] {
        said += &stretch(&mut outputs, &[part], false);
    }
    assert_eq!(said, "key ***……***……*** b\n");
}

#[test]
fn secret_is_hidden_where_output_is_left_out() {
    let mut outputs = Outputs::default();
    let long = vec![b'x'; 64 * 1024 - 8];
    let said = stretch(&mut outputs, &[&long, SECRET.as_bytes()], false);
    assert!(said.ends_with("x|***…"), "{}", said.get(said.len() - 30..).unwrap());
    let said = stretch(&mut outputs, &[b"me-open-1 and more\n"], false);
    assert_eq!(said, "…*** and more\n");
}

#[test]
fn text_is_marked_where_output_is_left_out() {
    let full = |end: &str| [&vec![b'\n'; 64 * 1024 - end.len()], end.as_bytes()].concat();
    // One byte is left out, which nothing shows but the mark.
    for (end, shown) in [("!!!", "\n|!!!…"), ("!!!\n", "\n!!!\n")] {
        let mut outputs = Outputs::default();
        let said = stretch(&mut outputs, &[&full(end), b"!"], false);
        assert!(said.ends_with(shown), "{:?}", said.trim_start());
        assert_eq!(stretch(&mut outputs, &[b"!\n"], false), "…!\n");
        assert_eq!(stretch(&mut outputs, &[b"!\n"], false), "!\n");
    }
}

#[test]
fn end_of_a_line_waits_for_one_stretch() {
    let mut outputs = Outputs::default();
    assert_eq!(stretch(&mut outputs, &[b"one\nfo"], false), "one\n");
    assert_eq!(stretch(&mut outputs, &[b"[m"], false), "m|fo");
    assert_eq!(stretch(&mut outputs, &[], false), "");
    assert_eq!(stretch(&mut outputs, &[b"ur\n", "gr\u{fc}".as_bytes()], true), "ur\n|grü");
    // What came in this stretch waits for the next one, whatever has waited before.
    assert_eq!(stretch(&mut outputs, &[b"fo"], false), "");
    assert_eq!(stretch(&mut outputs, &[b"ur\nfi"], false), "four\n");
    assert_eq!(stretch(&mut outputs, &[b"ve\n"], false), "five\n");
    // A secret that has begun, and one that does not continue.
    assert_eq!(stretch(&mut outputs, &[b"sesame"], false), "");
    assert_eq!(stretch(&mut outputs, &[], false), "***…");
    assert_eq!(stretch(&mut outputs, &[b"-open-1\n"], false), "…***\n");
    assert_eq!(stretch(&mut outputs, &[b"a\n"], false), "a\n");
    // What only may begin one is shown, without a mark.
    assert_eq!(stretch(&mut outputs, &[b"as"], false), "");
    assert_eq!(stretch(&mut outputs, &[], false), "as");
    assert_eq!(stretch(&mut outputs, &[b"k\n"], false), "k\n");
}

#[test]
fn end_of_a_line_waits_unless_it_is_long() {
    let lines = "line\n".repeat(LINE_BYTES_MAX);
    for (length, is_shown) in [(LINE_BYTES_MAX, false), (LINE_BYTES_MAX + 1, true)] {
        let all = format!("{lines}{}", "~".repeat(length));
        let said = stretch(&mut Outputs::default(), &[all.as_bytes()], false);
        assert!(said == if is_shown { &*all } else { &*lines }, "{} bytes", said.len());
    }
}

#[test]
fn texts_have_the_number_of_the_output_that_they_begin_with() {
    let (mut outputs, redaction) = (Outputs::default(), Redaction::default());
    let mut numbers = Vec::new();
    for (number, write) in (1..).zip(["a", "", "b\nc", "", "d\n", "e"]) {
        let mut texts = Texts::default();
        texts.output(Stream::Stdout, write.as_bytes(), (number, Instant::now()));
        let ready = outputs.take(&mut texts, &redaction, false).into_iter();
        numbers.extend(ready.map(|ready| (ready.at.0, ready.text, ready.bytes)));
    }
    let expected = [(1, "a", 1), (3, "b\n", 2), (3, "c", 1), (5, "d\n", 2)];
    assert_eq!(numbers, expected.map(|(number, text, bytes)| (number, text.to_owned(), bytes)));
}

#[test]
fn characters_and_bytes_that_are_no_text_are_kept() {
    let mut outputs = Outputs::default();
    let long = [&[b'~'; LINE_BYTES_MAX + 1], &b"\xc3"[..]].concat();
    assert_eq!(stretch(&mut outputs, &[&long], false).len(), LINE_BYTES_MAX + 1);
    assert_eq!(stretch(&mut outputs, &[b"\xbc\n"], false), "ü\n");
    assert_eq!(stretch(&mut outputs, &[b"a\xff\xfesesa"], false), "");
    assert_eq!(stretch(&mut outputs, &[b"me-open-1\n"], false), "a\u{fffd}\u{fffd}***\n");
    let long = [&[b'~'; LINE_BYTES_MAX + 1], &b"\xffsesa"[..]].concat();
    assert_eq!(stretch(&mut outputs, &[&long], false).chars().count(), LINE_BYTES_MAX + 2);
    assert_eq!(stretch(&mut outputs, &[b"me-open-1\n"], false), "***\n");
}
