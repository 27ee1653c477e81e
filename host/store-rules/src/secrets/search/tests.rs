use super::*;

fn found<'a>(text: &'a str, secret: &str) -> Option<&'a str> {
    Search::new(text).find(secret).first().map(|found| &text[found.clone()])
}

#[test]
fn secret_is_found_in_every_form() {
    let secret = "Ab/c+d=\"x\n&%2Fü";
    let forms = [
        secret.to_owned(),
        secret.to_ascii_lowercase(),
        secret.to_ascii_uppercase(),
        "Ab%2Fc%2Bd%3D%22x%0A%26%252F%C3%BC".to_owned(),
        "ab%2fc%2bd%3d%22x%0a%26%252fü".to_owned(),
        "Ab%252Fc%252Bd%253D%2522x%250A%2526%25252F%25C3%25BC".to_owned(),
        "Ab\\/c+d\\u003d\\\"x\\n&%2F\\u00fc".to_owned(),
        "Ab\\\\/c+d\\\\u003d\\\\\\\"x\\\\n&%2F\\xc3\\xBC".to_owned(),
        "Ab/c&#43;d=&quot;x\n&amp;%2F&#xfc;".to_owned(),
        "Ab&#x2F;c&amp;#43;d&#x3D;&amp;quot;x\n&amp;amp;%2F&#252;".to_owned(),
        format!("{secret:?}").trim_matches('"').to_owned(),
    ];
    for form in forms {
        let text = format!("before \u{fc} {form} behind");
        assert_eq!(found(&text, secret), Some(form.as_str()), "{text}");
    }
    for other in ["Ab/c+d=\"x", "Ab/c+d=\"x\n&%2", "%", "Ab%2", "\\", "\\u", "&", "&#;", ""] {
        assert_eq!(found(other, secret), None, "{other}");
    }
    assert_eq!(found("a b", "a b"), Some("a b"));
    assert_eq!(found("xa+b", "a b"), Some("a+b"));
}

#[test]
fn secret_that_looks_escaped_is_found_as_it_is_and_escaped() {
    for (secret, escaped) in [
        ("pa%25ss-word1", "pa%2525ss-word1"),
        ("pa%25ss%25word", "pa%252525ss%25252525word"),
        ("back\\\\slash", "back\\\\\\\\slash"),
        ("tripl\\\\\\e-back", "tripl\\\\\\\\\\\\e-back"),
        ("back\\n", "back\\\\n"),
        ("amp&amp;amp;word", "amp&amp;amp;amp;word"),
        ("amp&word", "amp&amp;amp;amp;word"),
        ("lt&lt;word", "lt&amp;lt;word"),
        ("a+b%2", "a%2Bb%252"),
        ("ends in %", "ends in %25"),
        ("ends in &", "ends in &amp;"),
    ] {
        for form in [secret, &secret.to_ascii_uppercase(), escaped] {
            let text = format!("before {form} behind");
            assert_eq!(found(&text, secret), Some(form), "{text}");
        }
        let apart = secret.chars().map(|c| format!("{c}\u{200b}")).collect::<String>();
        let shown = apart.trim_end_matches('\u{200b}');
        assert_eq!(found(&apart, secret), Some(shown), "{apart:?}");
    }
    assert_eq!(found("pa%ss-word1", "pa%25ss-word1"), None);
}

