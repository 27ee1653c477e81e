//! Answers to creates, uploads and deletes.

use super::*;

/// Returns the status by which the scheme's service confirms a write.
fn done(scheme: &str) -> u16 {
    if ["az", "http"].contains(&scheme) { 201 } else { 200 }
}

/// Returns the fate of a create on a server that gives every write this answer and knows no
/// objects.
async fn create(scheme: &str, answer: Answer) -> (Result<(), WriteError>, Vec<Asked>) {
    let server = Server::start(move |asked| match asked.method.as_str() {
        "PUT" => answer.clone(),
        _ => Answer::new(404, ""),
    });
    let fate = server.store(scheme).create("log/a", "bytes".into(), false).await;
    (fate, server.seen())
}

#[tokio::test]
async fn create_is_done_only_if_the_store_says_so() {
    for scheme in SCHEMES {
        let (fate, _) = create(scheme, Answer::new(done(scheme), "").of_object()).await;
        assert_eq!(fate, Ok(()), "{scheme}");
        // WebDAV servers add a page of their own to 201.
        let page = if scheme == "az" { 201 } else { 200 };
        for (answer, words) in [
            (Answer::new(page, LOGIN_PAGE), "the root element is <html>"),
            (Answer::new(page, LOGIN_PAGE_XML), "the root element is <html>"),
            (Answer::new(page, error("AccessDenied")), "found an error: AccessDenied"),
            (Answer::new(page, "{\"message\":\"log in\"}"), "the body begins with \"{\\\"message"),
            (Answer::new(304, ""), "the status is 304"),
            (Answer::new(202, ""), "the status is 202"),
            (Answer::new(207, LOGIN_PAGE), "the status is 207"),
        ] {
            let (fate, seen) = create(scheme, answer.of_object()).await;
            let Err(WriteError::Unknown(error)) = fate else { panic!("{scheme}: {fate:?}") };
            assert_final(scheme, &error, words);
            assert_eq!(seen.iter().filter(|asked| asked.method == "PUT").count(), 1, "{scheme}");
        }
        // The failure is transient, and the request is repeated.
        let (fate, seen) = create(scheme, Answer::new(200, error("SlowDown")).of_object()).await;
        let Err(WriteError::Unknown(failed)) = fate else { panic!("{scheme}: {fate:?}") };
        assert_eq!(failed.kind, Kind::Unavailable, "{failed}");
        assert_eq!(seen.iter().filter(|asked| asked.method == "PUT").count(), 3, "{scheme}");
    }
    // WebDAV servers add a page of their own.
    let (fate, _) =
        create("http", Answer::new(201, "<html><title>201 Created</title></html>")).await;
    assert_eq!(fate, Ok(()));
}

#[tokio::test]
async fn object_is_there_only_if_the_store_says_so() {
    for scheme in ["s3", "gs", "az"] {
        let (fate, _) = create(scheme, Answer::new(412, error("PreconditionFailed"))).await;
        assert_eq!(fate, Err(WriteError::AlreadyExists), "{scheme}");
        // A conflict that names the object may be about blocks that no upload has finished.
        let conflict = Answer::new(409, error("BlobAlreadyExists"));
        let (fate, seen) = create(scheme, conflict).await;
        assert!(matches!(fate, Err(WriteError::Unknown(_))), "{scheme}: {fate:?}");
        assert_eq!(seen.last().unwrap().method, "HEAD", "{scheme}");
        for status in [409, 412] {
            let (fate, _) = create(scheme, Answer::new(status, LOGIN_PAGE)).await;
            let failed = match fate.unwrap_err() {
                WriteError::NotWritten(error) | WriteError::Unknown(error) => error,
                WriteError::AlreadyExists => panic!("{scheme}: a page for {status} is no object"),
            };
            assert_final(scheme, &failed, "the root element is <html>");
            // A status alone may come from any server, so the object is checked.
            let (fate, seen) = create(scheme, Answer::new(status, "")).await;
            let Err(WriteError::Unknown(failed)) = fate else { panic!("{scheme}: {fate:?}") };
            assert_eq!(failed.kind, Kind::Unavailable, "{scheme} {status}: {failed}");
            assert!(
                failed.message.contains("already exists, but does not have it"),
                "{scheme}: {failed}"
            );
            assert_eq!(seen.last().unwrap().method, "HEAD", "{scheme} {status}");
            let server = Server::start(move |asked| match asked.method.as_str() {
                "PUT" => Answer::new(status, ""),
                _ => Answer::new(200, "bytes").of_object(),
            });
            let fate = server.store(scheme).create("log/a", "bytes".into(), false).await;
            assert_eq!(fate, Err(WriteError::AlreadyExists), "{scheme} {status}");
        }
    }
    // WebDAV is checked before the write: a page in the object's place would let a batch vanish.
    let page = Answer::new(200, LOGIN_PAGE).header("content-type", "text/html");
    let server = Server::start(move |_| page.clone());
    let fate = server.store("http").create("log/a", "bytes".into(), false).await;
    let Err(WriteError::NotWritten(error)) = fate else { panic!("{fate:?}") };
    assert_final("http", &error, "found a page of type text/html");
    assert!(server.seen().iter().all(|asked| asked.method == "HEAD"));
}

