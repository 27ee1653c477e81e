//! An S3 bucket that answers as a test requires.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

/// The answer to a request.
#[derive(Clone, Copy)]
pub(crate) enum Answer {
    Status(&'static str),
    Body(&'static str),
    /// The connection stays open without an answer.
    Never,
}

/// A listing without objects.
pub(crate) const EMPTY: Answer =
    Answer::Body("<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>");

/// Serves until the test ends, and passes the first line of each request to `answer`. Returns the
/// server's URL.
pub(crate) fn serve(answer: impl Fn(&str) -> Answer + Send + Sync + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let answer = Arc::new(answer);
    thread::spawn(move || {
        for connection in listener.incoming() {
            let answer = answer.clone();
            thread::spawn(move || talk(connection.unwrap(), &*answer));
        }
    });
    format!("http://{address}")
}

fn talk(mut connection: TcpStream, answer: &dyn Fn(&str) -> Answer) {
    let mut requests = BufReader::new(connection.try_clone().unwrap());
    let mut line = String::new();
    while requests.read_line(&mut line).is_ok_and(|bytes| bytes > 0) {
        let answer = answer(&line);
        let mut body_bytes = 0;
        while line.trim() != "" {
            line.clear();
            requests.read_line(&mut line).unwrap();
            if let Some(length) = line.to_lowercase().strip_prefix("content-length:") {
                body_bytes = length.trim().parse().unwrap();
            }
        }
        line.clear();
        std::io::copy(&mut (&mut requests).take(body_bytes), &mut std::io::sink()).unwrap();
        let (status, body) = match answer {
            Answer::Status(status) => (status, ""),
            Answer::Body(body) => ("200 OK", body),
            Answer::Never => loop {
                thread::park();
            },
        };
        let head = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n\r\n", body.len());
        if connection.write_all(format!("{head}{body}").as_bytes()).is_err() {
            return;
        }
    }
}
