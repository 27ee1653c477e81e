//! Azurite, Microsoft's emulator of Azure Blob Storage, from npm.

use std::path::Path;
use std::process::Command;

use futures::FutureExt;
use object_store::ClientOptions;
use object_store::azure::{AzureAccessKey, AzureAuthorizer, AzureCredential};
use object_store::client::{HttpConnector, HttpRequest, HttpRequestBody, ReqwestConnector};

use super::{Server, Skip, program};
use crate::tools::{installed_once, run};

pub const KIND: &str = "azurite";
const PACKAGE: &str = "azurite@3.37.0";
const CONTAINER: &str = "stratalog-tests";
/// The emulator's own account and key, which its documentation publishes.
const ACCOUNT: &str = "devstoreaccount1";
const KEY: &str =
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

pub fn start() -> Result<Server, Skip> {
    let skip = |reason| Skip { server: KIND, reason };
    for needed in ["node", "npm"] {
        if !program::is_on_path(needed) {
            return Err(skip(format!(
                "{needed} is not installed (on Debian: apt-get install npm)"
            )));
        }
    }
    let folder = installed_once(KIND, PACKAGE, install).map_err(skip)?;
    let args = [
        "--blobHost=127.0.0.1",
        "--blobPort=0",
        "--inMemoryPersistence",
        "--silent",
        "--disableTelemetry",
    ];
    let pattern = r"successfully listens on http://127\.0\.0\.1:(\d+)";
    let azurite = folder.join("node_modules/.bin/azurite-blob");
    let args = args.map(Into::into);
    let (process, port) = program::serve(KIND, pattern, &azurite, &args).map_err(skip)?;
    let endpoint = format!("http://127.0.0.1:{port}/{ACCOUNT}");
    if let Err(reason) = create_container(&endpoint) {
        panic!("{KIND} does not make the container {CONTAINER}: {reason}");
    }
    let options = [
        ("azure_storage_endpoint", endpoint.as_str()),
        ("azure_storage_account_name", ACCOUNT),
        ("azure_storage_account_key", KEY),
        ("azure_allow_http", "true"),
    ];
    Ok(Server::new(KIND, format!("az://{CONTAINER}"), &options, process))
}

fn install(folder: &Path) -> Result<(), String> {
    let npm = ["install", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
    let mut command = Command::new("npm");
    command.args(npm).arg("--prefix").arg(folder).arg(PACKAGE);
    run(&mut command).map_err(|e| format!("it cannot be installed: {e}"))
}

/// Makes the container by one request. `object_store` has no operation for it, but signs it.
fn create_container(endpoint: &str) -> Result<(), String> {
    let mut request = HttpRequest::new(HttpRequestBody::empty());
    *request.method_mut() = "PUT".parse().expect("PUT is a method");
    let uri = format!("{endpoint}/{CONTAINER}?restype=container");
    *request.uri_mut() = uri.parse().expect("the endpoint is a URI");
    let length = "0".parse().expect("digits are a header's value");
    request.headers_mut().insert("content-length", length);
    let key = AzureAccessKey::try_new(KEY).expect("the emulator's key is one");
    let credential = AzureCredential::AccessKey(key);
    let signed = AzureAuthorizer::new(&credential, ACCOUNT).try_authorize(&mut request);
    signed.map_err(|error| error.to_string())?;

    let options = ClientOptions::new().with_allow_http(true);
    let sent = async {
        // Without a provider the client panics. An existing provider works as well.
        rustls::crypto::ring::default_provider().install_default().ok();
        let client = ReqwestConnector::default().connect(&options).map_err(|e| e.to_string())?;
        client.execute(request).await.map_err(|e| e.to_string())
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let answer = runtime.map_err(|e| e.to_string())?.block_on(sent.boxed())?;
    if answer.status().as_u16() == 201 { Ok(()) } else { Err(answer.status().to_string()) }
}
