//! Answers to listings.

use super::*;

const PREFIX: &str = "root/log/b_";

/// The statements of a listing page in addition to its keys.
struct Page {
    prefix: Option<&'static str>,
    truncated: Option<&'static str>,
    token: Option<&'static str>,
}

const LAST: Page = Page { prefix: Some(PREFIX), truncated: Some("false"), token: None };

fn element(name: &str, text: Option<&str>) -> String {
    text.map(|text| format!("<{name}>{text}</{name}>")).unwrap_or_default()
}

/// Returns a page in the form of the scheme's service.
fn page(scheme: &str, page: &Page, keys: &[&str]) -> String {
    let Page { prefix, truncated, token } = page;
    let prefix = element("Prefix", *prefix);
    if scheme == "az" {
        let blob = |key: &&str| {
            format!(
                "<Blob><Name>{key}</Name><Properties><Last-Modified>Tue, 14 Nov 2023 22:13:20 GMT\
                 </Last-Modified><Content-Length>7</Content-Length><Content-Type>a/b</Content-Type>\
                 </Properties></Blob>"
            )
        };
        let blobs: String = keys.iter().map(blob).collect();
        // Azure has no other sign of the end than an empty marker.
        let marker = element("NextMarker", token.or(truncated.map(|_| "")));
        return format!(
            "\u{feff}<?xml version=\"1.0\" encoding=\"utf-8\"?><EnumerationResults>{prefix}\
             <Blobs>{blobs}</Blobs>{marker}</EnumerationResults>"
        );
    }
    let content = |key: &&str| {
        format!(
            "<Contents><Key>{key}</Key><LastModified>2023-11-14T22:13:20.000Z</LastModified>\
             <ETag>&quot;t&quot;</ETag><Size>7</Size></Contents>"
        )
    };
    let contents: String = keys.iter().map(content).collect();
    format!(
        "<?xml version=\"1.0\"?>\n<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\
         <Name>another-name</Name>{prefix}{}{}{contents}</ListBucketResult>",
        element("IsTruncated", *truncated),
        element("NextContinuationToken", *token),
    )
}

/// Returns the answer of a WebDAV server about a folder.
fn folder(hrefs: &[&str]) -> String {
    let response = |href: &&str| {
        let kind = if href.ends_with('/') { "<D:collection/>" } else { "" };
        format!(
            "<D:response><D:href>{href}</D:href><D:propstat><D:prop><D:getlastmodified>Tue, 14 Nov \
             2023 22:13:20 GMT</D:getlastmodified><D:getcontentlength>7</D:getcontentlength>\
             <D:resourcetype>{kind}</D:resourcetype></D:prop><D:status>HTTP/1.1 200 OK</D:status>\
             </D:propstat></D:response>"
        )
    };
    let responses: String = hrefs.iter().map(response).collect();
    format!("<?xml version=\"1.0\"?><D:multistatus xmlns:D=\"DAV:\">{responses}</D:multistatus>")
}

async fn list(store: &Store) -> Result<Vec<String>, StoreError> {
    let page = store.list("log/b_", None, 10).await?;
    assert!(!page.more);
    Ok(page.objects.into_iter().map(|object| object.key).collect())
}

fn status_of(scheme: &str) -> u16 {
    if scheme == "http" { 207 } else { 200 }
}

#[tokio::test]
async fn listing_that_was_requested_is_accepted_for_any_bucket_name() {
    for scheme in SCHEMES {
        let keys = ["root/log/b_1", "root/log/b_2 &amp; more", "root/log/b_3"];
        let body = match scheme {
            "http" => folder(&[
                "/root/log/",
                "/root/log/b_3",
                "http://elsewhere/root/log/b_2%20&amp;%20more",
                "/root/log/b_1",
                "/root/log/c_1",
                "/root/log/sub/",
            ]),
            _ => page(scheme, &LAST, &keys),
        };
        let server = Server::start(move |_| Answer::new(status_of(scheme), body.clone()));
        let found = list(&server.store(scheme)).await.unwrap();
        assert_eq!(found, ["log/b_1", "log/b_2 & more", "log/b_3"], "{scheme}");
    }
    // A missing prefix is accepted, and so is the object that some consoles create for a folder.
    let silent = Page { prefix: None, ..LAST };
    let body = page("s3", &silent, &["root/log/", "root/log/b_1"]);
    let server = Server::start(move |_| Answer::new(200, body.clone()));
    let found = server.store("s3").list("log/", None, 10).await.unwrap();
    assert_eq!(found.objects.len(), 1);
}

