//! The arguments of `stratalog component`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum, ValueHint};

#[derive(Args)]
pub(crate) struct Component {
    #[command(subcommand)]
    pub(crate) command: ComponentCommand,

    /// Print the summary as one JSON object on stdout
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

#[derive(Subcommand)]
pub(crate) enum ComponentCommand {
    /// Write the built-in component, or that of --component, to a file
    Export(Export),
    /// Join a plugin with the built-in component, or that of --component, into one file
    Join(Join),
    /// Print the digest, the imports, the exports and the interface (WIT) of a component
    Inspect(Inspect),
}

#[derive(Args)]
pub(crate) struct Export {
    /// The file, which is replaced as a whole; `-` is stdout
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) file: PathBuf,

    /// Join the component with this store: it then imports only WASI
    #[arg(long, value_name = "STORE")]
    pub(crate) store: Option<StoreKind>,
}

#[derive(Args)]
pub(crate) struct Join {
    /// The plugin, a component that imports stratalog:log/append-log
    #[arg(value_name = "PLUGIN", value_hint = ValueHint::FilePath)]
    pub(crate) plugin: PathBuf,

    /// Join this store, too: the file then imports only WASI
    ///
    /// Without a store, the file runs under `stratalog run`.
    #[arg(long, value_name = "STORE")]
    pub(crate) store: Option<StoreKind>,

    /// The file to write, which is replaced as a whole; `-` is stdout
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) output: PathBuf,
}

#[derive(Args)]
pub(crate) struct Inspect {
    /// The component or plugin [default: the built-in one, or that of --component]
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) file: Option<PathBuf>,
}

/// A store that is a component itself.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum StoreKind {
    /// A folder that the host opens for the program
    Fs,
    /// The bucket that STRATALOG_ROOT and the AWS_ variables of the program name
    S3,
}
