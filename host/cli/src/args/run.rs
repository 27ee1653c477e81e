//! Defines the command `run`.

use std::path::{Path, PathBuf};

use clap::{Args, ValueHint};

use super::common_options::{Grace, SoleCompactor};
use super::component::component_file;
use super::plugin_limits::LimitArguments;
use super::quota::{LabelledQuota, parse_quota};
use super::recording::RecordArguments;
use super::telemetry::PricedTelemetry;

#[derive(Args)]
pub(crate) struct Run {
    /// The plugin: a WebAssembly component that exports wasi:cli/run
    #[arg(value_name = "PLUGIN.wasm", value_hint = ValueHint::FilePath)]
    #[arg(value_parser = component_file())]
    pub(crate) plugin: PathBuf,

    /// Grant the plugin a log, a path or a URL, under LABEL (repeatable)
    #[arg(long = "log", value_name = "LABEL=LOG")]
    pub(crate) logs: Vec<String>,

    /// Set the rights of a granted log: append, read, compact, trim, commit [default: append,read]
    #[arg(long = "grant", value_name = "LABEL=RIGHT,...")]
    pub(crate) grants: Vec<String>,

    /// Limit the bytes and objects that a granted log has in its store (repeatable)
    ///
    /// All objects of the log count, also those that others wrote. An append beyond the quota is an
    /// error of that call, and events that were accepted are still flushed. A compaction, which
    /// writes before it deletes, and a trim are not refused. Without OBJECTS, only the bytes are
    /// limited. The log is listed when the plugin first opens it, and about ten more times while it
    /// fills. Several runs count each for itself: one sees what others have written, and not what
    /// they buffer, so runs at the same time may each fill the room that they found.
    #[arg(long = "quota", value_name = "LABEL=SIZE[,OBJECTS]", value_parser = parse_quota)]
    pub(crate) quotas: Vec<LabelledQuota>,

    /// Pass an environment variable to the plugin; without a value, the one set here
    #[arg(long = "env", value_name = "NAME[=VALUE]")]
    pub(crate) env: Vec<String>,

    /// Give the plugin a folder to read and write, optionally under another name
    #[arg(long = "dir", value_name = "DIR[::NAME]", value_hint = ValueHint::DirPath)]
    pub(crate) dirs: Vec<String>,

    /// Report the plugin's resource usage as one JSON object, to stderr or to a file
    ///
    /// The file is replaced as a whole. A symbolic link is kept, and the file keeps its mode and
    /// owner.
    #[arg(long, value_name = "FILE", num_args = 0..=1, require_equals = true)]
    #[arg(default_missing_value = "-", value_hint = ValueHint::FilePath)]
    pub(crate) report: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) record: RecordArguments,

    #[command(flatten)]
    pub(crate) limits: LimitArguments,

    #[command(flatten)]
    pub(crate) grace: Grace,

    #[command(flatten)]
    pub(crate) sole: SoleCompactor,

    #[command(flatten)]
    pub(crate) telemetry: PricedTelemetry,

    /// The plugin's own arguments
    #[arg(last = true, value_name = "ARGS")]
    pub(crate) arguments: Vec<String>,
}

impl Run {
    /// Returns the file for the report. None: there is no report, or it goes to stderr.
    pub(crate) fn report_file(&self) -> Option<&Path> {
        self.report.as_deref().filter(|file| *file != Path::new("-"))
    }
}
