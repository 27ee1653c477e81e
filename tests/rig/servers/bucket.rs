//! Makes the bucket by a PUT of the empty path. `object_store` has no operation for it, but signs
//! it.

use std::io::{self, Read, Write};
use std::net::TcpStream;

use futures::FutureExt;
use object_store::aws::AmazonS3Builder;
use object_store::path::Path;
use object_store::signer::Signer;

use super::S3Server;
use crate::waits::NEVER;

pub fn create(server: &S3Server) -> Result<(), String> {
    let target = signed_target(server).map_err(|e| e.to_string())?;
    let answer = put(&server.endpoint, &target).map_err(|e| e.to_string())?;
    let status = answer.split(' ').nth(1);
    if status == Some("200") { Ok(()) } else { Err(answer) }
}

/// Returns the path and query of a request that carries its signature.
fn signed_target(server: &S3Server) -> object_store::Result<String> {
    let mut builder = AmazonS3Builder::new().with_bucket_name(&server.bucket);
    for (key, value) in server.store_options() {
        builder = builder.with_config(key.parse()?, value);
    }
    // Without a provider the library's client panics. An existing provider works as well.
    rustls::crypto::ring::default_provider().install_default().ok();
    let store = builder.build()?;
    let method = "PUT".parse().expect("PUT is a method");
    let url = store
        .signed_url(method, &Path::default(), NEVER)
        .now_or_never()
        .expect("signing with a given key waits for nothing")?;
    Ok(format!("{}?{}", url.path(), url.query().unwrap_or_default()))
}

/// Sends a PUT without a body and returns the whole answer.
fn put(endpoint: &str, target: &str) -> io::Result<String> {
    let host = endpoint.trim_start_matches("http://");
    let mut stream = TcpStream::connect(host)?;
    stream.set_read_timeout(Some(NEVER))?;
    stream.set_write_timeout(Some(NEVER))?;
    let request = format!(
        "PUT {target} HTTP/1.1\r\nHost: {host}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes())?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}
