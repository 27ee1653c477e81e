//! The arguments of `stratalog component`.

use std::path::PathBuf;

use clap::builder::{PathBufValueParser, TypedValueParser};
use clap::{Args, Subcommand, ValueEnum, ValueHint};

/// The long help.
pub(crate) const HELP: &str = "\
The component is the log's whole logic. It runs in any host that provides the imports that \
`inspect` prints.

Joined with a store, it imports only WASI 0.2. With a plugin, both make a file that any host of \
WASI runs. The store `fs` keeps the logs in the first folder that the host opens, or in the folder \
that STRATALOG_ROOT names below it:

  stratalog component join plugin.wasm --store fs -o app.wasm
  mkdir -p store
  wasmtime run --dir ./store::/ app.wasm
  stratalog read ./store/errors

With --log-sink, what a program logs through `wasi:logging` becomes events of the log that \
STRATALOG_SINK_LOG names, by default `log`. The program itself needs no change:

  stratalog component join shop.wasm --log-sink --store fs -o journalled.wasm
  wasmtime run --dir ./store::/ journalled.wasm
  stratalog read ./store/log

Without a store, a joined plugin gets its logs from `stratalog run`:

  stratalog component join plugin.wasm -o joined.wasm
  stratalog run joined.wasm --log errors=logs/errors

A program that imports wasi:http runs joined only on a host that permits HTTP, as `wasmtime run -S \
http` does. A warning says so. In JavaScript, `componentize-js --disable http fetch-event` leaves \
HTTP out.

With --json, a file that is written is summed up as {\"bytes\":51234,\"sha256\":\"…\"}, and `inspect` \
also has \"imports\", \"exports\" and \"wit\".";

#[derive(Args)]
pub(crate) struct Component {
    #[command(subcommand)]
    pub(crate) command: ComponentCommand,

    /// Print the summary as one JSON object on stdout
    ///
    /// The component itself cannot go to stdout then.
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
    /// The plugin, a component that imports stratalog:log/append-log; with --log-sink,
    /// wasi:logging
    #[arg(value_name = "PLUGIN", value_hint = ValueHint::FilePath)]
    #[arg(value_parser = component_file())]
    pub(crate) plugin: PathBuf,

    /// Join this store, too: the file then imports only WASI
    ///
    /// Without a store, the file runs under `stratalog run`.
    #[arg(long, value_name = "STORE")]
    pub(crate) store: Option<StoreKind>,

    /// Join the log sink, too: what the program logs by wasi:logging becomes events of a log
    ///
    /// STRATALOG_SINK_LOG names the log.
    #[arg(long)]
    pub(crate) log_sink: bool,

    /// The file to write, which is replaced as a whole; `-` is stdout
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) output: PathBuf,
}

#[derive(Args)]
pub(crate) struct Inspect {
    /// The component or plugin [default: the built-in one, or that of --component]
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    #[arg(value_parser = component_file())]
    pub(crate) file: Option<PathBuf>,
}

/// Parses the path of a component to read.
pub(crate) fn component_file() -> impl TypedValueParser<Value = PathBuf> {
    PathBufValueParser::new().try_map(|path| match path.to_str() {
        Some("-") => Err("a component is not read from stdin; name a file"),
        _ => Ok(path),
    })
}

/// A store that is a component itself.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum StoreKind {
    /// A folder that the host opens for the program
    Fs,
    /// The bucket that STRATALOG_ROOT and the AWS_ variables of the program name
    S3,
}
