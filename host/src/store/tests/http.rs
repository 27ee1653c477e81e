//! A server that answers each request as a test requires, and stores on the network that use it.

use std::io::{BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use crate::store::{Location, Store, StoreOptions};

/// The parts of a request that an answer depends on.
#[derive(Clone, Debug, Default)]
pub(super) struct Asked {
    pub(super) method: String,
    /// Path and query.
    pub(super) target: String,
    pub(super) body: String,
}

/// The answer to a request.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Answer {
    pub(super) fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self { status, headers: Vec::new(), body: body.into() }
    }

    pub(super) fn status(self, status: u16) -> Self {
        Self { status, ..self }
    }

    pub(super) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Adds the headers that objects have on every store.
    pub(super) fn of_object(self) -> Self {
        self.header("etag", "\"tag\"").header("last-modified", "Tue, 14 Nov 2023 22:13:20 GMT")
    }
}

/// A running server; it ends with the process.
pub(super) struct Server {
    address: String,
    seen: Arc<Mutex<Vec<Asked>>>,
}

impl Server {
    pub(super) fn start(answer: impl Fn(&Asked) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (answer, log) = (Arc::new(answer), Arc::clone(&seen));
        thread::spawn(move || {
            for connection in listener.incoming() {
                let (answer, log) = (Arc::clone(&answer), Arc::clone(&log));
                thread::spawn(move || talk(connection.unwrap(), &*answer, &log));
            }
        });
        Self { address, seen }
    }

    /// Returns its address as a URL, without a slash at the end.
    pub(super) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Returns the requests so far.
    pub(super) fn seen(&self) -> Vec<Asked> {
        self.seen.lock().unwrap().clone()
    }

    /// Returns the store of that scheme, with retries that fit the time of a test.
    pub(super) fn store(&self, scheme: &str) -> Store {
        self.store_with(scheme, &["retry_max=2"])
    }

    pub(super) fn store_with(&self, scheme: &str, options: &[&str]) -> Store {
        let address = &self.address;
        let (url, own) = match scheme {
            "s3" => (
                "s3://bucket/root/log".to_owned(),
                vec![
                    format!("aws_endpoint=http://{address}"),
                    "aws_access_key_id=id12".to_owned(),
                    "aws_secret_access_key=hunter2".to_owned(),
                    "allow_http=true".to_owned(),
                ],
            ),
            "gs" => (
                "gs://bucket/root/log".to_owned(),
                vec![
                    format!("google_base_url=http://{address}"),
                    "google_bearer_token=hunter2".to_owned(),
                    "allow_http=true".to_owned(),
                ],
            ),
            "az" => (
                "az://bucket/root/log".to_owned(),
                vec![
                    format!("azure_endpoint=http://{address}"),
                    "azure_storage_account_name=account".to_owned(),
                    "azure_storage_account_key=aHVudGVyMg==".to_owned(),
                    "allow_http=true".to_owned(),
                ],
            ),
            _ => (format!("http://{address}/root/log"), Vec::new()),
        };
        let root = Location::parse(&url).unwrap().root;
        let options = own.iter().map(String::as_str).chain(options.iter().copied());
        Store::open_in(&root, &StoreOptions::parse(options).unwrap(), &Vec::new()).unwrap()
    }
}

fn talk(mut connection: TcpStream, answer: &dyn Fn(&Asked) -> Answer, log: &Mutex<Vec<Asked>>) {
    let mut requests = BufReader::new(connection.try_clone().unwrap());
    while let Some(asked) = read(&mut requests) {
        let Answer { status, headers, body } = answer(&asked);
        let is_head = asked.method == "HEAD";
        log.lock().unwrap().push(asked);
        let mut head = format!("HTTP/1.1 {status} Said\r\n");
        if !headers.iter().any(|(name, _)| name == "content-length") {
            head.push_str(&format!("content-length: {}\r\n", body.len()));
        }
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str("\r\n");
        let body: &[u8] = if is_head { &[] } else { &body };
        if connection.write_all(&[head.as_bytes(), body].concat()).is_err() {
            return;
        }
    }
}

fn read(requests: &mut impl std::io::BufRead) -> Option<Asked> {
    let mut line = String::new();
    if requests.read_line(&mut line).ok()? == 0 {
        return None;
    }
    let mut words = line.split(' ').map(str::to_owned);
    let mut asked = Asked { method: words.next()?, target: words.next()?, body: String::new() };
    let mut length = 0;
    loop {
        line.clear();
        requests.read_line(&mut line).ok()?;
        if line.trim().is_empty() {
            break;
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
    }
    let mut body = Vec::new();
    requests.take(length).read_to_end(&mut body).ok()?;
    asked.body = String::from_utf8_lossy(&body).into_owned();
    Some(asked)
}
