//! Benchmarks: the log, its sandbox included, compared with baselines in the same run.
//!
//! 1. Runs of the log and of its baseline alternate, so both meet the same machine.
//! 2. A figure that was not measured is reported as such.

mod far;
mod first_words;
mod forgetful;
mod lab;
mod logs;
mod machine;
mod pace;
mod rows;
mod table;
mod usage;

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;

use clap::Parser;

use lab::Lab;
use rows::{ROWS, Row};

/// The text before the table in `README.md`.
const RESULTS: &str = "## Results\n";

/// Measures the log, and prints a table in Markdown.
#[derive(Debug, Parser)]
struct Arguments {
    /// The rows to measure; all by default
    rows: Vec<String>,
    /// Lists the rows
    #[arg(long)]
    list: bool,
    /// Runs of each row
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..))]
    runs: u16,
    /// Seconds of each run that measures a pace
    #[arg(long, default_value_t = 3.0)]
    seconds: f64,
    /// Live batches of the row `live`
    #[arg(long, value_delimiter = ',', default_values_t = [10_000, 100_000, 300_000])]
    batches: Vec<usize>,
    /// The folder for logs; a temporary one by default
    #[arg(long)]
    folder: Option<PathBuf>,
    /// Opens this many logs, and prints figures of this process: for the row `crowd`
    #[arg(long, hide = true)]
    crowd: Option<usize>,
    /// Opens this many followers, and prints figures of this process: for the row `followers`
    #[arg(long, hide = true)]
    followers: Option<usize>,
    /// Replaces the results in tests/speed/README.md
    #[arg(long)]
    write: bool,
}

fn main() {
    let arguments = Arguments::parse();
    if arguments.list {
        ROWS.iter().for_each(|row| println!("{:14} {}", row.name, row.what));
        return;
    }
    if let Some(logs) = arguments.crowd {
        return rows::crowd::print(logs);
    }
    if let Some(followers) = arguments.followers {
        return rows::followers::print(followers);
    }
    if let Some(unknown) =
        arguments.rows.iter().find(|name| ROWS.iter().all(|row| row.name != **name))
    {
        eprintln!("error: there is no row {unknown}; --list lists them");
        std::process::exit(2);
    }
    let lab = Lab::new(&arguments);
    let machine = machine::described(lab.folder(), lab.runs);
    eprintln!("{machine}");
    let mut lines = vec![table::HEAD.to_owned()];
    for row in ROWS {
        if arguments.rows.is_empty() || arguments.rows.iter().any(|name| name == row.name) {
            let measured = measure(&lab, row);
            measured.iter().for_each(|line| eprintln!("{line}"));
            lines.extend(measured);
        } else if arguments.write {
            lines.push(table::not_measured(row.name, row.what, "not chosen"));
        }
    }
    let results = format!("{RESULTS}\n{machine}\n\n{}\n", lines.join("\n"));
    if arguments.write {
        write(&results);
    } else {
        println!("{results}");
    }
}

/// Returns the lines of a row. A row that fails is reported, and the others are measured.
fn measure(lab: &Lab, row: &Row) -> Vec<String> {
    eprintln!("{}: {}", row.name, row.what);
    match catch_unwind(AssertUnwindSafe(|| (row.measure)(lab))) {
        Ok(lines) => lines.iter().map(|line| line.markdown(row.name)).collect(),
        Err(_) => vec![table::not_measured(row.name, row.what, "failed")],
    }
}

/// Replaces the results at the end of the page.
fn write(results: &str) {
    let page = rig::tools::workspace().join("tests/speed/README.md");
    let text = fs::read_to_string(&page).expect("the page");
    let (before, _) = text.split_once(RESULTS).expect("the heading of the results");
    fs::write(&page, format!("{before}{results}")).expect("the page");
    eprintln!("written to {}", page.display());
}