#[tokio::test]
async fn answer_that_is_no_listing_is_an_error_and_never_empty() {
    let bodies = [
        (LOGIN_PAGE.to_owned(), "root element is <html>"),
        (LOGIN_PAGE_XML.to_owned(), "root element is <html>"),
        (error("AccessDenied"), "found an error: AccessDenied: said"),
        ("<Listing/>".to_owned(), "root element is <Listing>"),
        ("{\"error\":\"login_required\"}".to_owned(), "the body is not XML"),
        ("Please log in".to_owned(), "the body is not XML"),
        ("\u{1}\u{2}\u{ff}".to_owned(), "the body is not XML"),
    ];
    for scheme in SCHEMES {
        for (body, words) in &bodies {
            let answer = body.clone();
            let server = Server::start(move |_| Answer::new(status_of(scheme), answer.clone()));
            let error = list(&server.store(scheme)).await.unwrap_err();
            let name = format!("{scheme}: {body}");
            assert_final(&name, &error, words);
            assert!(error.message.contains("the server's answer is not a listing"), "{error}");
            assert_eq!(server.seen().len(), 1, "{name} was asked for again");
        }
    }
    // A listing does not answer for another, and a folder has a status of its own.
    for (scheme, body, words) in [
        ("s3", page("az", &LAST, &[]), "<EnumerationResults>"),
        ("az", page("s3", &LAST, &[]), "<ListBucketResult>"),
        ("http", page("s3", &LAST, &[]), "the status is 200 OK"),
    ] {
        let server = Server::start(move |_| Answer::new(200, body.clone()));
        assert_final(scheme, &list(&server.store(scheme)).await.unwrap_err(), words);
    }
}

#[tokio::test]
async fn listing_of_something_else_is_an_error() {
    let cases: [(&str, Page, &[&str], &str); 6] = [
        (
            "of another prefix",
            Page { prefix: Some("root/other/"), ..LAST },
            &[],
            "found the prefix \"root/other/\", requested \"root/log/b_\"",
        ),
        ("of all", Page { prefix: Some(""), ..LAST }, &[], "found the prefix \"\""),
        (
            "a foreign key",
            LAST,
            &["root/log/b_1", "root/other/b_2"],
            "\"root/other/b_2\" is outside the requested prefix \"root/log/b_\"",
        ),
        (
            "no end",
            Page { truncated: None, ..LAST },
            &[],
            "neither its end nor a continuation is stated",
        ),
        (
            "no way on",
            Page { truncated: Some("true"), ..LAST },
            &["root/log/b_1"],
            "truncated and has no continuation token",
        ),
        (
            "no sense",
            Page { truncated: Some("perhaps"), ..LAST },
            &[],
            "neither its end nor a continuation is stated",
        ),
    ];
    for scheme in ["s3", "gs", "az"] {
        for (name, said, keys, words) in &cases {
            // The end of Azure's listings is the marker alone.
            if scheme == "az" && ["no way on", "no sense"].contains(name) {
                continue;
            }
            let body = page(scheme, said, keys);
            let server = Server::start(move |_| Answer::new(200, body.clone()));
            let error = list(&server.store(scheme)).await.unwrap_err();
            assert_final(&format!("{scheme}: {name}"), &error, words);
            assert_eq!(server.seen().len(), 1, "{scheme}: {name}");
        }
    }
    let encoded = page("s3", &Page { prefix: Some("root%2Flog%2Fb_"), ..LAST }, &[]);
    let encoded = encoded.replace("<Prefix>", "<EncodingType>url</EncodingType><Prefix>");
    let server = Server::start(move |_| Answer::new(200, encoded.clone()));
    let error = list(&server.store("s3")).await.unwrap_err();
    assert_final("encoded", &error, "the keys are URL-encoded");
    let folders: [(&[&str], &str); 4] = [
        (&["/root/other/", "/root/other/b_1"], "\"/root/other/\" is outside the requested folder"),
        (&["/root/log/", "/root/logs/b_1"], "\"/root/logs/b_1\" is outside"),
        (&["/root/log/b_1"], "the folder \"/root/log/\" itself is missing"),
        (&[], "the folder \"/root/log/\" itself is missing"),
    ];
    for (hrefs, words) in folders {
        let body = folder(hrefs);
        let server = Server::start(move |_| Answer::new(207, body.clone()));
        assert_final(words, &list(&server.store("http")).await.unwrap_err(), words);
    }
}

