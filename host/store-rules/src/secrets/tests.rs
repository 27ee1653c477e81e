use super::*;

#[test]
fn foreign_texts_lose_their_secrets_and_keep_the_rest() {
    let secrets = Secrets::new(["hunter2", "abc"]);
    let cases = [
        ("plain text stays", "plain text stays"),
        ("abc is too short to be hidden", "abc is too short to be hidden"),
        ("key hunter2!", "key ***!"),
        ("PUT https://h/a/b?X-Amz-Signature=00ff in 1s", "PUT https://h/a/b?*** in 1s"),
        ("at http://user:pass@h:80/x ok", "at http://***@h:80/x ok"),
        ("at http://u:p/q@h/x", "at http://***@h/x"),
        ("at http://u:p?q@h/x", "at http://***@h/x?***"),
        ("\"https://h/?sig=1\" and https://i/?t=2", "\"https://h/?***\" and https://i/?***"),
        ("Authorization: Bearer ey.x.y, next", "Authorization: Bearer ***, next"),
        (
            "Credential: x-amz-credential=AK/1&Signature=9f a",
            "Credential: x-amz-credential=***&Signature=*** a",
        ),
        ("use aws_skip_signature=true here", "use aws_skip_signature=true here"),
        ("abfss://CONTAINER@a.dfs.net/N", "abfss://CONTAINER@a.dfs.net/N"),
        ("abfss://c:hunter3@a.dfs.net/N", "abfss://***@a.dfs.net/N"),
        ("at abfss://my-data@a.dfs.net/N", "at abfss://my-data@a.dfs.net/N"),
        ("at https://token@h/x", "at https://***@h/x"),
        ("line\none", "line one"),
        ("x-amz-security-token: AQoDY\r\nnext: 1", "x-amz-security-token: ***  next: 1"),
        (r#"{"x-ms-encryption-key": "abcd", "a": 1}"#, r#"{"x-ms-encryption-key": "***", "a": 1}"#),
        ("SignedHeaders=host;x-amz-security-token;b", "SignedHeaders=host;x-amz-security-token;b"),
        ("Authorization: Basic dXNlcjpwYXNzd29yZA==", "Authorization: Basic ***"),
        ("a basic matter", "a basic matter"),
        ("a basic m atter", "a basic m atter"),
        ("a sig=9 of one character", "a sig=*** of one character"),
        ("Signature=, and no value", "Signature=, and no value"),
        ("X-Amz-Security-Token=00ff&next=1", "X-Amz-Security-Token=***&next=1"),
        ("line: [45, 45, 45, 45, 66, 69]", "line: [***]"),
        ("lines: [45, 45, 66, 69,] and [x]", "lines: [***] and [x]"),
        ("sizes [1, 2, 3] and [1, 2, 3, 4, x]", "sizes [1, 2, 3] and [1, 2, 3, 4, x]"),
        ("ends in spaces \n", "ends in spaces"),
        ("sizes [1, 2] and [1000, 2000, 3000, 4000]", "sizes [1, 2] and [1000, 2000, 3000, 4000]"),
        (
            "token eyJhbGciOiJSUzI1NiIsImtpZCI6IjEifQ.eyJpc3MiOiJodHRwcyJ9.c2ln ends",
            "token eyJ*** ends",
        ),
        (
            "403: <?xml version=\"1.0\"?><Error><Code>Denied</Code><Message>No way</Message>\
             <StringToSign>AWS4 secret</StringToSign></Error>",
            "403: Denied: No way",
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(secrets.clean(text), expected);
    }
    assert!(secrets.clean(&"ü".repeat(5000)).chars().count() <= 800);
    assert!(!format!("{secrets:?}").contains("hunter2"));
}

#[test]
fn container_of_azure_is_shown_and_a_longer_text_is_not() {
    for (length, is_shown) in [(63, true), (64, false)] {
        let user = "c".repeat(length);
        let shown = looks::hide_in_urls(&format!("abfss://{user}@a.dfs.net/N"));
        assert_eq!(shown.contains(&user), is_shown, "{shown}");
    }
}

/// A secret with every character that some encoding changes.
const SECRET: &str = "Ab/cD+eF=gH&12";

#[test]
fn secrets_are_hidden_in_every_form() {
    let forms = [
        SECRET.to_owned(),
        SECRET.to_lowercase(),
        SECRET.to_uppercase(),
        "Ab%2FcD%2BeF%3DgH%2612".to_owned(),
        "Ab%2fcD%2beF%3dgH%2612".to_owned(),
        "ab%2fcd%2bef%3dgh%2612".to_owned(),
        "Ab%252FcD%252BeF%253DgH%252612".to_owned(),
        "Ab\\/cD+eF\\u003dgH\\u002612".to_owned(),
        "Ab/cD+eF=gH&amp;12".to_owned(),
        "QWIvY0QrZUY9Z0gmMTI=".to_owned(),
    ];
    let secrets = Secrets::new([SECRET]);
    for form in &forms {
        assert_eq!(secrets.clean(&format!("before {form} behind")), "before *** behind");
        assert_eq!(secrets.hide(&format!("before {form} behind")), "before *** behind");
    }
}

#[test]
fn secret_is_hidden_whose_first_character_is_escaped() {
    let secrets = Secrets::new(["/open+sesame", "%25-percent", "&amp-sand", "\\back"]);
    for form in [
        "%2Fopen%2Bsesame",
        "\\/open+sesame",
        "&#x2f;open+sesame",
        "%2525-percent",
        "&amp;amp-sand",
    ] {
        assert_eq!(secrets.hide(&format!("before {form} behind")), "before *** behind", "{form}");
    }
}

#[test]
fn secrets_are_hidden_by_their_places_in_any_order() {
    let secrets = Secrets::new(["first-1", "second-2"]);
    assert_eq!(secrets.hide("second-2, first-1, second-2"), "***, ***, ***");
}

#[test]
fn secrets_are_hidden_in_hex_and_in_base64_of_a_longer_text() {
    let secrets = Secrets::new([SECRET]);
    let hex: String = SECRET.bytes().map(|byte| format!("{byte:02x}")).collect();
    for form in [hex.to_uppercase(), hex] {
        assert_eq!(secrets.clean(&format!("before {form} behind")), "before *** behind");
    }
    for before in ["", "u", "me", "user:", "a longer text "] {
        for behind in ["", ".", "..", "...", " and more"] {
            let text = format!("{before}{SECRET}{behind}");
            let standard = BASE64_STANDARD_NO_PAD.encode(&text);
            for encoded in [standard.replace('+', "-").replace('/', "_"), standard] {
                let shown = secrets.hide(&encoded);
                let (start, end) = shown.split_once("***").unwrap();
                let (start_max, end_max) = (before.len() * 8 / 6 + 1, behind.len() * 8 / 6 + 2);
                assert!(start.len() <= start_max && end.len() <= end_max, "{text}: {shown}");
            }
        }
    }
    // Of the shortest secret that is safe to find in them, and of the two alphabets of base64.
    assert_eq!(Secrets::new(["sesame"]).hide("736573616d65 c2VzYW1l"), "*** ***");
    assert_eq!(Secrets::new(["??>>??>>"]).hide("Pz8+Pj8/Pj4 Pz8-Pj8_Pj4"), "*** ***");
    // One that is too short for a safe match in base64.
    assert_eq!(Secrets::new(["short"]).hide("73686f7274 c2hvcnQ"), "73686f7274 c2hvcnQ");
}

#[test]
fn texts_that_look_secret_are_judged_alike_decoded_and_in_xml() {
    let secrets = Secrets::new(["hunter2"]);
    for (message, expected) in [
        ("X-Amz-Signature=00ff&next=1", "Denied: X-Amz-Signature=***&next=1"),
        (r#""x-amz-security-token": "AQoDY", a"#, r#"Denied: "x-amz-security-token": "***", a"#),
        (r#"\"x-ms-encryption-key\": \"k3y\""#, r#"Denied: \"x-ms-encryption-key\": \"***""#),
        ("at <https://u:p@h/?sig=1> ok", "Denied: at <https://***@h/?***> ok"),
        ("X-Amz-Sig\u{200b}nature=00ff, b", "Denied: X-Amz-Signature=***, b"),
        ("the key hunter2 & more", "Denied: the key *** & more"),
    ] {
        let escaped = message.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;");
        let invisible = escaped.replace('\u{200b}', "&#8203;");
        let decoded = format!("Denied: {message}");
        let in_xml = |message: &str| {
            format!("<Error><Code>Denied</Code><Message>{message}</Message></Error>")
        };
        for text in [decoded, in_xml(&escaped), in_xml(&invisible)] {
            assert_eq!(secrets.clean(&text), expected, "{text}");
        }
    }
    // What is not XML after all is kept as it is.
    assert_eq!(secrets.clean("<Code>a&b</Code>"), "a&b");
}

#[test]
fn invisible_characters_hide_no_secret_and_no_name_of_one() {
    let secrets = Secrets::new(["hunter2/==", "hi\u{200b}dden"]);
    for (text, expected) in [
        ("key h\u{200b}unt\u{2060}er2\u{ad}/=\u{feff}=!", "key ***!"),
        ("key hunter2%E2%80%8B%2F%3D%3D!", "key ***!"),
        ("aHVudGVy\u{200e}Mi89PQ==", "***"),
        ("hidden hid\u{200b}den", "*** ***"),
        ("X-Amz-Sig\u{200b}nature=00\u{200c}ff, b", "X-Amz-Signature=***, b"),
        ("htt\u{ad}ps:/\u{2060}/u:p@h/k", "https://***@h/k"),
        ("caf\u{e9} e\u{301}", "caf\u{e9} e\u{301}"),
    ] {
        assert_eq!(secrets.clean(text), expected, "{text:?}");
    }
}

#[test]
fn padding_and_words_that_are_too_short_are_no_secrets() {
    let token = Secrets::new(["TokTok/Tok+777=="]);
    assert_eq!(token.clean("a TokTok/Tok+777=&b"), "a ***&b");
    assert_eq!(token.clean("a VG9rVG9rL1Rvays3Nzc9PQ&b"), "a ***&b");
    assert_eq!(Secrets::new(["??>>??>>"]).clean("a Pz8-Pj8_Pj4 b"), "a *** b");
    assert_eq!(
        token.clean("Credential=A/b, Signature=0aF9, c"),
        "Credential=A/b, Signature=***, c"
    );
    assert_eq!(Secrets::new(["a", "ab="]).clean("no answer ab="), "no answer ab=");
    // Four characters are a secret, also if only the padding makes them four.
    assert_eq!(Secrets::new(["abcd", "wxyz="]).clean("abcd wxyz"), "*** ***");
    assert_eq!(Secrets::new(["ab=="]).clean("an ab ab=="), "an ab ***");
    assert!(Secrets::new(["a"]).is_empty());
}

#[test]
fn parts_of_a_secret_at_a_cut_are_hidden() {
    let secrets = Secrets::new(["sesame/open=1", "-----BEGIN KEY-----\nMIIEvAIBADAN\n"]);
    for (text, expected) in [
        ("key sesame/op…", "key ***…"),
        ("key SESAME%2Fop… and more", "key ***… and more"),
        ("…me/open=1 behind", "…*** behind"),
        ("…me/op…", "…***…"),
        ("…sesame/open=1", "…***"),
        ("73657361…", "***…"),
        ("key sesame\u{200b}…", "key ***…"),
        ("ses… …=1", "ses… …=1"),
        ("sesa… …en=1", "***… …***"),
        ("ses… …n=1", "ses… …n=1"),
        ("a word… open", "a word… open"),
        ("at https://me:pa…", "at https://***…"),
        ("at https://me:p/q…", "at https://***…"),
        ("at https://me:p4ss/q…", "at https://***…"),
        ("at https://host:80/pa…", "at https://host:80/pa…"),
        ("at https://host/a:b…", "at https://host/a:b…"),
        ("at https://host/a:b/c…", "at https://host/a:b/c…"),
    ] {
        assert_eq!(hide_what_looks_secret(&secrets.hide(text)), expected, "{text:?}");
    }
    // The beginning of another secret, or one within another, does not show the rest.
    let alike = Secrets::new(["0001-2-3-0001", "0001-4-5-6-0001", "4-5-"]);
    assert_eq!(alike.hide("a 0001-4-5-6-0…"), "a ***…");
    assert_eq!(alike.hide("a 0001-2-3-0001…"), "a ***…");
    assert_eq!(alike.hide("…-5-6-0001 b"), "…*** b");
    // A message has another character for each that cannot be seen.
    let shown = crate::text::log_line("-----BEGIN KEY-----\nMIIEvAIBADAN\n and more");
    assert!(secrets.hide(&shown).starts_with("***"), "{}", secrets.hide(&shown));
}

#[test]
fn beginning_of_a_secret_is_found_at_the_end_of_a_text() {
    let secrets = Secrets::new(["sesame/open=1"]);
    for (text, begun) in [
        ("key s", Some(4)),
        ("key sesame/open=", Some(4)),
        ("key sesame%2F", Some(4)),
        ("s sesame", Some(2)),
        ("key sesame\n", Some(4)),
        ("key sesame\\n", Some(4)),
        ("key sesame!", None),
        ("key sesame/open=1", None),
        ("key ", None),
        ("", None),
    ] {
        assert_eq!(secrets.begun(text), begun, "{text:?}");
    }
}

/// Each place of the text can be read in many ways, and most of the secret follows there.
#[test]
fn text_that_takes_too_long_to_search_is_hidden_as_a_whole() {
    let secrets = Secrets::new([format!("{}x", "%25".repeat(400))]);
    let text = format!("before {}", "%25".repeat(8_000));
    assert!(secrets.hide(&text) == "***", "it takes too little time");
    assert_eq!(secrets.begun(&format!("{text} behind")), Some(0));
}
