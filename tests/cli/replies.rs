//! A store in whose place something else answers.

use crate::binary::{Ran, stratalog};
use crate::bucket::{self, Answer};

const PAGES: [(&str, &str); 3] = [
    (
        "<html xmlns=\"http://www.w3.org/1999/xhtml\"><body>Sign in</body></html>",
        "the server's answer is not a listing: its root element is <html>",
    ),
    (
        "<Error><Code>AccessDenied</Code><Message>no</Message></Error>",
        "the server's answer is not a listing: it is an error: AccessDenied: no",
    ),
    ("Please sign in.", "the server's answer is not a listing: it is no XML document"),
];

#[test]
fn every_command_says_that_an_answer_is_not_the_stores() {
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
