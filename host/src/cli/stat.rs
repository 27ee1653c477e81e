//! `stratalog stat`: a log in numbers.

use super::arguments::{Shared, Stat};
use super::exit::{Code, Failure};
use super::report;
use super::session::{Must, Session};

pub(super) async fn run(command: &Stat, shared: &Shared) -> Result<Code, Failure> {
    let session = Session::open(&command.log, shared, false, Must::Exist)?;
    let Session { location, store, host } = &session;
    match host.stat(store, &location.name).await {
        Ok(stats) => report::stats(shared, &stats, location).map(|()| Code::Done),
        Err(error) => Err(Failure::from(error).context(format!("cannot count {location}"))),
    }
}
