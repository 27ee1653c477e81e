//! Answers of the store, and answers that are none.

use super::*;

fn answer(body: &str) -> Answer {
    Answer { status: 200, body: body.to_owned().into(), ..Answer::default() }
}

fn page(more: &str) -> Answer {
    answer(&format!(
        "<?xml version=\"1.0\"?>\n<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\
         <Name>logs</Name><Prefix>a/</Prefix>{more}</ListBucketResult>"
    ))
}

const ONE: &str = "<Contents><Key>a/1&amp;&#60;</Key><Size>3</Size></Contents>";
const TWO: &str = "<Contents><Key>a/3</Key><Size>5</Size></Contents>";
const FOLDER: &str = "<CommonPrefixes><Prefix>a/2/</Prefix></CommonPrefixes>";
const END: &str = "<IsTruncated>false</IsTruncated>";

#[test]
fn page_has_sorted_objects_and_folders() {
    let found = listing::read("a/", None, &page(&format!("{ONE}{TWO}{FOLDER}{END}"))).unwrap();
    let entries: Vec<_> =
        found.entries.iter().map(|entry| (entry.key.as_str(), entry.size)).collect();
    assert_eq!(entries, [("a/1&<", 3), ("a/2/", 0), ("a/3", 5)]);
    assert_eq!(found.token, None);
    let truncated = format!(
        "{ONE}<IsTruncated>true</IsTruncated><NextContinuationToken>t</NextContinuationToken>"
    );
    let found = listing::read("a/", Some("s"), &page(&truncated)).unwrap();
    assert_eq!(found.token.as_deref(), Some("t"));
    assert!(listing::read("a/", Some("t"), &page(&truncated)).is_err());
}

#[test]
fn page_that_hides_or_adds_keys_is_none() {
    let cases = [
        ONE.to_owned(),
        format!("{ONE}<KeyCount>2</KeyCount>{END}"),
        format!("{TWO}{ONE}{END}"),
        format!("{ONE}{ONE}{END}"),
        format!("{ONE}<IsTruncated>true</IsTruncated>"),
        format!("{ONE}<!-- -->{END}"),
        format!("{ONE}<Error><Code>InternalError</Code></Error>{END}"),
        format!("<Contents><Key>b/1</Key><Size>3</Size></Contents>{END}"),
        format!("<Contents><Key>a/1</Key><Size>-3</Size></Contents>{END}"),
        format!("<Contents><Key>a/1</Key></Contents>{END}"),
    ];
    for case in cases {
        assert!(listing::read("a/", None, &page(&case)).is_err(), "{case}");
    }
    let good = format!("{ONE}{FOLDER}<KeyCount>1</KeyCount>{END}");
    assert!(listing::read("a/", None, &page(&good)).is_ok());
    assert!(listing::read("b/", None, &page(&good)).is_err());
    let cut = page(&good).body.slice(..150);
    assert!(listing::read("a/", None, &Answer { body: cut, ..page("") }).is_err());
}

#[test]
fn deletes_are_those_that_were_requested() {
    let keys = ["p/1", "p/2", "p/3", "p/4"].map(str::to_owned);
    let body = "<DeleteResult><Deleted><Key>p/1</Key></Deleted><Error><Key>p/2</Key>\
                <Code>AccessDenied</Code><Message>no</Message></Error><Error><Key>p/4</Key>\
                <Code>NoSuchKey</Code></Error></DeleteResult>";
    let failures = deletes::read(&keys, &answer(body)).unwrap();
    let codes: Vec<_> = failures.iter().map(|(key, (code, _))| (&key[..], &code[..])).collect();
    assert_eq!(codes, [("p/2", "AccessDenied"), ("p/3", "Unconfirmed")]);
    assert!(deletes::read(&keys[1..], &answer(body)).is_err());
    assert_eq!(deletes::transient(&answer(body)), None);
    let passing = body.replace("AccessDenied", "SlowDown");
    assert_eq!(deletes::transient(&answer(&passing)).as_deref(), Some("SlowDown"));
    assert!(deletes::body(["a&<b"]).contains("<Key>a&amp;&lt;b</Key>"));
}

#[test]
fn uploads_name_their_object() {
    let start = |key: &str| {
        answer(&format!(
            "<InitiateMultipartUploadResult><Key>{key}</Key><UploadId>u1</UploadId>\
             </InitiateMultipartUploadResult>"
        ))
    };
    assert_eq!(uploads::id("p/a b", &start("p/a b")).as_deref(), Ok("u1"));
    assert_eq!(uploads::id("p/a b", &start("p/a%20b")).as_deref(), Ok("u1"));
    assert!(uploads::id("p/a b", &start("a b")).is_err());
    let end = |tag: &str| {
        answer(&format!(
            "<CompleteMultipartUploadResult><Key>k</Key><ETag>{tag}</ETag>\
             </CompleteMultipartUploadResult>"
        ))
    };
    assert_eq!(uploads::check_end("k", &end("\"x-2\"")), Ok(()));
    assert!(uploads::check_end("k", &end("")).is_err());
    assert!(uploads::check_end("j", &end("x")).is_err());
    assert!(uploads::check_end("k", &answer("<Error><Code>InternalError</Code></Error>")).is_err());
    let parts = uploads::parts(&["\"a\"".to_owned(), "b".to_owned()]);
    assert!(parts.contains("<PartNumber>2</PartNumber><ETag>b</ETag>"), "{parts}");
}

#[test]
fn page_of_another_server_confirms_no_write() {
    assert_eq!(check_bare("it", &answer("")), Ok(()));
    assert_eq!(check_bare("it", &answer("done")), Ok(()));
    for body in ["<html></html>", " {\"error\": 1}", "<Error><Code>X</Code></Error>"] {
        assert!(check_bare("it", &answer(body)).is_err(), "{body}");
    }
    assert!(check_bare("it", &Answer { status: 202, ..answer("") }).is_err());
    let found = error_in(b"<Error><Code>SlowDown</Code><Message>later</Message><Key>se").unwrap();
    assert_eq!(found, ("SlowDown".to_owned(), "later".to_owned()));
    assert!(is_transient("ThrottlingException") && !is_transient("RequestTimeTooSkewed"));
}
