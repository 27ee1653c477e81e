//! One list of cases on every host and store, and each reads what the others wrote.
//!
//! 1. The cases are one program, `tests/cases`. Each row runs it on its own host and store.
//! 2. The log's component is the same in all rows, byte by byte.
//! 3. A log that a row writes is copied, object by object, to the store of every other row. There
//!    it has the same events, positions and numbers.
//!
//! `tests/matrix/run` prints the table. `tests/matrix/README.md` has it.

#![expect(clippy::indexing_slicing, reason = "the test knows its logs")]

use std::sync::Arc;

use tokio::runtime::Runtime;

mod changes;
mod digests;
mod holding;
mod native;
mod objects;
mod rows;
mod table;
mod transfer;

#[test]
fn every_host_and_store_holds_the_cases_and_reads_the_logs_of_others() {
    let runtime = Arc::new(Runtime::new().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let rows = rows::all(&runtime, folder.path());
    let component = digests::common(&rows);
    let cases = holding::cases(&rows[0]);
    let held = holding::hold(&rows, &cases);
    let read = transfer::read_by_all(&rows);
    table::check(&rows, &cases, &held, &read, &component);
}