#[test]
fn secret_is_begun_where_a_form_is_cut() {
    let secret = "S3cr3t/QQ+z\"q";
    for form in [
        secret.to_owned(),
        "S3cr3t%2FQQ%2Bz%22q".to_owned(),
        "S3cr3t%252FQQ%252Bz%2522q".to_owned(),
        "S3cr3t\\/QQ+z\\\"q".to_owned(),
        "S3cr3t&#x2f;QQ&#43;z&amp;quot;q".to_owned(),
        secret.bytes().map(|byte| format!("%{byte:02x}")).collect(),
        secret.bytes().map(|byte| format!("\\u{byte:04x}")).collect(),
        secret.chars().map(|c| format!("{c}\u{200b}")).collect(),
    ] {
        let ends = form.char_indices().map(|(at, _)| at).skip(1).collect::<Vec<_>>();
        for (number, at) in ends.iter().enumerate() {
            let (head, tail) = form.split_at(*at);
            let is_read = number > 0 && Search::new(head).follow(secret, 0).characters > Some(0);
            if is_read {
                assert_eq!(Search::new(&format!("a {head}")).begun(secret), Some(2), "{head}");
            }
            // What is left of both sides has less than four characters of the secret.
            let parts = [format!("{head}{CUT}"), format!("{CUT}{tail}")];
            for (part, cut_at_end) in parts.iter().zip([true, false]) {
                let mut left = part.clone();
                for place in Search::new(part).find(secret).into_iter().rev() {
                    left.replace_range(place, "");
                }
                let bare = left.replace(CUT, "");
                let all = secret.char_indices().map(|(at, _)| at);
                let known = all.filter(|at| {
                    let four = secret.get(*at..(*at + 4).min(secret.len()));
                    four.is_some_and(|four| four.len() == 4 && contains(&bare, four))
                });
                assert_eq!(known.count(), 0, "{part:?} ends: {cut_at_end}, left {left:?}");
            }
        }
    }
    // A piece between two cuts.
    assert_eq!(Search::new("\u{2026}cr3t%2FQ").begun(secret), Some(0));
    assert_eq!(Search::new("\u{2026}other z").begun(secret), None);
    assert_eq!(Search::new("cr3t%2FQ").begun(secret), None);
}

fn contains(text: &str, part: &str) -> bool {
    !Search::new(text).find(part).is_empty()
}

#[test]
fn secret_is_found_in_each_escape_of_a_character() {
    for (secret, escaped) in [
        ("se\rc", "se\\rc"),
        ("se\tc", "se\\tc"),
        ("se\u{8}c", "se\\bc"),
        ("se\u{c}c", "se\\fc"),
        ("se\0c", "se\\0c"),
        ("se'c", "se\\'c"),
        ("se\u{1f600}c", "se%F0%9F%98%80c"),
        ("se\u{1f600}c", "se\\ud83d\\ude00c"),
    ] {
        assert_eq!(found(&format!("a {escaped} b"), secret), Some(escaped));
    }
    // Escaped four times.
    let quote = format!("se{}\"c", "\\".repeat(15));
    assert_eq!(found(&quote, "se\"c"), Some(quote.as_str()));
    let newline = format!("se{}nc", "\\".repeat(16));
    assert_eq!(found(&newline, "se\nc"), Some(newline.as_str()));
}

#[test]
fn invisible_characters_do_not_hide_a_secret() {
    for between in [
        "\u{200b}",
        "\u{2060}\u{feff}",
        "\u{ad}",
        "\u{200e}",
        "\u{202e}",
        "\u{e0041}",
        "\u{fe0f}",
        "\u{3164}",
        "\0",
        "\n",
        "%E2%80%8B",
        "%25e2%2580%258b",
        "\\u200B",
        "\\u{feff}",
        "\\udb40\\udc41",
        "\\xe2\\x80\\x8b",
        "\\n",
        "&#8203;",
        "&#x200b;",
        "&shy;",
        "&amp;ZeroWidthSpace;",
    ] {
        let form = format!("s{between}E{between}c{between}{between}/{between}t");
        assert_eq!(found(&format!("{between}{form}{between} "), "sec/t"), Some(form.as_str()));
    }
    for apart in ["s ec/t", "se-c/t", "s\u{301}ec/t"] {
        assert_eq!(found(apart, "sec/t"), None);
    }
}

#[test]
fn characters_that_cannot_be_seen_begin_no_secret() {
    for (text, begun) in [("key s\\n", Some(4)), ("key \\n", None), ("key secret", None)] {
        assert_eq!(Search::new(text).begun("secret"), begun, "{text}");
    }
}

#[test]
fn padding_belongs_to_the_secret() {
    for form in ["c2Vj", "c2Vj=", "c2Vj==", "c2Vj%3D%3D", "c2Vj\u{200b}=\\u003d"] {
        assert_eq!(found(&format!("a {form}\u{200b}&"), "c2Vj"), Some(form));
    }
}
