//! Garage, an S3 server that accepts create-if-absent and ignores it. Tests use it where it is
//! installed, because building it takes minutes.

use std::fs;
use std::net::TcpListener;

use super::{ACCESS_KEY_GARAGE, BUCKET, S3Server, Skip, program};

pub const KIND: &str = "garage";
const SECRET_KEY: &str = "0000000000000000000000000000000000000000000000000000000000000001";

pub fn start() -> Result<S3Server, Skip> {
    let skip = |reason: String| Skip { server: KIND, reason };
    if !program::is_on_path("garage") {
        let how = "cargo install garage --version 2.5.0 --locked --no-default-features --features \
                   bundled-libs,sqlite";
        return Err(skip(format!("garage is not installed ({how}, some minutes)")));
    }
    let folder = tempfile::tempdir().map_err(|e| skip(format!("no folder for its data: {e}")))?;
    let path = folder.path().display();
    // It prints no port, so it gets two that were free a moment ago.
    let [port, rpc_port] = [(); 2].map(|()| {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        listener.local_addr().expect("a bound port").port()
    });
    let config = format!(
        "metadata_dir = \"{path}/meta\"\n\
         data_dir = \"{path}/data\"\n\
         db_engine = \"sqlite\"\n\
         replication_factor = 1\n\
         rpc_bind_addr = \"127.0.0.1:{rpc_port}\"\n\
         rpc_secret = \"{SECRET_KEY}\"\n\
         [s3_api]\n\
         s3_region = \"us-east-1\"\n\
         api_bind_addr = \"127.0.0.1:{port}\"\n"
    );
    let file = folder.path().join("garage.toml");
    fs::write(&file, config).expect("a folder of our own can be written to");
    let environment = [
        ("GARAGE_DEFAULT_ACCESS_KEY", ACCESS_KEY_GARAGE),
        ("GARAGE_DEFAULT_SECRET_KEY", SECRET_KEY),
        ("GARAGE_DEFAULT_BUCKET", BUCKET),
        ("RUST_LOG", "garage=info"),
    ];
    let mut args: Vec<std::ffi::OsString> =
        environment.iter().map(|(name, value)| format!("{name}={value}").into()).collect();
    args.extend(["garage".into(), "-c".into(), file.into()]);
    args.extend(["server", "--single-node", "--default-bucket"].map(Into::into));
    let pattern = r"S3 API server listening on http://127\.0\.0\.1:(\d+)";
    let (process, port) = program::serve(KIND, pattern, "env".as_ref(), &args).map_err(skip)?;
    Ok(S3Server {
        endpoint: format!("http://127.0.0.1:{port}"),
        bucket: BUCKET.to_owned(),
        access_key: ACCESS_KEY_GARAGE.to_owned(),
        secret_key: SECRET_KEY.to_owned(),
        kind: KIND,
        process,
        _folder: Some(folder),
    })
}
