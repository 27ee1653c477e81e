//! A bucket as the store of a composed file: correct and wrong settings.

use std::process::Command;

use rig::servers::{S3Server, require_or_skip, shared_radosgw};

use super::{App, lines, run};
use crate::binary::ok;

/// Returns the location of a new log, and the command that runs the program on its bucket. Of its
/// variables, `changes` are others.
fn on(
    app: &App,
    server: &S3Server,
    changes: &[(&str, &str)],
    arguments: &[&str],
) -> (String, Command) {
    let log = server.url("log");
    let mut variables: Vec<_> = server.store_options();
    variables.push(("stratalog_root".to_owned(), log.strip_suffix("/log").unwrap().to_owned()));
    let mut variables: Vec<_> =
        variables.into_iter().map(|(name, value)| (name.to_uppercase(), value)).collect();
    for (name, value) in changes {
        variables.retain(|(changed, _)| changed != name);
        variables.push(((*name).to_owned(), (*value).to_owned()));
    }
    let mut options = vec!["-S", "http"];
    // As the page has it: their values come from the environment.
    options.extend(variables.iter().flat_map(|(name, _)| ["--env", name]));
    let mut command = app.command(&options, arguments);
    command.envs(variables.iter().map(|(name, value)| (name, value)));
    (log, command)
}

#[test]
fn bucket_of_a_stock_host_has_a_log_that_is_read() {
    let Some(app) = App::bucket() else { return };
    let Some(server) = require_or_skip(shared_radosgw()) else { return };
    let words = ["open=log=10", "append=a=25", "flush", "compact=log", "verify=log", "read=log"];
    let (log, mut command) = on(&app, server, &[], &words);
    let said = lines(&mut command);
    assert_eq!(said[2], "flush: 25 events");
    assert_eq!(said[5], "read=log: 25 events, 0 missed");
    let options = server.store_options().into_iter();
    let options: Vec<_> =
        options.map(|(name, value)| format!("--store-option={name}={value}")).collect();
    let arguments = |command| {
        let options = options.iter().map(String::as_str);
        [command, log.as_str()].into_iter().chain(options).collect::<Vec<&str>>()
    };
    let expected: String = (0..25).map(|number| format!("a {number}\n")).collect();
    assert_eq!(ok(&arguments("read"), ""), expected);
    ok(&arguments("verify"), "");
}

#[test]
fn wrong_settings_of_a_bucket_say_what_to_do_and_no_secret() {
    let Some(app) = App::bucket() else { return };
    let Some(server) = require_or_skip(shared_radosgw()) else { return };
    let secret = "wJalrXUtnFEMI-not-the-secret-key";
    let credentials = "check the credentials and the bucket's policy";
    let network = "check the endpoint and the host's network";
    let bucket = "no such bucket; create it, or correct its name";
    let table: [(&[(&str, &str)], &str); 6] = [
        (&[("AWS_SECRET_ACCESS_KEY", secret)], credentials),
        (&[("AWS_ACCESS_KEY_ID", "nobody")], credentials),
        (&[("STRATALOG_ROOT", "s3://no-such-bucket-1a2b3c/app")], bucket),
        (&[("STRATALOG_ROOT", "/tmp")], "STRATALOG_ROOT"),
        (&[("AWS_ENDPOINT", "https://127.0.0.1:9"), ("STRATALOG_RETRY_TIMEOUT", "1")], network),
        (&[("AWS_SECRET_ACCESS_KEY", "")], "AWS_SECRET_ACCESS_KEY"),
    ];
    for (changes, action) in table {
        let changes = [changes, &[("STRATALOG_LOG", "trace")]].concat();
        let (_, mut command) = on(&app, server, &changes, &["open=log", "append=a", "flush"]);
        let ran = run(&mut command);
        assert_eq!(ran.code, 0, "{changes:?}: {}", ran.stderr);
        let failed = ran.stdout.lines().find(|line| line.contains("store-failed: "));
        let failed = failed.unwrap_or_else(|| panic!("{changes:?}: {}", ran.stdout));
        assert!(failed.contains("cannot ") && failed.contains(action), "{changes:?}: {failed}");
        let all = format!("{}{}", ran.stdout, ran.stderr);
        for word in [secret, server.secret_key.as_str(), "trap", "backtrace"] {
            assert!(!all.contains(word), "{word} in {changes:?}: {all}");
        }
    }
}

#[test]
fn host_without_network_says_what_to_do() {
    let Some(app) = App::bucket() else { return };
    let variables = [
        "STRATALOG_ROOT=s3://b/app",
        "STRATALOG_RETRY_TIMEOUT=1",
        "AWS_ACCESS_KEY_ID=a",
        "AWS_SECRET_ACCESS_KEY=b",
    ];
    let mut options = vec!["-S", "http"];
    options.extend(variables.iter().flat_map(|variable| ["--env", *variable]));
    let ran = run(&mut app.command(&options, &["open=log", "append=a", "flush"]));
    assert_eq!((ran.code, ran.stderr.contains("trap")), (0, false), "{}", ran.stderr);
    assert!(ran.stdout.contains("check the endpoint and the host's network"), "{}", ran.stdout);
}
