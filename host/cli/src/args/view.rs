//! Defines the arguments of `stratalog view`, and their help.

use clap::Args;

use super::sizes::number_within;

pub(super) const HELP: &str = "\
Prints the address of a page and serves it until a signal ends the command. The page shows events \
over time, segments and live batches, positions, and the events themselves. It can search in the \
events that it has loaded, follow new ones, and verify the log. The component of the log runs in \
the browser and reads the objects through this command.

The address is on 127.0.0.1 and contains a random token, which is new for each run: anyone who has \
it can read the log while the command runs. Nothing can be written. Only the objects of this log \
are served: of any other file in its folder, the page sees the name and the size. No other host is \
asked for anything.

The folder examples/browser has the same page for a web server or a bucket.

Example:
  stratalog view logs/errors
      prints http://127.0.0.1:41235/3f5c…/";

#[derive(Args)]
pub(crate) struct View {
    /// The log: a path or a URL (see `stratalog --help`)
    pub(crate) log: String,

    /// Listen on this port of 127.0.0.1: 1 to 65,535 [default: a free one]
    #[arg(long, value_name = "PORT", value_parser = number_within::<u16>(1..=u16::MAX.into()))]
    pub(crate) port: Option<u16>,
}
