//! `stratalog completions`: prints a completion script for the user's shell.

use clap::CommandFactory as _;

use crate::args::Arguments;
use crate::args::man::Completions;
use crate::process::exit::{Code, Failure, write_stdout};

pub(crate) fn run(command: &Completions) -> Result<Code, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(command.shell, &mut Arguments::command(), "stratalog", &mut script);
    write_stdout(&script)?;
    Ok(Code::Done)
}
