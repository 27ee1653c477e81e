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
fn page_has_keys_in_order_with_sizes() {
    let cases = [
        format!("{TWO}{ONE}{END}"),
        format!("{ONE}{ONE}{END}"),
        format!("<Contents><Key>a/1</Key><Size>-3</Size></Contents>{END}"),
        format!("<Contents><Key>a/1</Key></Contents>{END}"),
        format!("{ONE}<Contents><Key>a/2</Key></Contents>{END}"),
    ];
    for case in cases {
        assert!(listing::read("a/", None, &page(&case)).is_err(), "{case}");
    }
    let good = format!("{ONE}{FOLDER}<KeyCount>1</KeyCount>{END}");
    assert!(listing::read("a/", None, &page(&good)).is_ok());
    assert!(listing::read("b/", None, &page(&good)).is_err());
}

#[test]
fn requests_name_their_objects() {
    assert!(deletes::body(["a&<b"]).contains("<Key>a&amp;&lt;b</Key>"));
    let parts = uploads::parts(&["\"a\"".to_owned(), "b".to_owned()]);
    assert!(parts.contains("<PartNumber>2</PartNumber><ETag>b</ETag>"), "{parts}");
}

#[test]
fn other_statuses_confirm_nothing() {
    assert_eq!(check_bare("it", &answer("")), Ok(()));
    assert!(check_bare("it", &answer("<html></html>")).is_err());
    let accepted = |body: &str| Answer { status: 202, ..answer(body) };
    assert!(check_bare("it", &accepted("")).is_err());
    let body = format!("<ListBucketResult>{END}</ListBucketResult>");
    assert!(listing::read("", None, &answer(&body)).is_ok());
    assert!(listing::read("", None, &accepted(&body)).is_err());
    let keys = ["a".to_owned()];
    let body = "<DeleteResult><Deleted><Key>a</Key></Deleted></DeleteResult>";
    assert_eq!(deletes::read(&keys, &answer(body)).unwrap().failure("a"), None);
    assert!(deletes::read(&keys, &accepted(body)).is_err());
    let body = "<InitiateMultipartUploadResult><Key>p/a</Key><UploadId>u</UploadId>\
                </InitiateMultipartUploadResult>";
    assert_eq!(uploads::id("p/a", &answer(body)).as_deref(), Ok("u"));
    assert!(uploads::id("a", &answer(body)).is_err());
    assert!(uploads::id("p/a", &accepted(body)).is_err());
}
