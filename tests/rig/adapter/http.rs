//! The HTTP requests of a host, sent as stock wasmtime sends them: one connection for each.
//!
//! Of stock wasmtime's own sender, TLS is left out: it would change the features of crates that the
//! product has, and the servers of the tests have none.

use std::pin::pin;
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::{Either, FusedFuture as _, select};
use http::{Request, Response, Uri};
use http_body_util::BodyExt as _;
use tokio::net::TcpStream;
use tokio::time::timeout;
use wasmtime_wasi_http::io::TokioIo;
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpHooks};

/// The time for a connection, if the component sets none.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(600);

pub(super) struct Sender;

type Rest = Box<dyn Future<Output = Result<(), Error>> + Send>;
type Answer = Result<(Response<WasiBody>, Rest), Error>;

impl WasiHttpHooks for Sender {
    fn send_request(
        &mut self,
        request: Request<WasiBody>,
        options: Option<RequestOptions>,
        _ended: Rest,
    ) -> Box<dyn Future<Output = Answer> + Send> {
        Box::new(send(request, options.and_then(|options| options.connect_timeout)))
    }
}

async fn send(mut request: Request<WasiBody>, limit: Option<Duration>) -> Answer {
    let limit = limit.unwrap_or(CONNECT_TIMEOUT);
    let authority = request.uri().authority().ok_or(Error::HttpRequestUriInvalid)?;
    let address = match authority.port() {
        Some(_) => authority.to_string(),
        None => format!("{authority}:80"),
    };
    let connected = timeout(limit, TcpStream::connect(&address)).await;
    let stream = connected.map_err(|_| Error::ConnectionTimeout)?.map_err(Error::Connect)?;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    // The head names the host in a header.
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    *request.uri_mut() = path.parse::<Uri>().map_err(|_| Error::HttpRequestUriInvalid)?;
    let mut connection = Box::pin(connection.fuse());
    let response = match select(pin!(sender.send_request(request)), &mut connection).await {
        Either::Left((response, _)) => response?,
        Either::Right((Ok(()), response)) => response.await?,
        Either::Right((Err(error), _)) => return Err(error.into()),
    };
    let rest = async move {
        match connection.is_terminated() {
            true => Ok(()),
            false => connection.await.map_err(Error::from),
        }
    };
    Ok((response.map(|body| body.map_err(Error::from).boxed_unsync()), Box::new(rest)))
}
