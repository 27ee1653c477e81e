//! The bounded number of connections.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use super::View;
use crate::binary::{fresh, ok};

/// The most connections of the server.
const CONNECTIONS_MAX: usize = 64;

/// The time in which the header of a request must arrive.
const HEADER_WITHIN: Duration = Duration::from_secs(10);

#[test]
fn view_ends_the_oldest_idle_connection_for_a_new_one() {
    let (_folder, log) = fresh();
    ok(&["append", &log], "event\n");
    let view = View::of(&log);
    let request = format!("GET {}log.json HTTP/1.1\r\nHost: {}\r\n\r\n", view.path, view.host);
    let ask = |mut stream: &TcpStream| {
        let mut status = String::new();
        stream.write_all(request.as_bytes()).ok();
        BufReader::new(stream).read_line(&mut status).ok();
        status == "HTTP/1.1 200 OK\r\n"
    };
    loop {
        // The oldest one is used again, so that the second one is idle for the longest time.
        let begun = Instant::now();
        let idle: Vec<_> =
            (0..CONNECTIONS_MAX).map(|_| TcpStream::connect(&view.host).unwrap()).collect();
        let first_is_open = ask(&idle[0]);
        assert_eq!(view.get("log.json").status, 200);
        let mut end = Vec::new();
        (&idle[1]).read_to_end(&mut end).unwrap();
        let others_open = idle[2..].iter().filter(|stream| ask(stream)).count();
        // On a slow machine, the time limit of a request ends them, too.
        if begun.elapsed() < HEADER_WITHIN {
            assert!(first_is_open);
            assert!(end.is_empty(), "{}", String::from_utf8_lossy(&end));
            assert_eq!(others_open, CONNECTIONS_MAX - 2);
            break;
        }
    }
}
