//! The page of `stratalog view` in headless Chromium.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use rig::servers::{self, S3Server};
use rig::tools;
use rig::tools::chromium::Browser;
use rig::tools::python::Python;
use tempfile::TempDir;

use super::View;
use crate::binary::{fresh, numbered, ok, stratalog};

fn browser() -> Option<Browser> {
    let sources = tools::workspace().join("tests/cli/view/browser");
    servers::require_or_skip(Browser::with(&sources))
}

/// Runs a script that prints a line `ok …` for each property that holds.
fn assert_all_hold(script: &mut Command, properties: usize) {
    let ended = script.output().unwrap();
    let [stdout, stderr] =
        [ended.stdout, ended.stderr].map(|text| String::from_utf8(text).unwrap());
    assert!(ended.status.success(), "{stdout}{stderr}");
    let held = stdout.lines().filter(|line| line.starts_with("ok ")).count();
    assert_eq!(held, properties, "{stdout}");
}

#[test]
fn page_shows_50_000_events_by_keys_in_both_schemes_and_on_a_phone() {
    let Some(browser) = browser() else { return };
    let (_folder, log) = fresh();
    ok(&["append", "--flush-threshold", "500", &log], &numbered(0..40_000));
    ok(&["compact", &log], "");
    ok(&["append", "--flush-threshold", "500", &log], &numbered(40_000..50_000));
    let view = View::of(&log);
    let append = as_json(&stratalog(&["append", "--quiet", &log]));
    assert_all_hold(browser.command("small.mjs").arg(view.url()).arg(append), 14);
}

/// Returns a command line as JSON.
fn as_json(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let words: Vec<_> = words.map(|word| word.to_str().unwrap()).collect();
    serde_json::to_string(&words).unwrap()
}

#[test]
fn page_explains_the_lack_of_positions_before_the_first_compaction() {
    let Some(browser) = browser() else { return };
    let (_folder, log) = fresh();
    ok(&["append", "--flush-threshold", "25", &log], &numbered(0..300));
    let view = View::of(&log);
    let compact = as_json(&stratalog(&["compact", "--quiet", &log]));
    assert_all_hold(browser.command("uncompacted.mjs").arg(view.url()).arg(compact), 2);
}

#[test]
fn page_shows_5_000_000_events_in_bounded_memory() {
    let Some(browser) = browser() else { return };
    let (_folder, log) = fresh();
    let events = |numbers: std::ops::Range<usize>| -> String {
        numbers.map(|n| format!("{{\"n\":{n},\"text\":\"{:060}\"}}\n", n * 7)).collect()
    };
    for start in (0..4_500_000).step_by(500_000) {
        ok(&["append", "--quiet", &log], &events(start..start + 500_000));
    }
    ok(&["compact", "--quiet", &log], "");
    ok(&["append", "--quiet", &log], &events(4_500_000..5_000_000));
    let view = View::of(&log);
    assert_all_hold(browser.command("large.mjs").arg(view.url()), 5);
}

#[test]
fn page_shows_damage() {
    let Some(browser) = browser() else { return };
    let (_folder, log) = fresh();
    ok(&["append", "--flush-threshold", "100", &log], &numbered(0..1_000));
    ok(&["compact", &log], "");
    ok(&["append", "--flush-threshold", "100", &log], &numbered(1_000..2_000));
    let names = super::objects(&log);
    let segment = names.iter().find(|name| name.starts_with("segment_") && name.ends_with("jsonl"));
    let batch = names.iter().rfind(|name| name.starts_with("batch_"));
    for name in [segment, batch].into_iter().flatten() {
        let file = Path::new(&log).join(name);
        let mut bytes = fs::read(&file).unwrap();
        bytes[3] ^= 1;
        fs::write(&file, bytes).unwrap();
    }
    let view = View::of(&log);
    let mut script = browser.command("damaged.mjs");
    script.arg(view.url()).arg(segment.unwrap()).arg(batch.unwrap());
    assert_all_hold(&mut script, 4);
    let verified = crate::binary::run_with(&["verify", "--json", &log], b"");
    let report: serde_json::Value = serde_json::from_str(&verified.stdout).unwrap();
    assert_eq!(report["damaged"].as_array().unwrap().len(), 2, "{report}");
}

/// The page as files, which another web server serves. Deleted on drop.
struct Site {
    process: Child,
    /// As `http://127.0.0.1:PORT`.
    origin: String,
    _folder: TempDir,
}

