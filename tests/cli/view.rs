//! The server of `stratalog view`, without a browser: what it serves, and what it refuses.

mod browser;
mod connections;

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::Child;

use crate::binary::{check, end_of, fresh, numbered, ok, stratalog};

/// A running command. Killed on drop.
pub(crate) struct View {
    process: Child,
    /// As `127.0.0.1:PORT`.
    host: String,
    /// As `/TOKEN/`.
    path: String,
}

impl View {
    /// Starts the command on a log, and waits until it has printed the address of the page.
    pub(crate) fn of(log: &str) -> View {
        let mut process = stratalog(&["view", log]).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("http://").unwrap();
        let (host, path) = address.split_at(address.find('/').unwrap());
        View { process, host: host.to_owned(), path: path.to_owned() }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}{}", self.host, self.path)
    }

    /// Sends a request to a path below the token.
    fn get(&self, path: &str) -> Reply {
        self.send("GET", &format!("{}{path}", self.path), &self.host, "")
    }

    fn send(&self, method: &str, path: &str, host: &str, headers: &str) -> Reply {
        let mut stream = TcpStream::connect(&self.host).unwrap();
        let head = format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n");
        stream.write_all(format!("{head}{headers}\r\n").as_bytes()).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        let end = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n").unwrap();
        let body = answer.split_off(end + 4);
        let head = String::from_utf8(answer).unwrap().to_lowercase();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Reply { status, head, body }
    }

    /// Requests a range of an object.
    fn range(&self, object: &str, range: &str) -> Reply {
        let path = format!("{}objects/{object}", self.path);
        self.send("GET", &path, &self.host, &format!("Range: {range}\r\n"))
    }
}

impl Drop for View {
    fn drop(&mut self) {
        // It may have ended.
        self.process.kill().ok();
        self.process.wait().unwrap();
    }
}

struct Reply {
    status: u16,
    /// In lower case.
    head: String,
    body: Vec<u8>,
}

impl Reply {
    fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }
}

