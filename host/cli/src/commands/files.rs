//! `stratalog files`: lists the objects, or ranges of them, that have the events of a log now.

mod duckdb;

use serde::Serialize;
use stratalog::store::Location;
use stratalog::{FilesOptions, LogFile};

use crate::args::Shared;
use crate::args::files::{Files, FilesFormat};
use crate::commands::read::check_times;
use crate::process::exit::{Code, Failure, write_stdout};
use crate::report::print_json;
use crate::target::Target;
use crate::terminal::human::{grouped, time};

#[derive(Serialize)]
struct FileReport {
    path: String,
    size: u64,
    offset: u64,
    bytes: u64,
    events_before: u64,
    events: Option<u64>,
    position: Option<u64>,
    first_time: Option<String>,
    last_time: Option<String>,
}

/// Runs the command. It may be interrupted anywhere.
pub(crate) async fn run(command: &Files, shared: &Shared) -> Result<Code, Failure> {
    check_times(command.since, command.until)?;
    let target = Target::open(&command.log, shared, false)?;
    let Target { location, store, host } = &target;
    let mut options = FilesOptions::new();
    if let Some(since) = command.since {
        options = options.since(since);
    }
    if let Some(until) = command.until {
        options = options.until(until);
    }
    let mut files = match host.files(store, &location.name, options).await {
        Ok(files) => files,
        Err(error) => return Err(target.explain("list the files of", error).await),
    };
    let (mut paths, mut statement) = (String::new(), duckdb::Statement::default());
    loop {
        let page = files.next().await?;
        if page.is_empty() {
            break;
        }
        for file in page {
            let path = path_of(location, &file);
            match command.format {
                FilesFormat::Paths if !file.is_whole() => return Err(is_range(&path, &file)),
                FilesFormat::Paths if path.contains(['\n', '\r']) => return Err(is_broken(&path)),
                FilesFormat::Paths => {
                    paths.push_str(&path);
                    paths.push('\n');
                }
                FilesFormat::Json => print_json(&report(path, &file))?,
                FilesFormat::Duckdb => statement.add(&path, &file),
            }
        }
    }
    match command.format {
        FilesFormat::Json => {}
        // Printed at the end: a list that fails prints nothing.
        FilesFormat::Paths => _ = write_stdout(paths.as_bytes())?,
        FilesFormat::Duckdb => _ = write_stdout(statement.end().as_bytes())?,
    }
    Ok(Code::Done)
}

/// Returns the path or the URL of a file's object, as other tools expect it.
fn path_of(location: &Location, file: &LogFile) -> String {
    match location.root.as_folder() {
        Some(folder) => folder.join(&file.key).display().to_string(),
        None => format!("{}/{}", location.root, file.key),
    }
}

fn report(path: String, file: &LogFile) -> FileReport {
    FileReport {
        path,
        size: file.size,
        offset: file.offset,
        bytes: file.bytes,
        events_before: file.events_before,
        events: file.events,
        position: file.position,
        first_time: file.first_time.map(time),
        last_time: file.last_time.map(time),
    }
}

fn is_broken(path: &str) -> Failure {
    Failure::input(format!(
        "cannot list paths: {path:?} has a line break; --format json and duckdb can have it"
    ))
}

fn is_range(path: &str, file: &LogFile) -> Failure {
    let end = file.offset.saturating_add(file.bytes);
    let (start, end) = (grouped(file.offset), grouped(end));
    Failure::input(format!(
        "cannot list paths: only the bytes from {start} to {end} of {path} are events to list; \
         --format json and duckdb have ranges"
    ))
}