impl Site {
    /// Builds the page with the commands of its README, in a folder that Python serves.
    fn new(logs: &[&str]) -> Result<Site, String> {
        let sources = tools::workspace().join("examples/browser");
        let packages = tools::npm::packages("browser-page", &sources)?;
        Python::system()?;
        let folder = TempDir::new_in(packages).unwrap();
        // At the places that they have in the repository.
        let page = folder.path().join("host/cli/page");
        tools::npm::copy_sources(&tools::workspace().join("host/cli/page"), &page)?;
        let builder = folder.path().join("examples/browser");
        tools::npm::copy_sources(&sources, &builder)?;
        let component = folder.path().join("log.wasm");
        ok(&["component", "export", component.to_str().unwrap()], "");
        tools::npm::run_script(&builder, "build.mjs", &component)?;
        let served = folder.path().join("examples");
        for log in logs {
            let name = Path::new(log).file_name().unwrap();
            fs::create_dir(served.join(name)).unwrap();
            for object in super::objects(log) {
                fs::copy(Path::new(log).join(&object), served.join(name).join(&object)).unwrap();
            }
        }
        let mut server = Command::new("python3");
        server.args(["-u", "-m", "http.server", "0", "--bind", "127.0.0.1", "--directory"]);
        server.arg(&served).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut process = server.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let (_, rest) = line.split_once(" port ").unwrap();
        let port = rest.split(' ').next().unwrap();
        Ok(Site { process, origin: format!("http://127.0.0.1:{port}"), _folder: folder })
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

/// Appends 300 events to a log: two segments, and live batches.
fn append_300(log: &str, options: &[&str]) {
    let run = |words: &[&str], stdin: &str| ok(&[words, options, &[log]].concat(), stdin);
    for start in [0, 100] {
        run(&["append", "--flush-threshold", "25"], &numbered(start..start + 100));
        run(&["compact"], "");
    }
    run(&["append", "--flush-threshold", "25"], &numbered(200..300));
}

/// Lets anyone list and read the bucket. moto allows what has a credential, whatever its signature.
fn open_to_all(server: &S3Server) {
    let S3Server { endpoint, bucket, access_key, .. } = server;
    let policy = serde_json::json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow",
            "Principal": "*",
            "Action": ["s3:GetObject", "s3:ListBucket"],
            "Resource": [format!("arn:aws:s3:::{bucket}"), format!("arn:aws:s3:::{bucket}/*")],
        }],
    });
    let policy = policy.to_string();
    let host = endpoint.trim_start_matches("http://");
    let mut stream = TcpStream::connect(host).unwrap();
    let credential = format!("{access_key}/20260101/us-east-1/s3/aws4_request");
    let head = [
        format!("PUT /{bucket}?policy HTTP/1.1"),
        format!("Host: {host}"),
        "Connection: close".to_owned(),
        format!(
            "Authorization: AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders=host, \
             Signature=0"
        ),
        format!("Content-Length: {}", policy.len()),
    ];
    let head = head.join("\r\n");
    stream.write_all(format!("{head}\r\n\r\n{policy}").as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

#[test]
fn page_of_any_web_server_reads_a_folder_and_a_bucket() {
    let Some(browser) = browser() else { return };
    let (_folder, log) = fresh();
    append_300(&log, &[]);
    let site = tools::require_or_skip("the page as files", Site::new(&[&log]));
    let Some(site) = site else { return };
    let page = format!("{}/browser/page/", site.origin);
    assert_all_hold(browser.command("plain.mjs").arg(format!("{page}?log=../../log/")), 1);

    let Some(server) = servers::require_or_skip(servers::shared_moto()) else { return };
    let url = server.url("log");
    let settings = server.store_options().into_iter();
    let options: Vec<_> = settings
        .flat_map(|(name, value)| ["--store-option".to_owned(), format!("{name}={value}")])
        .collect();
    append_300(&url, &options.iter().map(String::as_str).collect::<Vec<_>>());
    open_to_all(server);
    let bucket = format!("{}/{}/", server.endpoint, server.bucket);
    let key = url.split_once("://").and_then(|(_, rest)| rest.split_once('/')).unwrap().1;
    let mut script = browser.command("plain.mjs");
    script.arg(format!("{page}?bucket={bucket}&log={key}")).arg(&server.endpoint);
    assert_all_hold(&mut script, 1);
}