#[tokio::test]
async fn listing_has_as_many_objects_as_it_declares() {
    const KEYS: [&str; 2] = ["root/log/b_1", "root/log/b_2"];
    let count = |count: &str| {
        let count = format!("<KeyCount>{count}</KeyCount><IsTruncated>");
        page("s3", &LAST, &KEYS).replace("<IsTruncated>", &count)
    };
    let of = |body: String, status| Server::start(move |_| Answer::new(status, body.clone()));
    assert_eq!(list(&of(count("2"), 200).store("s3")).await.unwrap(), ["log/b_1", "log/b_2"]);
    // Some servers count folders, and some do not.
    let folder_in =
        "<CommonPrefixes><Prefix>root/log/b_3/</Prefix></CommonPrefixes></ListBucketResult>";
    for counted in ["2", "3"] {
        let body = count(counted).replace("</ListBucketResult>", folder_in);
        assert_eq!(list(&of(body, 200).store("s3")).await.unwrap().len(), 3, "{counted}");
    }
    for counted in ["0", "1", "8", "many", ""] {
        let error = list(&of(count(counted), 200).store("s3")).await.unwrap_err();
        let words = format!("KeyCount is {counted}, found 2 keys and 0 folders");
        assert_final(counted, &error, &words);
    }
    for scheme in SCHEMES {
        let (whole, last) = match scheme {
            "http" => (folder(&["/root/log/", "/root/log/b_1"]), "</D:multistatus>"),
            "az" => (page(scheme, &LAST, &KEYS), "</EnumerationResults>"),
            _ => (page(scheme, &LAST, &KEYS), "</ListBucketResult>"),
        };
        let within = |more: &str| whole.replace(last, &format!("{more}{last}"));
        let cases = [
            (within("<Error><Code>AccessDenied</Code></Error>"), "the body contains an error"),
            (within("<!-- <Contents><Key>root/log/b_9</Key></Contents> -->"), "contains a comment"),
            (format!("{whole}<!-- more -->"), "the body contains a comment"),
            (format!("{whole}<ListBucketResult/>"), "the body has a second root element"),
            (format!("{whole}{}", error("AccessDenied")), "the body has a second root element"),
            (format!("{whole}and more"), "the body is not XML"),
        ];
        for (body, words) in cases {
            let error = list(&of(body, status_of(scheme)).store(scheme)).await.unwrap_err();
            assert_final(&format!("{scheme}: {words}"), &error, words);
        }
        for status in [203, 206, 226, 304] {
            let error = list(&of(whole.clone(), status).store(scheme)).await.unwrap_err();
            assert_final(scheme, &error, &format!("the status is {status}"));
        }
        assert!(
            !list(&of(format!("{whole}\n"), status_of(scheme)).store(scheme))
                .await
                .unwrap()
                .is_empty()
        );
    }
}

#[tokio::test]
async fn page_that_continues_where_it_began_is_an_error() {
    for scheme in ["s3", "gs", "az"] {
        let on = Page { truncated: Some("true"), token: Some("again"), ..LAST };
        let body = page(scheme, &on, &[]);
        let server = Server::start(move |_| Answer::new(200, body.clone()));
        let error = list(&server.store(scheme)).await.unwrap_err();
        assert_final(scheme, &error, "the continuation token is the requested one");
        assert_eq!(server.seen().len(), 2, "{scheme}");
    }
}

#[tokio::test]
async fn keys_out_of_order_are_an_error_where_the_order_is_relied_on() {
    for scheme in ["s3", "gs", "az"] {
        for keys in [["root/log/b_2", "root/log/b_1"], ["root/log/b_1", "root/log/b_1"]] {
            let body = page(scheme, &LAST, &keys);
            let server = Server::start(move |_| Answer::new(200, body.clone()));
            let error = list(&server.store(scheme)).await.unwrap_err();
            assert_eq!(error.kind, Kind::Unsupported, "{scheme}: {error}");
            assert!(error.message.contains("does not list in order"), "{scheme}: {error}");
        }
    }
}

#[tokio::test]
async fn listing_that_breaks_off_is_asked_for_again() {
    for scheme in SCHEMES {
        let whole = match scheme {
            "http" => folder(&["/root/log/", "/root/log/b_1"]),
            _ => page(scheme, &LAST, &["root/log/b_1"]),
        };
        // As from a proxy that gives up on the store: with the length of the bytes that it has.
        for cut in [0, 7, 60, whole.len() / 2, whole.len() - 5] {
            let (body, first) = (whole.clone(), std::sync::atomic::AtomicBool::new(true));
            let server = Server::start(move |_| {
                let is_cut = first.swap(false, std::sync::atomic::Ordering::SeqCst);
                let end = if is_cut { body.floor_char_boundary(cut) } else { body.len() };
                Answer::new(status_of(scheme), &body[..end])
            });
            assert_eq!(list(&server.store(scheme)).await.unwrap(), ["log/b_1"], "{scheme} {cut}");
            assert_eq!(server.seen().len(), 2, "{scheme} {cut}");
        }
        let body = whole[..whole.len() - 5].to_owned();
        let server = Server::start(move |_| Answer::new(status_of(scheme), body.clone()));
        let error = list(&server.store(scheme)).await.unwrap_err();
        assert_eq!(error.kind, Kind::Unavailable, "{scheme}: {error}");
        assert!(error.message.contains("the body is cut short; try again"), "{scheme}: {error}");
        assert_eq!(server.seen().len(), 3, "{scheme}");
    }
}

#[tokio::test]
async fn transient_error_with_a_status_of_success_is_retried() {
    for scheme in SCHEMES {
        for code in ["InternalError", "SlowDown", "RequestTimeout"] {
            let server = Server::start(move |_| Answer::new(status_of(scheme), error(code)));
            let error = list(&server.store(scheme)).await.unwrap_err();
            assert_eq!(error.kind, Kind::Unavailable, "{scheme} {code}: {error}");
            assert!(error.message.contains(code), "{scheme} {code}: {error}");
            assert_eq!(server.seen().len(), 3, "{scheme} {code}");
        }
    }
}
