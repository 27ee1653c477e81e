//! Defines the commands that write the manual pages and the completion scripts.

use std::path::PathBuf;

use clap::{Args, ValueHint};
use clap_complete::Shell;

pub(crate) const COMPLETIONS: &str = "\
Example:
  stratalog completions bash \\
      >~/.local/share/bash-completion/completions/stratalog";

pub(crate) const MAN: &str = "\
Example:
  stratalog man ~/.local/share/man/man1 && man stratalog-append";

#[derive(Args)]
pub(crate) struct Completions {
    /// The shell
    pub(crate) shell: Shell,
}

#[derive(Args)]
pub(crate) struct Man {
    /// The folder of the pages, which is created
    #[arg(value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) folder: PathBuf,
}