/// Answers as a service that accepts an upload in parts, with `last` for its last step.
fn upload_server(key: &'static str, last: Answer) -> Server {
    Server::start(move |asked| match asked.method.as_str() {
        "POST" if asked.target.contains("uploads") => Answer::new(
            200,
            format!(
                "<InitiateMultipartUploadResult><Bucket>b</Bucket><Key>{key}</Key>\
                 <UploadId>u</UploadId>\
             </InitiateMultipartUploadResult>"
            ),
        ),
        "PUT" if asked.target.contains("blocklist") => last.clone(),
        "POST" => last.clone(),
        "HEAD" => Answer::new(404, ""),
        "DELETE" => Answer::new(204, ""),
        // Blocks of Azure, and parts.
        _ if asked.target.contains("comp=block") => Answer::new(201, "").of_object(),
        _ => Answer::new(200, "").of_object(),
    })
}

async fn upload(server: &Server, scheme: &str, key: &str) -> Result<(), WriteError> {
    let mut upload = server.store(scheme).start_upload(key).await?;
    upload.write(vec![7; 9_000_000].into()).await?;
    upload.finish().await
}

fn completed(key: &str) -> Answer {
    Answer::new(
        200,
        format!(
            "  \n<?xml version=\"1.0\"?><CompleteMultipartUploadResult><Location>http://x</Location>\
         <Key>{key}</Key><ETag>&quot;t-2&quot;</ETag></CompleteMultipartUploadResult>"
        ),
    )
}

fn completing(elements: &str) -> Answer {
    let root = "CompleteMultipartUploadResult";
    Answer::new(200, format!("<{root}>{elements}</{root}>"))
}

#[tokio::test]
async fn upload_is_complete_only_if_the_store_says_so() {
    const KEY: &str = "root/log/a";
    for scheme in ["s3", "gs"] {
        let server = upload_server(KEY, completed(KEY));
        assert_eq!(upload(&server, scheme, "log/a").await, Ok(()), "{scheme}");
        let response = "<CompleteMultipartUploadResponse><Key>root/log/a</Key><ETag>t</ETag>\
                        </CompleteMultipartUploadResponse>";
        let server = upload_server(KEY, Answer::new(200, response));
        assert_eq!(upload(&server, scheme, "log/a").await, Ok(()), "{scheme}");
        for (answer, words) in [
            (Answer::new(200, error("InvalidPart")), "found an error: InvalidPart: said"),
            (Answer::new(200, LOGIN_PAGE), "the root element is <html>"),
            (completed("root/log/b"), "found \"root/log/b\", requested"),
            (completing("<ETag>t</ETag>"), "the key is missing"),
            (completing("<Key>root/log/a</Key>"), "the ETag is missing"),
            (completing("<Key>root/log/a</Key><ETag></ETag>"), "the ETag is missing"),
            (completing("<Key>root/log/a</Key><ETag>&quot;&quot;</ETag>"), "the ETag is missing"),
            (completed(KEY).status(304), "the status is 304"),
            (completed(KEY).status(202), "the status is 202"),
        ] {
            let server = upload_server(KEY, answer);
            let fate = upload(&server, scheme, "log/a").await;
            let Err(WriteError::Unknown(error)) = fate else { panic!("{scheme}: {fate:?}") };
            assert_final(scheme, &error, words);
        }
        for answer in [Answer::new(200, error("InternalError")), Answer::new(200, "")] {
            let server = upload_server(KEY, answer);
            let fate = upload(&server, scheme, "log/a").await;
            let Err(WriteError::Unknown(error)) = fate else { panic!("{scheme}: {fate:?}") };
            assert_eq!(error.kind, Kind::Unavailable, "{scheme}: {error}");
            let is_last =
                |asked: &&Asked| asked.target.contains("uploadId=u") && asked.method == "POST";
            assert_eq!(server.seen().iter().filter(is_last).count(), 3, "{scheme}");
        }
        // The refusal is permanent, so the object will not appear.
        let server = upload_server(KEY, Answer::new(403, error("AccessDenied")));
        let fate = upload(&server, scheme, "log/a").await;
        let Err(WriteError::NotWritten(error)) = fate else { panic!("{scheme}: {fate:?}") };
        assert_eq!(error.kind, Kind::PermissionDenied, "{scheme}: {error}");
        assert!(server.seen().iter().any(|asked| asked.method == "DELETE"), "nothing was aborted");
        let server = upload_server("root/log/b", completed(KEY));
        let fate = upload(&server, scheme, "log/a").await;
        let Err(WriteError::NotWritten(error)) = fate else { panic!("{scheme}: {fate:?}") };
        assert_final(scheme, &error, "not the start of an upload: found \"root/log/b\"");
    }
    let server = upload_server(KEY, Answer::new(201, "").of_object());
    assert_eq!(upload(&server, "az", "log/a").await, Ok(()));
    let server = upload_server(KEY, Answer::new(201, LOGIN_PAGE).of_object());
    let fate = upload(&server, "az", "log/a").await;
    let Err(WriteError::Unknown(error)) = fate else { panic!("{fate:?}") };
    assert_final("az", &error, "the root element is <html>");
}

