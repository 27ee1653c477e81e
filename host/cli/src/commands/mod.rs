//! Runs the commands, one file each.
//!
//! A command parses no arguments and prints no error. It takes its arguments and returns a [`Code`]
//! or a [`Failure`].

mod append;
mod compact;
mod completions;
mod component;
mod copy;
mod doctor;
mod files;
mod keep;
mod kit;
mod ls;
mod man;
mod pages;
mod positions;
mod read;
mod repair;
#[cfg(feature = "plugins")]
mod run;
mod stat;
mod tail;
mod trim;
mod verify;
mod view;

use crate::args::commands::Command;
use crate::args::{Arguments, Shared};
use crate::process::exit::{self, Code, Failure};
use crate::process::signals::Signals;
use crate::terminal::closed_stdout::check_stdout;
use crate::terminal::live_lines;

/// Runs one command.
pub(crate) async fn run(arguments: Arguments, signals: &Signals) -> Result<Code, Failure> {
    let Arguments { command, shared } = arguments;
    // These commands have no other output.
    let prints = matches!(
        command,
        Command::Read(_)
            | Command::Tail(_)
            | Command::Files(_)
            | Command::Ls(_)
            | Command::Keep(_)
            | Command::View(_)
    );
    if shared.json || prints {
        check_stdout().map_err(|error| Failure::system(exit::STDOUT, &error))?;
    }
    let done = run_command(command, &shared, signals).await;
    live_lines::clear();
    done
}

/// Runs a command. A command with something to finish handles the signals itself. The others may be
/// interrupted anywhere, so a signal drops them.
async fn run_command(
    command: Command,
    shared: &Shared,
    signals: &Signals,
) -> Result<Code, Failure> {
    let ended = match command {
        Command::Append(command) => return append::run(command, shared, signals).await,
        Command::Read(command) => return read::run(&command, shared, signals).await,
        Command::Tail(command) => return tail::run(&command, shared, signals).await,
        #[cfg(feature = "plugins")]
        Command::Run(command) => return run::run(&command, shared, signals).await,
        Command::Doctor(command) => return doctor::run(&command, shared, signals).await,
        Command::Compact(command) => signals.or(compact::run(&command, shared)).await,
        Command::Trim(command) => signals.or(trim::run(&command, shared)).await,
        Command::Copy(command) => signals.or(copy::run(&command, shared)).await,
        Command::Repair(command) => signals.or(repair::run(&command, shared)).await,
        Command::Verify(command) => signals.or(verify::run(&command, shared)).await,
        Command::Stat(command) => signals.or(stat::run(&command, shared)).await,
        Command::Files(command) => signals.or(files::run(&command, shared)).await,
        Command::Ls(command) => signals.or(ls::run(&command, shared)).await,
        Command::Keep(command) => signals.or(keep::run(&command, shared)).await,
        Command::Positions(command) => signals.or(positions::run(&command, shared)).await,
        Command::View(command) => signals.or(view::run(&command, shared)).await,
        Command::Component(command) => component::run(&command, shared).map(Ok),
        Command::Plugin(command) => kit::plugin(&command, shared).map(Ok),
        Command::Wit(command) => kit::wit(&command, shared).map(Ok),
        Command::Completions(command) => completions::run(&command).map(Ok),
        Command::Man(command) => man::run(&command).map(Ok),
    };
    ended.map(|ended| ended.unwrap_or_else(|code| code))
}
