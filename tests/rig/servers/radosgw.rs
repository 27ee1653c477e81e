//! Ceph's radosgw, with a cluster of one node behind it, run by `microceph.sh`.

use std::hash::{BuildHasher, RandomState};
use std::net::TcpListener;
use std::process::Command;

use super::process::Supervised;
use super::{S3Server, Skip, program};

pub const KIND: &str = "radosgw";
const SCRIPT: &str = include_str!("microceph.sh");
const PROGRAMS: [&str; 6] = ["bash", "ceph", "ceph-mon", "ceph-osd", "radosgw", "radosgw-admin"];
/// The daemons cannot choose their ports themselves, so another process can be faster.
const PORT_ATTEMPTS_MAX: usize = 3;

pub fn start() -> Result<S3Server, Skip> {
    if let Some(program) = PROGRAMS.into_iter().find(|program| !program::is_on_path(program)) {
        return Err(Skip {
            server: KIND,
            reason: format!(
                "{program} is not installed (on Debian: apt-get install \
                 --no-install-recommends ceph-mon ceph-osd ceph-common radosgw)"
            ),
        });
    }

    // New for each start, so that another server on the same port refuses it.
    let secret_key = format!("{:016x}", RandomState::new().hash_one(std::process::id()));
    let mut attempt = 1;
    loop {
        let [port, monitor_port] = free_ports();
        let mut command = Command::new("bash");
        command.args(["-c", SCRIPT, "microceph", &port, &monitor_port]);
        command.args([super::ACCESS_KEY, &secret_key]);
        match Supervised::start(&mut command) {
            Ok((process, _ready)) => {
                let endpoint = format!("http://127.0.0.1:{port}");
                return Ok(S3Server::with_bucket(KIND, endpoint, secret_key, process));
            }
            Err(log) if is_port_taken(&log) && attempt < PORT_ATTEMPTS_MAX => {
                attempt += 1;
            }
            Err(log) => panic!("radosgw is installed but does not start; attempt {attempt} {log}"),
        }
    }
}

/// Returns true if another process was faster: the monitor of another cluster refuses in this way.
fn is_port_taken(log: &str) -> bool {
    ["Address already in use", "problem getting command descriptions"]
        .iter()
        .any(|words| log.contains(words))
}

/// Returns two ports that were free a moment ago.
fn free_ports() -> [String; 2] {
    let listeners = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").expect("a free port"));
    listeners.map(|listener| listener.local_addr().expect("a bound port").port().to_string())
}
