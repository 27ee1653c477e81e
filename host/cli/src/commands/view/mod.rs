//! `stratalog view`: serves a page that shows the log, and the log's objects, to this machine.
//!
//! 1. The server listens on loopback. Each request needs the token of this run in its path, and a
//!    host that is this server: a page of another site has neither.
//! 2. Nothing is written: the store is only listed and read, and only below the log's folder.
//! 3. The page asks no other host for anything.

mod answer;
mod connections;
mod gate;
mod objects;
mod page;
mod server;

use stratalog::Error;
use tokio::net::TcpListener;

use self::gate::Gate;
use self::objects::Objects;
use self::server::Site;
use crate::args::Shared;
use crate::args::view::View;
use crate::process::exit::{Code, Failure, print_error, write_stdout};
use crate::report::print_line;
use crate::target::Target;

pub(crate) async fn run(command: &View, shared: &Shared) -> Result<Code, Failure> {
    if shared.component.is_some() {
        let message = "--component: it has no effect on the page, which has the built-in \
                       component; leave it out";
        return Err(Failure::usage(message));
    }
    let target = Target::open(&command.log, shared, false)?;
    let Target { location, store, host } = &target;
    match host.stat(store, &location.name).await {
        Ok(_) => {}
        // The page shows the damage.
        Err(error @ Error::Damaged(_)) => {
            print_error(&format!("{:#}", anyhow::Error::from(error)));
        }
        Err(error) => return Err(target.explain("view", error).await),
    }
    let port = command.port.unwrap_or_default();
    let listener = TcpListener::bind(("127.0.0.1", port)).await;
    let listener = listener.map_err(|error| cannot_listen(port, &error))?;
    let address = listener.local_addr().map_err(|error| cannot_listen(port, &error))?;
    let gate = Gate::new(address.port())?;
    print_line(shared.quiet, &format!("showing {location} until a signal ends this command"));
    if !write_stdout(format!("{}\n", gate.url()).as_bytes())? {
        return Ok(Code::Done);
    }
    let objects = Objects::new(store.clone(), &location.name);
    let site = Site::new(gate, objects, &location.name, &location.to_string());
    match server::serve(listener, site).await {}
}

fn cannot_listen(port: u16, error: &std::io::Error) -> Failure {
    let message = match port {
        0 => format!("cannot listen on 127.0.0.1: {error}"),
        port => format!(
            "cannot listen on port {port} of 127.0.0.1: {error}; leave --port out to take a free \
             one"
        ),
    };
    Failure::new(Code::Failed, message)
}
