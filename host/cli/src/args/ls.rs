//! Defines the command `ls`.

use clap::Args;

use super::common_options::Json;

pub(crate) const HELP: &str = "\
ROOT is the folder, the bucket or a part of it that the logs are in, such as /srv/logs, \
s3://BUCKET or s3://BUCKET/app. Logs are found at any depth. They are sorted by their keys: a log \
comes behind the logs below its folder. Output begins while the store is listed.

No object is read: the names and sizes of objects tell all of this. They do not tell how many \
events a segment has, or which batches are in one. So \"events\" is null if the log was \
compacted, and in the table a + follows the events in batches, or a ? stands for them if there \
are no batches: `stratalog stat LOG` counts them. \
Batches that a compaction has absorbed, and not deleted yet, count as batches. The times are \
those of the oldest and the newest batch that is an object, in UTC. \
A mirror is the target of `stratalog copy`.

Uncommitted segments are those of a compaction that is in progress or was killed. Positions are \
the names under which readers have committed, forgotten ones included. Foreign objects lie in the \
log's folder and are not the log's. A misplaced entry has the name of an object and is none, such \
as a link: that is damage, which `stratalog verify LOG` describes.

The whole of ROOT is listed, one request for each 1,000 objects on S3, Google and Azure, and one \
for each folder elsewhere. With --shallow, only ROOT and the beginning of each folder directly in \
it are listed, which takes fewer requests if the logs have many objects.

A folder that may not be listed is reported, the logs in it are left out, and the exit code is 3. \
On disk, a folder whose name has a control character or is not UTF-8 is left out with all below \
it, and not reported: rename it, or name it as ROOT. \
If there is no log below ROOT, the exit code is 5.

On a terminal, the logs stand in a table. Otherwise there is one line for each, with its \
location, events, bytes, segments, batches and the time of the newest batch, separated \
by tabs. What the names do not tell is `-`.

Example:
  stratalog ls --json s3://bucket/app
      prints {\"log\":\"s3://bucket/app/errors\",\"name\":\"errors\",
              \"events\":null,\"bytes\":51234,\"batches\":2,
              \"batch_events\":9,\"uncounted_batches\":0,
              \"batch_bytes\":2082,\"segments\":1,
              \"segment_bytes\":49152,\"uncommitted_segments\":0,
              \"generation\":1,\"first_batch_time\":\"…\",
              \"last_batch_time\":\"2025-01-31T12:00:00.000001Z\",
              \"mirror\":false,\"positions\":0,\"objects\":5,\"unfinished_objects\":0,
              \"foreign_objects\":0,\"misplaced_entries\":0}
      and such a line for each further log
  stratalog ls --shallow --json s3://bucket/app
      prints {\"log\":\"s3://bucket/app/errors\",\"name\":\"errors\"}";

#[derive(Args)]
pub(crate) struct Ls {
    /// The folder or the part of a bucket that the logs are in: a path or a URL
    pub(crate) root: String,

    /// Find only the logs directly in ROOT, and count nothing
    #[arg(long)]
    pub(crate) shallow: bool,

    #[command(flatten)]
    pub(crate) json: Json,
}
