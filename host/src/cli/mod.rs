//! The commands, one file each, and what they share.
//!
//! Commands parse nothing and print no errors: they take [`arguments`] and return an
//! [`exit::Code`] or an [`exit::Failure`].

mod append;
pub(crate) mod arguments;
pub(crate) mod beginning;
mod compact;
mod completions;
mod component;
mod doctor;
pub(crate) mod exit;
mod manual;
pub(crate) mod messages;
mod moments;
mod neighbours;
mod plugin_limits;
mod position_file;
mod progress;
mod quantities;
mod read;
mod repair;
mod replaced_file;
mod report;
mod run;
mod screen;
mod session;
mod shell;
pub(crate) mod signals;
mod stat;
pub(crate) mod stderr;
mod streams;
mod tail;
mod tail_start;
mod tips;
mod trim;
mod verify;
mod waiting;
mod wrapping;

use arguments::{Arguments, Command, Shared};
use exit::{Code, Failure};
use signals::Signals;

/// Runs one command.
pub(crate) async fn run(arguments: Arguments, signals: &Signals) -> Result<Code, Failure> {
    let Arguments { command, shared } = arguments;
    // They have nothing else to say.
    if shared.json || matches!(command, Command::Read(_) | Command::Tail(_)) {
        beginning::check_stdout().map_err(|error| Failure::system(exit::STDOUT, &error))?;
    }
    let done = run_command(command, &shared, signals).await;
    progress::clear();
    done
}

/// A command that has something to bring to an end takes the signals itself. The others may end
/// anywhere, so a signal drops them.
async fn run_command(
    command: Command,
    shared: &Shared,
    signals: &Signals,
) -> Result<Code, Failure> {
    let ended = match command {
        Command::Append(command) => return append::run(command, shared, signals).await,
        Command::Read(command) => return read::run(&command, shared, signals).await,
        Command::Tail(command) => return tail::run(&command, shared, signals).await,
        Command::Run(command) => return run::run(&command, shared, signals).await,
        Command::Doctor(command) => return doctor::run(&command, shared, signals).await,
        Command::Compact(command) => signals.or(compact::run(&command, shared)).await,
        Command::Trim(command) => signals.or(trim::run(&command, shared)).await,
        Command::Repair(command) => signals.or(repair::run(&command, shared)).await,
        Command::Verify(command) => signals.or(verify::run(&command, shared)).await,
        Command::Stat(command) => signals.or(stat::run(&command, shared)).await,
        Command::Component(command) => component::run(&command, shared).map(Ok),
        Command::Completions(command) => completions::run(&command).map(Ok),
    };
    ended.map(|ended| ended.unwrap_or_else(|code| code))
}
