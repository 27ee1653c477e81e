//! The long texts of `--help`.
//!
//! 1. A paragraph is one line of text, which is wrapped to the terminal's width.
//! 2. Examples and tables keep their lines: they are indented and have at most 80 columns.

macro_rules! size {
    () => {
        "SIZE is a number of bytes, optionally with a unit, as in 64KiB, 4M or 1.5GB: K, M, G or T \
         (KiB and so on) in steps of 1,024, or KB, MB, GB or TB in steps of 1,000."
    };
}

macro_rules! duration {
    () => {
        "DURATION is one or more numbers with w, d, h, m, s or ms, as in 500ms, 1.5s or 1h30m. \
         The last one may have a fraction unless it counts weeks or days."
    };
}

macro_rules! time {
    ($bare:literal) => {
        concat!(
            "  2026-01-31T12:00:00Z  a time in UTC; also with an offset, as in +01:00
  2026-01-31 12:00      a time in this machine's zone (see TZ), also with
                        seconds, and with a T for the space
  2026-01-31            the beginning of that day, in the same zone
  now                   this moment
  today, yesterday      the beginning of that day
  1h30m                 an age before now, in w, d, h, m, s or ms
  @1700000000           seconds since 1970
",
            $bare
        )
    };
}

macro_rules! sealed {
    () => {
        "TIME is compared with the time at which the event's batch was sealed, that is, made ready \
         to be written. That is when the event was appended, or up to --flush-interval later, by \
         the clock of the machine that appended it. Times inside events, as in old events that are \
         imported, are ignored."
    };
}

pub(crate) const ABOUT: &str = "An append log on object storage.

A log is a sequence of events, each one line of bytes, usually JSON. Appended events become \
immutable objects in a folder or a bucket. Any number of processes may append to, read and compact \
one log at the same time.";

pub(crate) const EXAMPLES_AND_CODES: &str = "\
A LOG is a path or a URL, whose last segment is the log's name:
  logs/errors                 a folder, made by the first append
  file:///var/log/app/errors
  s3://BUCKET/errors          also gs://, az://, abfss://; http(s):// is WebDAV
  memory:errors               for experiments: gone when the command ends

Credentials come from the environment (AWS_*, GOOGLE_*, AZURE_*) or from --store-option.

Examples:
  echo '{\"error\":\"disk full\"}' | stratalog append logs/errors
  tail -F app.jsonl | stratalog append --compact-after 1000 s3://bucket/app
  stratalog read logs/errors | jq .error
  stratalog tail -f s3://bucket/app
  stratalog compact logs/errors
  stratalog trim --before 30d logs/errors
  stratalog verify logs/errors
  stratalog stat --json s3://bucket/app
  stratalog run plugin.wasm --log errors=logs/errors <access.log
  stratalog doctor s3://bucket/app

Exit codes:
  0    done; for read, tail and verify also if the reader closed the output
  1    failed for a reason not named below, such as a read that the system
       fails, a full disk below a file to write, or a closed stdout
  2    wrong command line: an argument or the value of an option
  3    the store cannot be reached or refuses, also for lack of credentials
  4    damaged data: the error names the object, the expected and found value
  5    invalid input: an event, a file that cannot be opened, a path at which
       no file can be written, a LOG that does not exist or is not a log, a
       position of another log, a component, an environment variable
  6    a plugin trapped or reached a limit, also before it ran; or the process
       is allowed too little address space (ulimit -v), or too few or too
       small files (ulimit -n, ulimit -f); otherwise run ends with the plugin's
       own code
  130  interrupted by SIGINT (Ctrl-C); append and run have flushed all appended
       events, or report which may be missing
  143  ended by SIGTERM, 129 by SIGHUP, and so on: 128 plus the signal's number;
       otherwise like 130

A signal ends every command within a second, unless --grace allows more. SIGHUP stays ignored if \
it is ignored at the start, as under nohup.

Environment:
  STRATALOG_LOG  the messages that go to stderr, instead of -v or -q,
                 e.g. `debug` or `stratalog=debug,object_store=info`";

