//! Credentials reach the store and nothing else. The tests search all output of commands for a
//! planted secret. The servers refuse requests, or repeat them in their answers.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::thread;

use crate::binary::{Ran, fresh, ok, stratalog};

/// A part of every secret of these tests. Base64, so that it can be an Azure key.
const PLANTED: &str = "UExBTlRFRHNlY3JldFBMQU5URURzZWNyZXQ0Mg==";

/// The server's answers, each before the repeated head of the request.
const ANSWERS: [&str; 4] =
    ["403 Forbidden", "400 Bad Request", "500 Internal Server Error", "301 Moved Permanently"];

/// Serves answers that repeat the head of the request, as text or as the XML of an error.
fn repeating_server(status: &'static str, as_xml: bool) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for connection in listener.incoming() {
            thread::spawn(move || repeat(&connection.unwrap(), status, as_xml));
        }
    });
    format!("http://{address}")
}

fn repeat(mut connection: &TcpStream, status: &str, as_xml: bool) -> Option<()> {
    let mut requests = BufReader::new(connection.try_clone().ok()?);
    loop {
        let (mut head, mut body_bytes) = (String::new(), 0);
        while !head.ends_with("\r\n\r\n") {
            let mut line = String::new();
            if requests.read_line(&mut line).ok()? == 0 {
                return None;
            }
            if let Some(length) = line.to_lowercase().strip_prefix("content-length:") {
                body_bytes = length.trim().parse().ok()?;
            }
            head.push_str(&line);
        }
        std::io::copy(&mut (&mut requests).take(body_bytes), &mut std::io::sink()).ok()?;
        let body = match as_xml {
            true => format!(
                "<?xml version=\"1.0\"?><Error><Code>Refused</Code><Message>{head}</Message>\
                 <StringToSign>{head}</StringToSign></Error>"
            ),
            false => head,
        };
        let length = body.len();
        write!(connection, "HTTP/1.1 {status}\r\ncontent-length: {length}\r\n\r\n{body}").ok()?;
    }
}

/// One way to give credentials: location, variables, options.
struct Way {
    location: &'static str,
    variables: &'static [(&'static str, &'static str)],
    options: Vec<String>,
}

fn ways(endpoint: &str) -> Vec<Way> {
    let s3 = [format!("aws_endpoint={endpoint}"), "allow_http=true".to_owned()];
    let azure = [
        format!("azure_storage_endpoint={endpoint}/acc"),
        "azure_storage_account_name=acc".to_owned(),
        "allow_http=true".to_owned(),
    ];
    let google = [format!("google_base_url={endpoint}"), "allow_http=true".to_owned()];
    let with = |options: &[String], more: &[&str]| -> Vec<String> {
        let more = more.iter().map(|option| (*option).to_owned());
        options.iter().cloned().chain(more).collect()
    };
    vec![
        Way {
            location: "s3://bucket/log",
            variables: &[
                ("AWS_ACCESS_KEY_ID", "known"),
                ("AWS_SECRET_ACCESS_KEY", PLANTED),
                ("AWS_SESSION_TOKEN", PLANTED),
            ],
            options: with(&s3, &[]),
        },
        Way {
            location: "s3://bucket/log",
            variables: &[],
            options: with(
                &s3,
                &[
                    "aws_access_key_id=known",
                    &format!("aws_secret_access_key={PLANTED}"),
                    &format!("aws_session_token={PLANTED}"),
                ],
            ),
        },
        Way {
            location: "az://container/log",
            variables: &[("AZURE_STORAGE_ACCOUNT_KEY", PLANTED)],
            options: with(&azure, &[]),
        },
        Way {
            location: "az://container/log",
            variables: &[],
            options: with(&azure, &[&format!("azure_storage_sas_token=sv=2020&sig={PLANTED}")]),
        },
        Way {
            location: "az://container/log",
            variables: &[],
            options: with(&azure, &[&format!("azure_storage_token={PLANTED}")]),
        },
        Way {
            location: "gs://bucket/log",
            variables: &[],
            options: with(&google, &[&format!("google_bearer_token={PLANTED}")]),
        },
        Way {
            location: "gs://bucket/log",
            variables: &[("GOOGLE_SERVICE_ACCOUNT_KEY", PLANTED)],
            options: with(&google, &[]),
        },
    ]
}

/// Fails if the output has the secret in its plain form, in its URL form, or in any case of
/// letters.
fn assert_no_secret(ran: &Ran, context: &str) {
    let lower = PLANTED.to_lowercase();
    let bare = lower.trim_end_matches('=');
    for output in [&ran.stdout, &ran.stderr] {
        assert!(!output.to_lowercase().contains(bare), "{context}: {output}");
        assert!(!output.contains("panicked"), "{context}: {output}");
    }
}

