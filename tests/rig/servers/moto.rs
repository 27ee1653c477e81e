//! moto, a mock of S3 in Python, run by `serve_moto.py`.

use super::process::Supervised;
use super::{S3Server, Skip};
use crate::tools::python::Python;

pub const KIND: &str = "moto";
const SERVE: &str = include_str!("serve_moto.py");
const REQUIREMENTS: &str = include_str!("requirements.txt");

pub fn start() -> Result<S3Server, Skip> {
    let python =
        Python::with(KIND, REQUIREMENTS).map_err(|reason| Skip { server: KIND, reason })?;
    match Supervised::start(python.command().args(["-c", SERVE])) {
        Ok((process, port)) => {
            let endpoint = format!("http://127.0.0.1:{port}");
            // moto checks no signature.
            Ok(S3Server::with_bucket(KIND, endpoint, "unchecked".to_owned(), process))
        }
        Err(log) => panic!("moto is installed but does not start: {log}"),
    }
}
