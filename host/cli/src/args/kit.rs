//! The arguments of `stratalog plugin` and `stratalog wit`: the kit of those who write plugins.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum, ValueHint};

use super::common_options::Json;

/// The long help of `plugin`.
pub(crate) const PLUGIN_HELP: &str = "\
A project has a small program, the interface of the log (WIT), and functions for it in its \
language. `plugin new` prints the commands that build, run and test it, and they are in its \
README.md. It needs no network. The commands get the tools of the language from its registry:

  rust        needs rustup
  python      needs Python 3.11 or newer, with pip
  javascript  needs Node 20 or newer, with npm

Example:
  stratalog plugin new --language rust shop";

/// The long help of `wit`.
pub(crate) const WIT_HELP: &str = "\
The folder is complete: the worlds `stratalog:log/plugin` and `stratalog:log/log-component`, \
worlds of commands for languages that need one (`command`, `command-with-exit` and \
`command-with-streams` of `stratalog:plugin`), and the parts of WASI that they use. The generators \
of all languages take it, such as wit-bindgen, componentize-py and jco.

Example, for the program in app.py:
  stratalog wit wit
  componentize-py --wit-path wit --world stratalog:plugin/command \\
      componentize app -o app.wasm";

#[derive(Args)]
pub(crate) struct Plugin {
    #[command(subcommand)]
    pub(crate) command: PluginCommand,

    /// Print the summary as one JSON object on stdout
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

#[derive(Subcommand)]
pub(crate) enum PluginCommand {
    /// Make a project in a new folder, and print the commands that build, run and test it
    #[command(after_help = PLUGIN_HELP)]
    New(New),
}

#[derive(Args)]
pub(crate) struct New {
    /// The folder, new or empty; its last part names the plugin: a-z, 0-9, `-` and `_`
    #[arg(value_name = "FOLDER", value_hint = ValueHint::DirPath)]
    pub(crate) folder: PathBuf,

    /// The language of the plugin
    #[arg(long, short, value_name = "LANGUAGE")]
    pub(crate) language: Language,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Language {
    Rust,
    Python,
    Javascript,
}

#[derive(Args)]
pub(crate) struct Wit {
    /// The folder, new or empty
    #[arg(value_name = "FOLDER", value_hint = ValueHint::DirPath)]
    pub(crate) folder: PathBuf,

    #[command(flatten)]
    pub(crate) json: Json,
}
