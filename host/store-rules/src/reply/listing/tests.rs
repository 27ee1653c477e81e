//! Pages of listings, and answers that are none.

use super::*;

const ONE: &str = "<Contents><Key>a/1&amp;&#60;</Key><Size>3</Size></Contents>";
const FOLDER: &str = "<CommonPrefixes><Prefix>a/2/</Prefix></CommonPrefixes>";
const END: &str = "<IsTruncated>false</IsTruncated>";

fn page(more: &str) -> String {
    format!(
        "<?xml version=\"1.0\"?>\n<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\
         <Name>logs</Name><Prefix>a/</Prefix>{more}</ListBucketResult>"
    )
}

fn checked(
    prefix: &str,
    token: Option<&str>,
    body: &str,
) -> Result<(Option<String>, Vec<String>), WrongReply> {
    let (prefix, token) = (prefix.to_owned(), token.map(str::to_owned));
    let asked = Listing { is_azure: false, prefix, token };
    let mut keys = Vec::new();
    let next = check(&asked, body.as_bytes(), |path, text| {
        if path == "Contents/Key" || path == "CommonPrefixes/Prefix" {
            keys.push(text.to_owned());
        }
    })?;
    Ok((next, keys))
}

#[test]
fn page_shows_its_keys_and_its_continuation() {
    let (next, keys) = checked("a/", None, &page(&format!("{ONE}{FOLDER}{END}"))).unwrap();
    assert_eq!((next, keys), (None, vec!["a/1&<".to_owned(), "a/2/".to_owned()]));
    let truncated = page(&format!(
        "{ONE}<IsTruncated>true</IsTruncated><NextContinuationToken>t</NextContinuationToken>"
    ));
    assert_eq!(checked("a/", Some("s"), &truncated).unwrap().0.as_deref(), Some("t"));
    assert!(checked("a/", Some("t"), &truncated).is_err());
}

#[test]
fn marker_of_azure_is_its_continuation() {
    let asked = |token: &str| {
        let (prefix, token) = ("a/".to_owned(), Some(token.to_owned()));
        Listing { is_azure: true, prefix, token }
    };
    let body = |marker: &str| {
        format!(
            "<EnumerationResults><Prefix>a/</Prefix><Blobs><Blob><Name>a/1</Name></Blob></Blobs>\
             {marker}</EnumerationResults>"
        )
    };
    let next = |marker: &str| check(&asked("m"), body(marker).as_bytes(), |_, _| {});
    assert_eq!(next("<NextMarker>n</NextMarker>"), Ok(Some("n".to_owned())));
    assert_eq!(next("<NextMarker/>"), Ok(None));
    assert!(next("").is_err() && next("<NextMarker>m</NextMarker>").is_err());
}

#[test]
fn page_that_hides_or_adds_keys_is_none() {
    let cases = [
        ONE.to_owned(),
        format!("{ONE}<KeyCount>2</KeyCount>{END}"),
        format!("{ONE}<IsTruncated>true</IsTruncated>"),
        format!("{ONE}<!-- -->{END}"),
        format!("{ONE}<Error><Code>InternalError</Code></Error>{END}"),
        format!("<Contents><Key>b/1</Key><Size>3</Size></Contents>{END}"),
        format!("{ONE}<EncodingType>url</EncodingType><Prefix>a%2F</Prefix>{END}"),
    ];
    for case in cases {
        assert!(checked("a/", None, &page(&case)).is_err(), "{case}");
    }
    let good = page(&format!("{ONE}{FOLDER}<KeyCount>1</KeyCount>{END}"));
    assert!(checked("a/", None, &good).is_ok());
    assert!(checked("b/", None, &good).is_err());
    let cut = checked("a/", None, &good[..150]).unwrap_err();
    assert!(cut.is_broken, "{cut}");
}
