//! Another service that answers in place of a store.

use std::io::Write as _;

use crate::binary::{Ran, stratalog};
use crate::bucket::{self, Answer};

const PAGES: [(&str, &str); 3] = [
    (
        "<html xmlns=\"http://www.w3.org/1999/xhtml\"><body>Sign in</body></html>",
        "the server's answer is not a listing: the root element is <html>",
    ),
    (
        "<Error><Code>AccessDenied</Code><Message>no</Message></Error>",
        "the server's answer is not a listing: found an error: AccessDenied: no",
    ),
    ("Please sign in.", "the server's answer is not a listing: the body is not XML"),
];

/// Runs a command on a bucket that answers so.
fn on_bucket(arguments: &[&str], answer: impl Fn(&str) -> Answer + Send + Sync + 'static) -> Ran {
    let endpoint = format!("aws_endpoint={}", bucket::serve(answer));
    let mut arguments = arguments.to_vec();
    for option in [&endpoint, "allow_http=true", "aws_region=local", "retry_max=1"] {
        arguments.extend(["--store-option", option]);
    }
    let mut command = stratalog(&arguments);
    command.env("AWS_ACCESS_KEY_ID", "key").env("AWS_SECRET_ACCESS_KEY", "hush");
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"precious\n").unwrap();
    child.wait_with_output().unwrap().into()
}

#[test]
fn event_is_appended_only_if_the_store_confirms_it() {
    for status in ["304 Not Modified", "412 Precondition Failed", "409 Conflict", "204 No Content"]
    {
        let ran =
            on_bucket(&["append", "s3://bucket/log"], move |line| match line.split(' ').next() {
                Some("PUT") => Answer::Status(status),
                Some("HEAD") => Answer::Status("404 Not Found"),
                _ => bucket::EMPTY,
            });
        assert_eq!(ran.code, 3, "{status}: {}", ran.stderr);
        let unwritten = ["does not have", "may not have"]
            .map(|what| format!("the store {what} the last 1 of 1 event: "));
        assert!(unwritten.iter().any(|what| ran.stderr.contains(what)), "{status}: {}", ran.stderr);
        assert!(!ran.stderr.contains("appended"), "{status}: {}", ran.stderr);
    }
    // An object that a create and a lookup report as existing is then fetched.
    let ran = on_bucket(&["append", "s3://bucket/log"], |line| {
        match (line.split(' ').next(), line.contains("list-type")) {
            (Some("GET"), true) => bucket::EMPTY,
            (Some("PUT"), _) => Answer::Status("412 Precondition Failed"),
            (Some("GET"), false) => Answer::Status("404 Not Found"),
            _ => Answer::Body(""),
        }
    });
    assert_eq!(ran.code, 3, "{}", ran.stderr);
    assert!(!ran.stderr.contains("appended"), "{}", ran.stderr);
}

#[test]
fn every_command_reports_a_reply_that_is_not_the_stores() {
    for (page, words) in PAGES {
        let endpoint = bucket::serve(move |_| Answer::Body(page));
        for command in ["read", "tail", "stat", "verify", "compact", "append"] {
            let endpoint = format!("aws_endpoint={endpoint}");
            let options = [&endpoint, "allow_http=true", "aws_region=local"];
            let mut arguments = vec![command, "s3://bucket/log"];
            arguments.extend(options.iter().flat_map(|option| ["--store-option", option]));
            let mut command = stratalog(&arguments);
            command.env("AWS_ACCESS_KEY_ID", "key").env("AWS_SECRET_ACCESS_KEY", "hush");
            let ran = Ran::from(command.stdin(std::process::Stdio::null()).output().unwrap());
            assert_eq!(ran.code, 3, "{arguments:?}: {}", ran.stderr);
            assert!(ran.stderr.contains(words), "{arguments:?}: {}", ran.stderr);
            assert_eq!(ran.stdout, "", "{arguments:?}");
            assert!(!ran.stderr.contains("hush"), "{}", ran.stderr);
        }
    }
}