#[test]
fn secret_is_never_printed_by_any_reply_of_a_server() {
    let commands: [&[&str]; 4] =
        [&["append", "--json"], &["read"], &["stat", "--json"], &["doctor", "--json"]];
    for (number, status) in ANSWERS.into_iter().enumerate() {
        let endpoint = repeating_server(status, number % 2 == 0);
        for way in ways(&endpoint) {
            for command in commands {
                let mut arguments: Vec<String> =
                    command.iter().map(|word| (*word).to_owned()).collect();
                arguments.push(way.location.to_owned());
                for option in &way.options {
                    arguments.extend(["--store-option".to_owned(), option.clone()]);
                }
                arguments.extend(["--retry-max".to_owned(), "1".to_owned()]);
                let mut run = stratalog(&arguments);
                run.envs(way.variables.iter().copied());
                // All messages of all parts of the program.
                run.env("STRATALOG_LOG", "trace").env("RUST_BACKTRACE", "full");
                let mut child = run.spawn().unwrap();
                child.stdin.take().unwrap().write_all(b"event\n").ok();
                let ran = Ran::from(child.wait_with_output().unwrap());
                let names: Vec<_> =
                    way.options.iter().filter_map(|option| option.split('=').next()).collect();
                let context = format!("{command:?} {} {names:?} {status}", way.location);
                assert!([3, 5].contains(&ran.code), "{context}: {}", ran.stderr);
                assert_no_secret(&ran, &context);
            }
        }
    }
}

#[test]
fn no_secret_is_printed_when_the_command_line_is_wrong() {
    let proxy = format!("proxy_url=http://me:{PLANTED}@127.0.0.1:1");
    let endpoint = format!("endpoint=http://me:{PLANTED}@127.0.0.1:1");
    let wrong: [&[&str]; 13] = [
        &["--store-option", PLANTED],
        &["--store-option", PLANTED.trim_end_matches('=')],
        &["--store-option", &format!("{PLANTED}=x")],
        &["--store-option", &proxy, "--retry-max", "0", "-vv"],
        &["--store-option", &endpoint],
        &["--store-option", &format!("aws_web_identity_token_file={PLANTED}")],
        &["--store-option", &format!("google_service_account={PLANTED}")],
        &["--store-option", &format!("no_such_key={PLANTED}")],
        &["--store-option", &format!("retry_max={PLANTED}")],
        &["--store-option", &format!("aws_conditional_put={PLANTED}")],
        &["--store-option", &format!("aws_session_token={PLANTED}")],
        &["--store-option", &format!("google_service_account_key={PLANTED}")],
        &["--store-option", &format!("timeout={PLANTED}")],
    ];
    for arguments in wrong {
        for location in ["s3://bucket/log", "gs://bucket/log", "az://bucket/log", "/tmp/x/log"] {
            let all = [&["stat", location][..], arguments].concat();
            let mut run = stratalog(&all);
            run.env("STRATALOG_LOG", "trace");
            let ran = Ran::from(run.output().unwrap());
            assert!(ran.code > 0, "{}", ran.stderr);
            assert_no_secret(&ran, &format!("{location} {}", arguments[1].len()));
        }
    }
    for location in [format!("https://me:{PLANTED}@host/log"), format!("s3://b/log?key={PLANTED}")]
    {
        let ran = Ran::from(stratalog(&["stat", &location]).output().unwrap());
        assert_eq!(ran.code, 5);
        assert_no_secret(&ran, "a location with a secret");
    }
}

#[test]
fn server_gets_the_credentials_and_an_anonymous_one_gets_none() {
    // The server repeats them: they would show like this without redaction.
    for (options, is_signed) in [(vec!["aws_skip_signature=true"], false), (vec![], true)] {
        let endpoint = repeating_server("403 Forbidden", false);
        let mut arguments: Vec<String> = vec!["stat".to_owned(), "s3://bucket/log".to_owned()];
        let endpoint = format!("aws_endpoint={endpoint}");
        let fixed = [endpoint.as_str(), "allow_http=true"].into_iter();
        for option in fixed.chain(options) {
            arguments.extend(["--store-option".to_owned(), option.to_owned()]);
        }
        let mut run = stratalog(&arguments);
        run.envs([("AWS_ACCESS_KEY_ID", "known"), ("AWS_SECRET_ACCESS_KEY", "abcd")]);
        let ran = Ran::from(run.output().unwrap());
        assert_eq!(ran.code, 3, "{}", ran.stderr);
        assert_eq!(ran.stderr.contains("AWS4-HMAC-SHA256"), is_signed, "{}", ran.stderr);
    }
}

#[test]
fn flag_and_option_of_the_same_setting_are_refused() {
    for (option, flag) in [("retry_max=1", "--retry-max=2"), ("retry_timeout=1", "--timeout=2s")] {
        let arguments = ["stat", "https://127.0.0.1:1/log", "--store-option", option, flag];
        let ran = Ran::from(stratalog(&arguments).output().unwrap());
        assert_eq!(ran.code, 2, "{}", ran.stderr);
        let (key, flag) = (option.split('=').next().unwrap(), flag.split('=').next().unwrap());
        assert!(ran.stderr.contains(key) && ran.stderr.contains(flag), "{}", ran.stderr);
    }
}

