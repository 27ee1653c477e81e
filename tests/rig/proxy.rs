//! A proxy between a host and an HTTP server, which treats each request as a test says. It plays
//! the bad network, and the server that is overloaded or dies.
//!
//! 1. A request is forwarded whole, or not a byte of it.
//! 2. One [`WireFault`] decides what reaches the server and what the client receives.
//! 3. Headers pass unchanged, so signatures stay valid. The proxy only closes connections in its
//!    own way.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use socket2::SockRef;

use crate::faults::{Silence, WireFault};
use crate::waits::until;

/// A request, with the properties by which tests choose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    pub method: String,
    /// Path and query.
    pub target: String,
    /// The number of earlier requests with this method and path.
    pub before: usize,
}

impl Seen {
    /// True for a listing.
    pub fn is_list(&self) -> bool {
        self.method == "GET" && self.target.contains("list-type=")
    }
}

type Script = Box<dyn FnMut(&Seen) -> WireFault + Send>;

/// A running proxy. Accepts no connections after drop.
pub struct Proxy {
    /// `http://127.0.0.1:PORT`
    pub endpoint: String,
    shared: Arc<Shared>,
}

struct Shared {
    server: String,
    state: Mutex<State>,
    /// Requests in progress at the server.
    in_flight: AtomicUsize,
}

struct State {
    script: Script,
    seen: Vec<(Seen, WireFault)>,
    is_down: bool,
}

impl Proxy {
    /// Starts a proxy of the server at `http://HOST:PORT`, without faults at first.
    pub fn start(server: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let endpoint = format!("http://{}", listener.local_addr().expect("a bound port"));
        let server = server.trim_start_matches("http://").to_owned();
        let script: Script = Box::new(|_| WireFault::None);
        let state = Mutex::new(State { script, seen: Vec::new(), is_down: false });
        let shared = Arc::new(Shared { server, state, in_flight: AtomicUsize::new(0) });
        let serving = Arc::downgrade(&shared);
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let Some(shared) = serving.upgrade() else { return };
                thread::spawn(move || {
                    // Broken connections are the purpose of the proxy.
                    let _ = shared.talk(&client);
                });
            }
        });
        Self { endpoint, shared }
    }

    /// Treats each request as the script says, from now on. Forgets the recorded requests.
    pub fn play(&self, script: impl FnMut(&Seen) -> WireFault + Send + 'static) {
        let mut state = self.shared.state.lock().unwrap();
        state.script = Box::new(script);
        state.seen.clear();
    }

    /// Returns the requests since the script began, and their faults.
    pub fn seen(&self) -> Vec<(Seen, WireFault)> {
        self.shared.state.lock().unwrap().seen.clone()
    }

    /// Returns the number of requests since the script began that met a fault.
    pub fn faults(&self) -> usize {
        self.seen().iter().filter(|(_, fault)| *fault != WireFault::None).count()
    }

    /// Waits until the server has executed all its requests, even those that no client waits for.
    pub fn wait_for_server(&self) {
        until("the server's answer", || self.shared.in_flight.load(Ordering::SeqCst) == 0);
    }

    /// Sets if every connection is refused from now on, as by a server that is restarting.
    pub fn set_down(&self, is_down: bool) {
        self.shared.state.lock().unwrap().is_down = is_down;
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.set_down(true);
    }
}

/// A request with its original head and body.
struct Request {
    head: String,
    body: Vec<u8>,
}

impl Shared {
    /// Serves a connection until either side ends it.
    fn talk(&self, client: &TcpStream) -> io::Result<()> {
        let mut requests = BufReader::new(client.try_clone()?);
        while let Some(request) = read_request(&mut requests)? {
            let Some(fault) = self.fault_for(&request) else { return reset(client) };
            match fault {
                WireFault::Lost(silence) => return fall_silent(client, silence),
                WireFault::Status(status) => {
                    answer(client, status, &request)?;
                    continue;
                }
                WireFault::Lie(document) => {
                    lie(client, document)?;
                    continue;
                }
                _ => {}
            }
            let without_condition = fault == WireFault::DropCondition;
            self.in_flight.fetch_add(1, Ordering::SeqCst);
            let reply = self.forward(&request, without_condition);
            self.in_flight.fetch_sub(1, Ordering::SeqCst);
            let Ok(reply) = reply else { return reset(client) };
            match fault {
                WireFault::ReplyLost(silence) => return fall_silent(client, silence),
                WireFault::DoneButStatus(status) => answer(client, status, &request)?,
                WireFault::DoneButLie(document) => lie(client, document)?,
                WireFault::DropElement(name) => {
                    let mut client = client;
                    return client.write_all(&without_element(&reply, name));
                }
                WireFault::CutBody(bytes) => {
                    let body = find(&reply, b"\r\n\r\n").map_or(0, |at| at + 4);
                    let mut client_end = client;
                    client_end.write_all(&reply[..reply.len().min(body + bytes)])?;
                    // An orderly end: a reset could lose sent bytes.
                    client_end.shutdown(Shutdown::Write)?;
                    return stall(client);
                }
                _ => {
                    let mut client = client;
                    return client.write_all(&reply);
                }
            }
        }
        Ok(())
    }

