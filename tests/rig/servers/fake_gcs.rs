//! A fake of Google Cloud Storage, run by `fake_gcs.py`: there is no emulator of its XML interface.

use super::process::Supervised;
use super::{BUCKET, Server, Skip};
use crate::tools::python::Python;

pub const KIND: &str = "fake_gcs";
const SERVE: &str = include_str!("fake_gcs.py");

pub fn start() -> Result<Server, Skip> {
    let python = Python::system().map_err(|reason| Skip { server: KIND, reason })?;
    match Supervised::start(python.command().args(["-c", SERVE, BUCKET])) {
        Ok((process, port)) => {
            let endpoint = format!("http://127.0.0.1:{port}");
            let options = [
                ("google_base_url", endpoint.as_str()),
                ("google_bearer_token", "unchecked"),
                ("allow_http", "true"),
            ];
            Ok(Server::new(KIND, format!("gs://{BUCKET}"), &options, process))
        }
        Err(log) => panic!("the fake of GCS does not start: {log}"),
    }
}