#[tokio::test]
async fn upload_completed_without_a_tag_is_done_if_the_object_is_whole() {
    const KEY: &str = "root/log/a";
    for (there, is_done) in [("9000000", true), ("8999999", false)] {
        let has_ended = std::sync::atomic::AtomicBool::new(false);
        let server = Server::start(move |asked| {
            let start = format!(
                "<InitiateMultipartUploadResult><Key>{KEY}</Key><UploadId>u</UploadId>\
                 </InitiateMultipartUploadResult>"
            );
            match asked.method.as_str() {
                "POST" if asked.target.contains("uploads") => Answer::new(200, start),
                "POST" => {
                    has_ended.store(true, std::sync::atomic::Ordering::SeqCst);
                    completing(&format!("<Key>{KEY}</Key><ETag></ETag>"))
                }
                "HEAD" if has_ended.load(std::sync::atomic::Ordering::SeqCst) => {
                    Answer::new(200, "").of_object().header("content-length", there)
                }
                "HEAD" => Answer::new(404, ""),
                _ => Answer::new(200, "").of_object(),
            }
        });
        let fate = upload(&server, "s3", "log/a").await;
        assert_eq!(fate.is_ok(), is_done, "{there}: {fate:?}");
    }
}

#[tokio::test]
async fn log_may_be_called_as_an_error() {
    // The library looks for these words anywhere in an answer.
    let server =
        upload_server("root/SlowDown/InternalError", completed("root/SlowDown/InternalError"));
    assert_eq!(upload(&server, "s3", "SlowDown/InternalError").await, Ok(()));
    let server = deleting(vec![deleted("root/SlowDown/InternalError")]);
    let failures = server.store("s3").delete(vec!["SlowDown/InternalError".to_owned()]).await;
    assert_eq!(failures, []);
    assert_eq!(server.seen().len(), 1);
}

fn deleted(key: &str) -> String {
    format!("<Deleted><Key>{key}</Key></Deleted>")
}

fn kept(key: &str, code: &str) -> String {
    format!("<Error><Key>{key}</Key><Code>{code}</Code></Error>")
}

fn deleting(results: Vec<String>) -> Server {
    let body = format!("<DeleteResult xmlns=\"http://x\">{}</DeleteResult>", results.concat());
    Server::start(move |_| Answer::new(200, body.clone()))
}

async fn delete(server: &Server, scheme: &str, names: &[&str]) -> Vec<(String, StoreError)> {
    let keys = names.iter().map(|name| format!("log/{name}")).collect();
    let failures = server.store(scheme).delete(keys).await;
    failures.into_iter().map(|failure| (failure.key, failure.error)).collect()
}