/// Returns the names of the objects of a log, sorted.
fn objects(log: &str) -> Vec<String> {
    let files = fs::read_dir(log).unwrap();
    let mut names: Vec<_> =
        files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

const LIST: &str = "objects/?list-type=2&delimiter=/";

#[test]
fn view_serves_the_page_and_its_component() {
    let (_folder, log) = fresh();
    ok(&["append", &log], &numbered(0..3));
    let view = View::of(&log);
    for (path, kind) in [
        ("", "text/html"),
        ("page.js", "text/javascript"),
        ("style/theme.css", "text/css"),
        ("component/log.js", "text/javascript"),
        ("component/log.core.wasm", "application/wasm"),
    ] {
        let reply = view.get(path);
        assert_eq!(reply.status, 200, "{path}: {}", reply.head);
        assert!(reply.head.contains(&format!("content-type: {kind}")), "{}", reply.head);
        for header in [
            "content-security-policy: default-src 'none'; script-src 'self' 'wasm-unsafe-eval'",
            "x-content-type-options: nosniff",
            "referrer-policy: no-referrer",
            "cache-control: no-store",
        ] {
            assert!(reply.head.contains(header), "{path}: {}", reply.head);
        }
    }
    let page = view.get("");
    assert!(page.text().contains("<!doctype html>") && !page.head.contains("content-encoding"));
    let packed = view.send("GET", &view.path, &view.host, "Accept-Encoding: gzip\r\n");
    assert!(packed.head.contains("content-encoding: gzip") && packed.body.len() < page.body.len());
    assert!(
        packed.body.starts_with(&[0x1f, 0x8b]) && packed.head.contains("vary: accept-encoding")
    );
    let named: serde_json::Value = serde_json::from_slice(&view.get("log.json").body).unwrap();
    assert_eq!(named, serde_json::json!({ "objects": "objects/", "log": "log", "title": log }));
    let moved = view.send("GET", view.path.trim_end_matches('/'), &view.host, "");
    assert_eq!(moved.status, 308);
    assert!(moved.head.contains(&format!("location: {}", view.url())), "{}", moved.head);
}

#[test]
fn view_serves_objects_by_list_and_range() {
    let (_folder, log) = fresh();
    ok(&["append", "--flush-threshold", "1", &log], &numbered(0..3));
    fs::write(Path::new(&log).join("batch_x#17"), "un").unwrap();
    fs::create_dir(Path::new(&log).join("below")).unwrap();
    let view = View::of(&log);
    let names = objects(&log);

    let all = view.get(&format!("{LIST}&prefix=log/"));
    assert_eq!(all.status, 200, "{}", all.text());
    for name in names.iter().filter(|name| name.ends_with(".jsonl")) {
        let entry = format!("<Contents><Key>log/{name}</Key><Size>8</Size></Contents>");
        assert!(all.text().contains(&entry), "{}", all.text());
    }
    let unfinished = "<Key>log/batch_x%2317</Key><Size>2</Size><Kind>unfinished</Kind>";
    assert!(all.text().contains(unfinished), "{}", all.text());
    assert!(all.text().contains("<Prefix>log/below/</Prefix>"), "{}", all.text());
    assert!(all.text().contains("<IsTruncated>false<"), "{}", all.text());

    let none = view.get(&format!("{LIST}&prefix=log/&max-keys=0"));
    assert_eq!((none.status, none.text().contains("<Key>")), (200, false), "{}", none.text());
    assert!(none.text().contains("<IsTruncated>false<"), "{}", none.text());

    // One by one.
    let mut token = String::new();
    for name in &names[..3] {
        let page = view.get(&format!("{LIST}&prefix=log/batch_0&max-keys=1{token}"));
        assert!(page.text().contains(&format!("<Key>log/{name}</Key>")), "{}", page.text());
        token = match page.text().split_once("<NextContinuationToken>") {
            Some((_, rest)) => format!("&continuation-token={}", rest.split('<').next().unwrap()),
            None => "none".to_owned(),
        };
    }
    assert_eq!(token, "none");

    let batch = format!("log/{}", names[0]);
    let whole = view.get(&format!("objects/{batch}"));
    assert_eq!((whole.status, whole.text()), (200, "{\"n\":0}\n"));
    for (range, body, of) in [
        ("bytes=0-0", "{", "bytes 0-0/8"),
        ("bytes=2-3", "n\"", "bytes 2-3/8"),
        ("bytes=5-", "0}\n", "bytes 5-7/8"),
        ("bytes=6-4000000", "}\n", "bytes 6-7/8"),
    ] {
        let part = view.range(&batch, range);
        assert_eq!((part.status, part.text()), (206, body), "{range}");
        assert!(part.head.contains(&format!("content-range: {of}")), "{}", part.head);
    }
    for range in [
        "bytes=8-9",
        "bytes=3-2",
        "bytes=-2",
        "bytes=0-1,3-4",
        "bytes=+1-+3",
        "bytes=+1-3",
        "bytes=1-+3",
        "bytes=-",
        "lines=1-2",
    ] {
        assert_eq!(view.range(&batch, range).status, 416, "{range}");
    }
    let head = view.send("HEAD", &format!("{}objects/{batch}", view.path), &view.host, "");
    assert_eq!((head.status, head.body.len()), (200, 0));
    assert!(head.head.contains("content-length: 8"), "{}", head.head);
}

#[test]
fn view_serves_nothing_but_this_log() {
    let (folder, log) = fresh();
    let other = folder.path().join("other").to_str().unwrap().to_owned();
    ok(&["append", &log], "event\n");
    ok(&["append", &other], "secret\n");
    fs::write(folder.path().join("file"), "secret").unwrap();
    fs::create_dir(Path::new(&log).join("below")).unwrap();
    fs::write(Path::new(&log).join("below/file"), "secret").unwrap();
    for name in [".env", "batch_notes.jsonl", "set-aside_manifest_0000000000000000001.json"] {
        fs::write(Path::new(&log).join(name), "secret").unwrap();
    }
    #[cfg(unix)]
    std::os::unix::fs::symlink(folder.path().join("file"), Path::new(&log).join("link")).unwrap();
    let view = View::of(&log);
    let batch = &objects(&other)[0];
    let long = format!("objects/log/{}", "a".repeat(2_000));
    for (status, path) in [
        (404, format!("objects/other/{batch}")),
        (404, "objects/file".to_owned()),
        (400, "objects/log/../file".to_owned()),
        (400, "objects/log/..%2ffile".to_owned()),
        (400, "objects/log/%2e%2e/file".to_owned()),
        (400, "objects/log/%2e%2e%2ffile".to_owned()),
        (400, "objects/..%2f..%2f..%2f..%2fetc%2fpasswd".to_owned()),
        (400, "objects//etc/passwd".to_owned()),
        (404, "objects/log/.env".to_owned()),
        (404, "objects/log/batch_notes.jsonl".to_owned()),
        (404, "objects/log/set-aside_manifest_0000000000000000001.json".to_owned()),
        (404, format!("objects/log/{batch}%23")),
        (404, format!("objects/log/{batch}%231")),
        (404, "objects/log/below/file".to_owned()),
        (404, "objects/log/below".to_owned()),
        (404, "objects/log/link".to_owned()),
        (404, "objects/log/none".to_owned()),
        (404, "objects/log/batch_0001700000006500000.jsonl".to_owned()),
        (400, "objects/log/".to_owned()),
        (400, "objects/log/%ff".to_owned()),
        (400, "objects/log/a%00b".to_owned()),
        (400, long),
        (403, format!("{LIST}&prefix=")),
        (403, format!("{LIST}&prefix=other/")),
        (403, format!("{LIST}&prefix=log")),
        (403, format!("{LIST}&prefix=log/below/")),
        (403, format!("{LIST}&prefix=log/../")),
        (400, format!("{LIST}&prefix=log/a%00b")),
        (400, "objects/?prefix=log/".to_owned()),
        (400, "objects/?list-type=2&prefix=log/".to_owned()),
        (400, format!("{LIST}&prefix=log/&max-keys=x")),
        (400, format!("{LIST}&prefix=log/&max-keys=%2B1")),
        (400, format!("{LIST}&prefix=log/&max-keys=")),
        (404, "../Cargo.toml".to_owned()),
        (404, "%2e%2e/Cargo.toml".to_owned()),
        (404, "objects".to_owned()),
        (404, "none".to_owned()),
    ] {
        let reply = view.get(&path);
        assert_eq!(reply.status, status, "{path}: {}", reply.head);
        let text = reply.text();
        assert!(!text.contains("secret") && !text.contains("root:"), "{path}: {text}");
        assert_eq!(text.lines().count(), 1, "{path}: {text}");
        assert!(text.ends_with('\n'), "{path}: {text}");
    }
}

#[test]
fn view_refuses_requests_without_token_or_of_another_host() {
    let (_folder, log) = fresh();
    ok(&["append", &log], "event\n");
    let view = View::of(&log);
    let token = view.path.trim_matches('/');
    assert_eq!(token.len(), 32);
    let wrong = format!("/{}0/", &token[1..]);
    for path in ["/", "/log.json", "/objects/", "/page.js", "//", &wrong, "/favicon.ico"] {
        assert_eq!(view.send("GET", path, &view.host, "").status, 404, "{path}");
    }
    let port = view.host.split(':').next_back().unwrap();
    for host in ["example.com", "127.0.0.1", "evil.example:80", "127.0.0.1:1", ""] {
        let reply = view.send("GET", &view.path, host, "");
        assert_eq!(reply.status, 403, "{host:?}: {}", reply.head);
    }
    assert_eq!(view.send("GET", &view.path, &format!("localhost:{port}"), "").status, 200);
    for (path, headers) in [
        (view.url(), String::new()),
        (format!("http://evil.example{}", view.path), String::new()),
        (view.path.clone(), "Host: evil.example\r\n".to_owned()),
        (view.path.clone(), format!("Host: {}\r\n", view.host)),
    ] {
        let reply = view.send("GET", &path, &view.host, &headers);
        assert_eq!(reply.status, 400, "{path} {headers}: {}", reply.head);
    }
    for method in ["POST", "PUT", "DELETE", "OPTIONS", "PATCH"] {
        let reply = view.send(method, &format!("{}objects/log/new", view.path), &view.host, "");
        assert_eq!(reply.status, 405, "{method}");
        assert!(reply.head.contains("allow: get, head"), "{}", reply.head);
    }
    assert_eq!(objects(&log).len(), 1);
    let another = View::of(&log);
    assert_ne!(another.path, view.path);
}

#[test]
fn view_listens_on_loopback_and_the_given_port() {
    let (_folder, log) = fresh();
    ok(&["append", &log], "event\n");
    let view = View::of(&log);
    let port = view.host.strip_prefix("127.0.0.1:").unwrap();
    check(&["view", "--port", port, &log], "", 1, &["cannot listen on port", port, "--port"]);
    let port = port.to_owned();
    drop(view);
    let mut again = stratalog(&["view", "--port", &port, &log]).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(again.stdout.take().unwrap()).read_line(&mut line).unwrap();
    again.kill().unwrap();
    again.wait().unwrap();
    assert!(line.starts_with(&format!("http://127.0.0.1:{port}/")), "{line}");
}

#[test]
fn view_of_no_log_or_with_another_component_is_refused() {
    let (folder, log) = fresh();
    check(&["view", &log], "", 5, &["there is no log at"]);
    ok(&["append", &log], "event\n");
    let component = folder.path().join("log.wasm");
    let component = component.to_str().unwrap();
    ok(&["component", "export", component], "");
    check(&["view", "--component", component, &log], "", 2, &["--component", "no effect"]);
}

#[cfg(unix)]
#[test]
fn view_ends_on_a_signal_with_its_code() {
    let (_folder, log) = fresh();
    ok(&["append", &log], "event\n");
    for (signal, code) in [("INT", 130), ("TERM", 143)] {
        let mut view = View::of(&log);
        // A connection that stays open does not keep it.
        let _idle = TcpStream::connect(&view.host).unwrap();
        crate::binary::signal(&view.process, signal);
        assert_eq!(end_of(&mut view.process).code(), Some(code), "{signal}");
    }
}

#[test]
fn view_ends_the_connection_of_a_refused_request() {
    let (_folder, log) = fresh();
    ok(&["append", &log], "event\n");
    let view = View::of(&log);
    let request = format!("GET / HTTP/1.1\r\nHost: {}\r\n\r\n", view.host);
    let mut stream = TcpStream::connect(&view.host).unwrap();
    stream.write_all(request.repeat(2).as_bytes()).unwrap();
    let mut answers = Vec::new();
    // The second request may arrive at a closed connection.
    stream.read_to_end(&mut answers).ok();
    let answers = String::from_utf8_lossy(&answers).into_owned();
    assert_eq!(answers.matches("HTTP/1.1 404").count(), 1, "{answers}");
}

#[test]
fn view_of_a_damaged_log_reports_it_and_serves_the_page() {
    let (_folder, log) = fresh();
    ok(&["append", &log], &numbered(0..3));
    ok(&["compact", "--full", &log], "");
    let manifest = objects(&log).into_iter().find(|name| name.starts_with("manifest_")).unwrap();
    fs::write(Path::new(&log).join(&manifest), "{}").unwrap();
    let mut view = View::of(&log);
    assert_eq!(view.get("").status, 200);
    crate::binary::signal(&view.process, "TERM");
    end_of(&mut view.process);
    let mut said = String::new();
    view.process.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert!(said.contains(&manifest) && said.contains("is damaged"), "{said}");
}