#[test]
fn unusable_settings_exit_with_2_if_typed_and_5_if_found() {
    let key = "-----BEGIN PRIVATE KEY-----\\nMIIEvQIBADAN\\n-----END PRIVATE KEY-----\\n";
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("key.json");
    let json = serde_json::json!({
        "type": "service_account", "private_key": key, "private_key_id": "1", "client_email": "a@b",
    });
    std::fs::write(&file, json.to_string()).unwrap();
    let file = file.display().to_string();
    let keys = [("AWS_ACCESS_KEY_ID", "known"), ("AWS_SECRET_ACCESS_KEY", "abcd")];
    // The location, a variable, an option, and the words of the error.
    type Case<'a> = (&'a str, (&'a str, &'a str), &'a str, &'a [&'a str]);
    let cases: [Case<'_>; 12] = [
        ("s3://b/log", keys[0], "aws_endpoint=localhost:9000", &["\"aws_endpoint\"", "https://"]),
        ("s3://b/log", keys[0], "aws_region=eu central", &["\"aws_region\"", "letters"]),
        ("s3://b/log", ("AWS_ACCESS_KEY_ID", "a\n"), "region=a", &["AWS_ACCESS_KEY_ID", "spaces"]),
        ("s3://b/log", ("AWS_SESSION_TOKEN", "a b"), "region=a", &["AWS_SESSION_TOKEN"]),
        ("s3://b/log", ("AWS_ENDPOINT_URL", "h"), "region=a", &["AWS_ENDPOINT_URL"]),
        ("s3://b/log", keys[0], "default_content_type=a\nb", &["default_content_type", "ASCII"]),
        ("s3://b/log", keys[0], "sse_kms_key_id=k", &["sse_kms_key_id", "no effect", "aws:kms"]),
        ("az://c/log", ("AZURE_STORAGE_ACCOUNT_NAME", "a b"), "timeout=1s", &["ACCOUNT_NAME"]),
        ("gs://b/log", ("GOOGLE_BASE_URL", "host"), "bearer_token=t", &["GOOGLE_BASE_URL"]),
        (
            "gs://b/log",
            ("GOOGLE_SERVICE_ACCOUNT", &file),
            "timeout=1s",
            &[&file, "is not PEM: its line ends are written as \\n"],
        ),
        ("https://h/log", keys[0], "user_agent=a\nb", &["user_agent"]),
        ("https://h/log", keys[0], "http2_max_frame_size=1", &["16384"]),
    ];
    for (location, variable, option, words) in cases {
        let mut run = stratalog(&["stat", location, "--store-option", option]);
        run.envs(keys).envs([variable]).env("STRATALOG_LOG", "trace");
        let ran = Ran::from(run.output().unwrap());
        // A typed value ends with 2, a found value with 5: the variable there is not the usual one.
        let code = if variable == keys[0] { 2 } else { 5 };
        assert_eq!(ran.code, code, "{option} {variable:?}: {}", ran.stderr);
        for word in words {
            assert!(ran.stderr.contains(word), "{option} {variable:?} {word}: {}", ran.stderr);
        }
        for leak in ["panicked", "MIIEvQ", "45, 45"] {
            assert!(!ran.stderr.contains(leak), "{option}: {}", ran.stderr);
        }
    }
}

#[test]
fn password_in_the_place_of_a_file_or_a_label_is_not_repeated() {
    let (_folder, log) = fresh();
    ok(&["append", "-q", &log], "event\n");
    let url = format!("https://me:{PLANTED}@host/x");
    let bare = format!("me:{PLANTED}@host/x");
    let report = format!("--report={url}");
    let wrong: [&[&str]; 14] = [
        &["append", &log, &url],
        &["append", &url, &log],
        &["run", "--log", &url, "plugin.wasm"],
        &["run", "--dir", &url, "plugin.wasm"],
        &["run", &report, "plugin.wasm"],
        &["run", &url],
        &["component", "--component", &url],
        &["stat", &bare],
        &["doctor", &bare],
        &["read", "--position-file", &url, &log],
        &["read", "--from", &url, &log],
        &["read", "--since", &url, &log],
        &["read", &log, &url],
        &[&url],
    ];
    for arguments in wrong {
        let mut command = stratalog(arguments);
        command.env("STRATALOG_LOG", "trace");
        let ran = Ran::from(command.output().unwrap());
        assert!(ran.code > 0 && !ran.stderr.is_empty(), "{} {}", ran.code, ran.stderr);
        assert_no_secret(&ran, arguments[0]);
    }
}