#[tokio::test]
async fn key_is_deleted_only_if_the_store_says_so_of_that_key() {
    let server = deleting(vec![
        deleted("root/log/a"),
        kept("root/log/b", "AccessDenied"),
        // The answer does not name c.
        deleted("root/log/d &lt;&amp;&gt;"),
    ]);
    let failures = delete(&server, "s3", &["a", "b", "c", "d <&>"]).await;
    let keys: Vec<&str> = failures.iter().map(|(key, _)| key.as_str()).collect();
    assert_eq!(keys, ["log/b", "log/c"]);
    assert!(failures[0].1.message.contains("AccessDenied"), "{}", failures[0].1);
    assert!(failures[1].1.message.contains("did not confirm the delete"), "{}", failures[1].1);

    for (body, words) in [
        (LOGIN_PAGE.to_owned(), "the root element is <html>"),
        (error("AccessDenied"), "found an error: AccessDenied"),
        // The library stops the program on this one.
        (
            format!("<DeleteResult>{}</DeleteResult>", kept("root/log/z", "AccessDenied")),
            "found \"root/log/z\", which was not requested",
        ),
    ] {
        let server = Server::start(move |_| Answer::new(200, body.clone()));
        let failures = delete(&server, "s3", &["a", "b"]).await;
        assert_eq!(failures.len(), 2, "{words}");
        failures.iter().for_each(|(_, error)| assert_final("s3", error, words));
    }
    for scheme in ["s3", "az"] {
        // The answer does not confirm that the objects are gone.
        for status in [200, 202, 204, 304, 404] {
            let server = Server::start(move |_| Answer::new(status, ""));
            let failures = delete(&server, scheme, &["a"]).await;
            assert_eq!(failures.len(), 1, "{scheme} {status}");
        }
    }
    // A failure of one key repeats the request for all.
    let server = deleting(vec![deleted("root/log/a"), kept("root/log/b", "ServiceUnavailable")]);
    let failures = delete(&server, "s3", &["a", "b"]).await;
    assert!(failures.iter().any(|(key, _)| key == "log/b"));
    assert_eq!(server.seen().len(), 3);
}

#[tokio::test]
async fn one_delete_is_done_only_if_the_store_says_so() {
    for scheme in ["gs", "http"] {
        let is_webdav = scheme == "http";
        for (status, body, is_done) in [
            (204, String::new(), true),
            (200, String::new(), is_webdav),
            (202, String::new(), false),
            (304, String::new(), false),
            (404, error("NoSuchKey"), true),
            (404, String::new(), is_webdav),
            (200, LOGIN_PAGE.to_owned(), false),
            // WebDAV: the objects that could not be deleted.
            (207, "<multistatus/>".to_owned(), false),
        ] {
            let answer = Answer::new(status, body.clone());
            let server = Server::start(move |_| answer.clone());
            let failures = delete(&server, scheme, &["a"]).await;
            assert_eq!(failures.is_empty(), is_done, "{scheme} {status} {body}");
        }
    }
}

/// Returns the answer of Azure to a batch: a status for each number.
fn batch(results: &[(usize, u16)]) -> Answer {
    let part = |(id, status): &(usize, u16)| {
        format!(
            "--b\r\nContent-Type: application/http\r\nContent-ID: {id}\r\n\r\n\
             HTTP/1.1 {status} Said\
             \r\nx-ms-version: 1\r\n\r\n\r\n"
        )
    };
    let parts: String = results.iter().map(part).collect();
    Answer::new(202, format!("{parts}--b--\r\n"))
        .header("content-type", "multipart/mixed; boundary=b")
}

#[tokio::test]
async fn each_delete_of_a_batch_has_its_own_answer() {
    let all = batch(&[(1, 404), (0, 202), (2, 403)]);
    let server = Server::start(move |_| all.clone());
    let failures = delete(&server, "az", &["a", "b", "c"]).await;
    let keys: Vec<&str> = failures.iter().map(|(key, _)| key.as_str()).collect();
    assert_eq!(keys, ["log/c"], "{failures:?}");
    // The library takes a missing number for done, and stops the program on the last case.
    for results in [
        &[(0, 202), (2, 202)][..],
        &[(0, 202), (0, 202), (1, 202)],
        &[(0, 202), (1, 202), (9, 403)],
    ] {
        let answer = batch(results);
        let server = Server::start(move |_| answer.clone());
        let failures = delete(&server, "az", &["a", "b", "c"]).await;
        assert_eq!(failures.len(), 3, "{results:?}");
        failures.iter().for_each(|(_, error)| assert_final("az", error, "answers to"));
    }
    let busy = batch(&[(0, 202), (1, 503), (2, 202)]);
    let server = Server::start(move |_| busy.clone());
    assert!(!delete(&server, "az", &["a", "b", "c"]).await.is_empty());
    assert_eq!(server.seen().len(), 3);
}
