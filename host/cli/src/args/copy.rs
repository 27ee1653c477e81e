//! Defines the command `copy`.

use std::time::Duration;

use clap::Args;

use super::common_options::Json;
use super::durations::parse_pause;
use super::telemetry::PricedTelemetry;

pub(crate) const HELP: &str = "\
FROM may be written, compacted and trimmed meanwhile. The copy has the same objects: events, \
positions, batch times and the identity are those of FROM, and a reader continues there from a \
position of FROM. Every object is checked while it is copied. Readers of TO see at any moment, of \
each writer, its events up to some point. A copy that was interrupted continues with what is \
missing, and a later one copies only what is new. Errors name the objects of both below FROM/ and \
TO/.

TO is a mirror: `append`, `compact`, `trim` and `repair` refuse it, and so does a commit of a \
position. A TO that was written or compacted on its own is refused, with both histories, and so is \
one that fell behind so far that FROM has forgotten batches it has. With --promote, a mirror \
becomes a log of its own, permanently: stop its copies before.

With FROM/ and TO/, both ending with a slash, all logs below FROM are copied to the same names \
below TO. New ones are found with each pass of --follow. A log that cannot be copied is reported, \
and the others are copied; without --follow, the exit code is then that of the first one.

The two stores have the options --from-option and --to-option in place of --store-option.

Example:
  stratalog copy --json logs/errors s3://bucket/errors
      prints {\"from\":\"/srv/logs/errors\",\"to\":\"s3://bucket/errors\",
              \"objects\":12,\"bytes\":51234,\"generation\":7}
  stratalog copy --dry-run --json logs/errors s3://bucket/errors
      prints the same for what would be copied
  stratalog copy --follow s3://bucket/app/ az://container/app/
  stratalog copy --promote --json s3://bucket/errors
      prints {\"log\":\"s3://bucket/errors\",\"promoted\":true}";

#[derive(Args)]
#[command(override_usage = "stratalog copy [OPTIONS] <FROM> <TO>
       stratalog copy [OPTIONS] <FROM/> <TO/>
       stratalog copy [OPTIONS] --promote <MIRROR>")]
pub(crate) struct Copy {
    /// The log to copy: a path or a URL (see `stratalog --help`)
    pub(crate) from: String,

    /// The log to copy to: a new name, or a mirror of FROM
    #[arg(required_unless_present = "promote", conflicts_with = "promote")]
    pub(crate) to: Option<String>,

    /// Report what would be copied, and write nothing
    #[arg(long, conflicts_with_all = ["promote", "follow"])]
    pub(crate) dry_run: bool,

    /// Copy again and again what is new, until a signal
    ///
    /// After the first pass, a store that cannot be reached is reported, and tried again with the
    /// next pass.
    #[arg(long, conflicts_with = "promote")]
    pub(crate) follow: bool,

    /// With --follow, wait this long between two passes
    #[arg(long, value_name = "DURATION", default_value = "5s", value_parser = parse_pause)]
    #[arg(requires = "follow")]
    pub(crate) pause: Duration,

    /// Make a mirror a log of its own, permanently
    #[arg(long)]
    pub(crate) promote: bool,

    /// Set an option of the store of FROM (repeatable)
    #[arg(long = "from-option", value_name = "KEY=VALUE")]
    pub(crate) from_options: Vec<String>,

    /// Set an option of the store of TO (repeatable)
    #[arg(long = "to-option", value_name = "KEY=VALUE", conflicts_with = "promote")]
    pub(crate) to_options: Vec<String>,

    #[command(flatten)]
    pub(crate) json: Json,

    #[command(flatten)]
    pub(crate) telemetry: PricedTelemetry,
}