pub(crate) const APPEND: &str = concat!(
    size!(),
    "\n\n",
    duration!(),
    " 0 means never.

All inputs are opened before the first event is appended. If an input is missing, unreadable or a \
folder, the command names it and appends nothing. (A named pipe is opened in its turn.)

Lines end with LF; a CR before it belongs to the event. Blank lines (only spaces, tabs and that \
CR) are skipped and counted. A UTF-8 byte order mark at the beginning is skipped.

Gzip and zstd data is recognized by its first bytes, also on stdin, and decompressed. Several \
joined parts are supported, with zeros after any of them. Damage is found where decompression \
fails, or only at the end, at the checksum. The whole lines before that are appended, and lines \
after a changed byte may be wrong. The error names the file, the byte and the number of lines. If \
you doubt an archive, check it first with `gzip -t` or `zstd -t`.

UTF-16 and binary data (a NUL byte in the first 256 KiB read) is refused before any of it is \
appended. With --binary, all bytes are taken as they are. A later NUL byte stops the command at \
its line.

A signal (SIGINT, SIGTERM, SIGHUP and others that end a process) ends the command gracefully. The \
lines that were read are flushed and reported, and a partial last line is discarded. The exit code \
is 128 plus the signal's number. The store has the time of --grace to confirm. If it needs longer, \
or on another signal, the command ends and reports how many of the last events may be unwritten.

With --state, each line of the files is appended exactly once, however often the command runs and \
however it ends. FILE records how far each file was read, and which batches may be stored. A file \
may be renamed (app.log.1, app.log-20260131), or copied and truncated, also while the command does \
not run. A last line without LF waits for it; in a rotated file that has not changed for 5 seconds \
it counts as it is. What is not found again is reported. With --follow the command waits for more, \
and outlasts a store that is down: lines stay in their files until they can be written.

Examples:
  stratalog append logs/errors monday.jsonl tuesday.jsonl
  stratalog append --follow --state /var/lib/app.state logs/errors app.log
  journalctl -f -o json | stratalog append s3://bucket/journal
  stratalog append --json --skip-invalid logs/errors <dump.jsonl
      prints {\"events\":990,\"batches\":1,\"bytes\":51234,
              \"blank_lines\":0,\"skipped\":10}
  stratalog append logs/errors app.log.2.gz app.log.1 app.log
  stratalog append --grace 20s s3://bucket/app <pipe
      for a service that is given this long after SIGTERM"
);

pub(crate) const RUN: &str = concat!(
    "\
The plugin imports stratalog:log/append-log and opens its logs by label. A label has 1 to 64 \
letters, digits, - _ or . The plugin sees no URL, no credentials and no other log. Stdin, stdout \
and stderr are passed through. Environment, files and network are closed, except for what --env \
and --dir pass.

The plugin is compiled once, which may take up to half a minute. Later runs load it from the \
cache.

Rights: append opens a log and appends to it; read also counts and verifies it. The rights compact \
and trim permit the commands of that name; commit is for named positions. A call without its \
right returns an error that the \
plugin can handle. On a log that does not exist, every call except append returns an \
error, too.

The exit code is the plugin's own: 0 when it returns, 1 when it returns an error or calls the exit \
function of its language. With exit-with-code of wasi:cli/exit@0.2.12 it can be any code.

However the plugin ends, even by a signal, the events that it appended are flushed. After a signal \
the store has the time of --grace for that. A limit on the plugin's own resources (memory, time) \
ends it with exit code 6. A limit on its use of a log, as a rate or a quota, is an error of that \
call. Each message names the option that raises the limit.

",
    size!(),
    "\n\n",
    duration!(),
    "

Examples:
  stratalog run journal.wasm --log errors=logs/errors <access.log
  stratalog run keeper.wasm --log old=s3://bucket/app \\
      --grant old=read,compact,trim -- --keep 30d
  stratalog run journal.wasm --log errors=logs/errors --quota errors=1GiB,5000
  stratalog run journal.wasm --log errors=logs/errors --report=used.json"
);

pub(crate) const READ: &str = concat!(
    "TIME is:\n",
    time!(
        "  1700000000            the same: ten digits alone are seconds since 1970; other
                        numbers are refused
"
    ),
    "
",
    sealed!(),
    " If a local time occurs twice because clocks are put back, the first one counts.

POSITION is the content of a position file, or a number: 0 is the first event ever, 1 the next \
one. Events have numbers once they are compacted. Thousands may be separated, as in 1,234. A \
position stays valid when the log is appended to, \
compacted or trimmed. If events were trimmed before they were read, a warning reports how many.

With -f it polls for new events as `tail -f` does, and keeps the position up to date behind each \
page that it has written. So `read -f --position-file` continues where it was stopped or killed.

Examples:
  stratalog read s3://bucket/app >app.jsonl
  stratalog read --since yesterday --until today logs/errors
  stratalog read --since '2026-01-31 12:00' logs/errors
  stratalog read --position-file app.position s3://bucket/app >>app.jsonl
      adds only the events that are new since the last run
  stratalog read -f --position-name mailer logs/errors | mailer"
);

pub(crate) const TAIL: &str = "\
With -f it polls for new events: immediately after it has printed some, then less and less often, \
down to every 5 seconds. It keeps retrying while the store is unreachable. It ends on a signal, or \
when the reader of its output closes it. If the log does not exist yet, it reports that and waits \
for the first events.

+N reads and counts from the first event. `read --from POSITION` starts at a position without \
that.

Examples:
  stratalog tail logs/errors
  stratalog tail -5 logs/errors
  stratalog tail -n +3 logs/errors
      prints all but the first 2 events of those not trimmed
  stratalog tail -f --since 1h logs/errors
  stratalog tail -f -n 0 s3://bucket/app | jq --unbuffered .error";

pub(crate) const COMPACT: &str = concat!(
    size!(),
    "

Batches, the small objects that appends make, become segments. Segments of about the same size \
become a larger one. A first segment that holds trimmed events is rewritten without them. With too \
few batches and segments there is nothing to do, which is not a failure; --full takes even a \
single batch. Interrupting a compaction is safe: the next one removes its unused objects.

Examples:
  stratalog compact --json logs/errors
      prints {\"merged_files\":12,\"events\":340,\"new_segments\":1,
              \"new_key\":\"errors/segment_….jsonl\",
              \"batches\":12,\"segments\":0,\"bytes\":51234}
  stratalog compact --json --dry-run logs/errors
      prints {\"batches\":12,\"segments\":0,\"bytes\":51234,
              \"garbage_objects\":0,\"garbage_bytes\":0}"
);

pub(crate) const TRIM: &str = concat!(
    "TIME is:\n",
    time!(
        "  1700000000            the same: ten digits alone are seconds since 1970; other
                        numbers, such as a year, are refused
"
    ),
    "
",
    sealed!(),
    " Only the beginning of the log is removed: the first newer event stays, and so do all events \
     after it, even older ones.

POSITION is the content of a position file, or a number: 1234 removes events 0 to 1233. Thousands \
may be separated, as in 1,234.

Trimmed events are permanently removed: no reader returns them, and no object of the log holds \
them. Segments without any other events are deleted. The segment at the boundary is rewritten, so \
a trim writes at most one segment. With --lazy the next compaction does that. Batches that are not \
compacted yet are absorbed first if any of their events are to be removed. Positions do not \
change.

Examples:
  stratalog trim --before 30d logs/errors
  stratalog trim --dry-run --before 30d logs/errors
      reports what would be removed, and changes nothing
  stratalog trim --json --keep-events 1000000 logs/errors
      prints {\"events\":340,\"segments\":1,\"bytes\":51234,\"rewritten_bytes\":1200,
              \"absorbed_batches\":0,\"first_position\":340,\"live_batches\":0}"
);

pub(crate) const VERIFY: &str = "\
Reads and checks every object of the log, and changes nothing. Findings go to stdout, one per \
line: damaged objects, to be restored or repaired (see `stratalog repair --help`), and garbage, \
which the next compaction deletes. In a folder it also lists the files of killed writes, which a \
later write removes.

In a damaged segment, the batches that are whole are still counted. Without its index, a segment \
cannot be verified. The last line says how much could not be.

A stranded batch was stored, but an earlier batch of its writer is not in the store. Its append \
was never acknowledged, and readers are not shown its events: they are not counted. If the writer \
still runs, the earlier batch may follow. If the writer was killed, the stranded batch stays as it \
is.

If the log is compacted meanwhile, the verification continues with the new objects at the event \
that it has reached.

The exit code is 4 if anything is damaged. Garbage and stranded batches are not an error.

Example:
  stratalog verify --json logs/errors
      prints {\"ok\":true,\"objects\":3,\"events\":340,\"trimmed_events\":0,
              \"bytes\":51234,\"damaged\":[],\"garbage\":[],\"stranded\":[]}
      damaged:   [{\"object\":\"…\",\"expected\":\"…\",\"found\":\"…\"}]
      garbage: [{\"object\":\"…\",\"bytes\":120,\"reason\":\"absorbed-batch\"}]
                 the reason may also be unnamed-segment, old-manifest or
                 unfinished-write, old-position
      stranded: [{\"object\":\"…\",\"bytes\":120,\"before\":\"…\"}]";

pub(crate) const REPAIR: &str = "\
Reads the whole log and prints each damaged object with its repair, one per line. A damaged object \
is copied to set-aside_NAME, which the log ignores, before anything replaces it. Unreadable events \
are taken from copies in the log's folder if digests prove these. Otherwise they are recorded as \
lost: they keep their positions, and readers report how many are missing. A batch that is gone had \
at least one event, and nothing records their number. At the end the log is verified. Restoring an \
object from a copy of the store is better, since then nothing is lost.

The exit code is 4 if damage remains, as it always does without --yes.

Examples:
  stratalog repair logs/errors         reports what it would do
  stratalog repair --yes logs/errors   does it
  stratalog repair --json logs/errors
      prints {\"repaired\":false,\"ok\":false,\"events_lost\":2,
              \"events_lost_is_minimum\":false,
              \"steps\":[{\"object\":\"…\",\"expected\":\"…\",\"found\":\"…\",
                        \"action\":\"set-aside\",\"events_lost\":2,
                        \"events_lost_is_minimum\":false}]}
      where the action may also be gone, rebuild, step-back, stand-in, forget,
      or nothing with a \"reason\"";

pub(crate) const STAT: &str = "\
Batches are the objects that appends have written and no compaction has absorbed yet. Segments are \
the objects that compactions have made of batches. Only events in segments have positions, so the \
next position does not count events in batches. The generation is the number of commits: \
a compaction makes one, a trim one or two, and a repair at least one.

Times are those of the oldest and the newest batch, in UTC.

The names of legacy batches (batch_TIME.jsonl) do not contain the number of events: they are \
counted as uncounted batches.

Lost events are events that a repair could not save. They keep their positions, and no other \
number counts them.

Hidden batches are stored, but an earlier batch of their writer is not: it is in flight, or its \
writer was killed. Their appends were not acknowledged, and only the number of objects counts them.

Trimmed events are events that a lazy trim has left to the next compaction. Their bytes are \
counted.

Tier t holds the segments of 8^t to 8^(t+1) bytes. Garbage is what the next compaction deletes. \
What a compaction left that was killed before its commit counts as objects only, since that \
compaction may still be running. The next commit deletes it.

Unfinished files, in a folder, belong to writes that are in progress or were killed. The next \
write removes those that no process has written to for an hour.

Write amplification is the average number of times that each byte has been written so far.

The first compaction makes the log's identity, which never changes. Positions contain it. A \
position of another log is refused, and so is one of a log that was removed and made again under \
the same name.

Example:
  stratalog stat --json logs/errors
      prints {\"events\":340,\"batches\":0,\"hidden_batches\":0,
              \"segments\":1,\"bytes\":51234,
              \"lost_events\":0,\"trimmed_events\":0,
              \"objects\":3,\"generation\":1,
              \"identity\":\"52fdfc072182654f\",\"uncounted_batches\":0,
              \"first_time\":\"2025-01-31T12:00:00.000001Z\",\"last_time\":\"…\",
              \"first_position\":0,\"next_position\":340,
              \"tiers\":[{\"tier\":5,\"segments\":1,\"bytes\":51234}],
              \"garbage_objects\":0,\"garbage_bytes\":0,
              \"unfinished_objects\":0,\"unfinished_bytes\":0,
              \"absorbed_bytes\":51234,\"compacted_bytes\":51234,
              \"write_amplification\":2.0,\"mirror_of\":null}";

pub(crate) const DOCTOR: &str = "\
Works in its own folder inside the log's folder (on WebDAV, next to it), and removes everything it \
wrote. It uses the log's credentials and options. It makes about 2,000 requests and transfers \
about 20 MB, in 5 to 60 seconds. The log itself is not touched. If it is killed, that folder \
stays: its name begins with `doctor_`, and you may delete it.

Prints the result of each check as one line on stdout, as soon as it ends. The last line reports \
what a log can do here: everything, everything but compact and trim without --sole-compactor, or \
nothing. In the last case the exit code is 3. Of a log that is a mirror, or was one, another line \
says so, and what to do.

Example:
  stratalog doctor --json s3://bucket/app
      prints {\"store\":\"s3://bucket\",\"use\":\"all\",
              \"abilities\":[{\"ability\":\"reachable\",
                            \"verdict\":\"passed\",\"detail\":\"…\"},…],
              \"latencies\":[{\"request\":\"create\",\"samples\":100,
                            \"p50_ms\":21.4,\"p99_ms\":60.2},…],
              \"clock_ahead_ms_min\":-3,\"clock_ahead_ms_max\":12,
              \"mirror_of\":null,\"was_mirror_of\":null}
      use:       all, sole-compactor or none
      verdict:   passed, limited or failed";
