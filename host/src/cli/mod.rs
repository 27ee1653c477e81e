//! The commands, one file each, and what they share.
//!
//! Commands parse nothing and print no errors: they take [`arguments`] and return an
//! [`exit::Code`] or an [`exit::Failure`].

mod append;
pub(crate) mod arguments;
mod compact;
mod completions;
mod component;
mod doctor;
pub(crate) mod exit;
mod manual;
pub(crate) mod messages;
mod moments;
mod plugin_limits;
mod position_file;
mod progress;
mod quantities;
mod read;
mod report;
mod run;
mod session;
mod signals;
mod stat;
mod stdout;
mod tail;
mod trim;
mod verify;
mod waiting;

use arguments::{Arguments, Command, Shared};
use exit::{Code, Failure};

/// Runs one command.
pub(crate) async fn run(arguments: Arguments) -> Result<Code, Failure> {
    let Arguments { command, shared } = arguments;
    let done = run_command(command, shared).await;
    progress::clear();
    done
}

async fn run_command(command: Command, shared: Shared) -> Result<Code, Failure> {
    match command {
        Command::Append(command) => append::run(command, &shared).await,
        Command::Read(command) => read::run(&command, &shared).await,
        Command::Tail(command) => tail::run(&command, &shared).await,
        Command::Compact(command) => compact::run(&command, &shared).await,
        Command::Trim(command) => trim::run(&command, &shared).await,
        Command::Verify(command) => verify::run(&command, &shared).await,
        Command::Stat(command) => stat::run(&command, &shared).await,
        Command::Run(command) => run::run(&command, &shared).await,
        Command::Component(command) => component::run(&command, &shared),
        Command::Doctor(command) => doctor::run(&command, &shared).await,
        Command::Completions(command) => completions::run(&command),
    }
}