    /// Chooses the fault of a request. None: the server is down.
    fn fault_for(&self, request: &Request) -> Option<WireFault> {
        let mut words = request.head.split(' ');
        let mut word = || words.next().unwrap_or_default().to_owned();
        let (method, target) = (word(), word());
        let mut state = self.state.lock().unwrap();
        if state.is_down {
            return None;
        }
        let path = |target: &str| target.split('?').next().unwrap_or_default().to_owned();
        let is_same = |seen: &Seen| seen.method == method && path(&seen.target) == path(&target);
        let before = state.seen.iter().filter(|(seen, _)| is_same(seen)).count();
        let seen = Seen { method, target, before };
        let fault = (state.script)(&seen);
        state.seen.push((seen, fault));
        Some(fault)
    }

    /// Sends the request to the server, and returns its whole answer.
    fn forward(&self, request: &Request, without_condition: bool) -> io::Result<Vec<u8>> {
        let mut server = TcpStream::connect(&self.server)?;
        server.set_nodelay(true)?;
        let mut head = String::new();
        for line in request.head.lines().filter(|line| !line.is_empty()) {
            let name = line.split(':').next().unwrap_or_default().to_ascii_lowercase();
            if name == "connection" || (without_condition && name == "if-none-match") {
                continue;
            }
            head.push_str(line);
            head.push_str("\r\n");
        }
        head.push_str("connection: close\r\n\r\n");
        server.write_all(head.as_bytes())?;
        server.write_all(&request.body)?;
        let mut reply = Vec::new();
        server.read_to_end(&mut reply)?;
        if reply.is_empty() { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(reply) }
    }
}

/// Reads a request. None: the client has closed the connection.
fn read_request(client: &mut BufReader<TcpStream>) -> io::Result<Option<Request>> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if client.read_line(&mut head)? == 0 {
            return Ok(None);
        }
    }
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().ok())?
    });
    let mut body = vec![0; length.unwrap_or(0)];
    client.read_exact(&mut body)?;
    Ok(Some(Request { head, body }))
}

fn answer(mut client: &TcpStream, status: &str, to: &Request) -> io::Result<()> {
    let code = match status.get(..3) {
        Some("400") => "InvalidArgument",
        Some("403") => "AccessDenied",
        Some("404") => "NoSuchKey",
        Some("423") => "Locked",
        Some("429") => "TooManyRequestsException",
        Some("503") => "SlowDown",
        _ => "InternalError",
    };
    let body = match to.head.starts_with("HEAD ") {
        true => String::new(),
        false => format!("<Error><Code>{code}</Code><Message>for a test</Message></Error>"),
    };
    write!(client, "HTTP/1.1 {status}\r\ncontent-length: {}\r\n\r\n{body}", body.len())
}

/// Answers as a server that is not the store.
fn lie(mut client: &TcpStream, document: &str) -> io::Result<()> {
    let length = document.len();
    write!(
        client,
        "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{document}"
    )
}

/// Removes the elements with a name from an answer. The end of the connection then ends the answer.
fn without_element(reply: &[u8], name: &str) -> Vec<u8> {
    let reply = String::from_utf8_lossy(reply);
    let (head, mut body) = reply.split_once("\r\n\r\n").expect("an answer has a head");
    let is_length = |line: &&str| !line.to_ascii_lowercase().starts_with("content-length:");
    let head: Vec<&str> = head.lines().filter(is_length).collect();
    let (open, close) = (format!("<{name}>"), format!("</{name}>"));
    let mut kept = String::new();
    while let Some((before, after)) = body.split_once(&open) {
        kept.push_str(before);
        body = after.split_once(&close).expect("an element ends").1;
    }
    kept.push_str(body);
    let length = kept.len();
    format!("{}\r\ncontent-length: {length}\r\n\r\n{kept}", head.join("\r\n")).into_bytes()
}

fn fall_silent(client: &TcpStream, silence: Silence) -> io::Result<()> {
    match silence {
        Silence::Reset => reset(client),
        Silence::Stall => stall(client),
    }
}

/// Ends the connection with a reset, not with an orderly end.
fn reset(client: &TcpStream) -> io::Result<()> {
    SockRef::from(client).set_linger(Some(Duration::ZERO))
}

/// Stays silent until the client ends the connection.
fn stall(mut client: &TcpStream) -> io::Result<()> {
    client.read_to_end(&mut Vec::new()).map(drop)
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}
