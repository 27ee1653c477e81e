//! The long texts of `--help`.
//!
//! 1. A paragraph is one line here, which the terminal's width wraps. What keeps its lines (examples,
//!    tables) is indented, and of 80 columns at most.

macro_rules! size {
    () => {
        "SIZE is a number of bytes, or one with K, M, G or T (KiB and so on: steps of 1,024) or with \
         KB, MB, GB or TB (steps of 1,000), as in 64KiB, 4M or 1.5GB."
    };
}

macro_rules! duration {
    () => {
        "DURATION is one or more numbers with w, d, h, m, s or ms, as in 500ms, 1.5s or 1h30m."
    };
}

macro_rules! time {
    ($bare:literal) => {
        concat!(
            "  2026-01-31T12:00:00Z  a time in UTC; also with an offset, as in +01:00
  2026-01-31 12:00      a time in this machine's zone (see TZ), also with
                        seconds, and with a T for the space
  2026-01-31            the beginning of that day, in the same zone
  today, yesterday      the beginning of that day; now is this moment
  1h30m                 an age before now, in w, d, h, m, s or ms
  @1700000000           seconds since 1970
",
            $bare
        )
    };
}

macro_rules! sealed {
    () => {
        "It is compared with the time at which the event's batch was sealed, that is, made ready to be \
         written: when the event was appended, or up to --flush-interval later, by the clock of the \
         machine that appended it. Times inside of events, as in old events that are imported, are not \
         looked at."
    };
}

pub(crate) const ABOUT: &str = "An append log on object storage.

A log is a sequence of events, each one line of bytes, usually JSON. Appended events become \
immutable objects in a folder or a bucket; any number of processes may append, read and compact \
one log at the same time.";

pub(crate) const EXAMPLES_AND_CODES: &str = "\
A LOG is a path or a URL, whose last segment is the log's name:
  logs/errors                 a folder, made by the first append
  file:///var/log/app/errors
  s3://BUCKET/errors          also gs://, az://, abfss://; http(s):// is WebDAV
  memory:errors               for trying out: gone when the command ends

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
  0    done; for read, tail and verify also: the reader of the output closed it
  1    failed for a reason not named below
  2    the command line is wrong: an argument or the value of an option
  3    the store cannot be reached or refuses
  4    damaged data: the object, the expected and the found are named
  5    invalid input: an event, a file, a LOG that does not exist or is none,
       a position of another log, a component, a variable of the environment
  6    a plugin trapped or reached a limit, also before it ran, or the process
       may have too little address space (ulimit -v) or too few or too small
       files (ulimit -n, ulimit -f); otherwise run ends with the plugin's own
       code
  130  interrupted by SIGINT (Ctrl-C); append and run have flushed what was
       appended, or say what not
  143  ended by SIGTERM, 129 by SIGHUP, and so on: 128 and the signal's number;
       likewise

A signal ends every command within a second, unless --grace gives it longer. SIGHUP is ignored where \
it is ignored at the start, as under nohup.

Environment:
  STRATALOG_LOG  which messages go to stderr, instead of -v or -q,
                 e.g. `debug` or `stratalog=debug,object_store=info`";

pub(crate) const APPEND: &str = concat!(
    size!(),
    "\n\n",
    duration!(),
    " 0 is never.

All inputs are found and opened before the first event is taken: one that is missing, cannot be \
read or is a folder is named, and nothing is appended. (A named pipe is opened in its turn.)

Lines end with LF; a CR before it belongs to the event. Lines of nothing but spaces and tabs, and \
that CR, are no events: they are left out and counted. A UTF-8 byte order mark at the beginning is \
left out. Data of gzip and zstd are known by their first bytes, on stdin too, and decompressed, also \
where several parts are joined. Damage is noticed where the data cannot be decompressed, or only at the \
end, where their checksum stands. The whole lines before that are appended, and of those behind a \
changed byte some may be wrong; the error names the file, the byte and the number of lines. Check \
archives that you doubt first, with `gzip -t` or `zstd -t`.

UTF-16 and binary data, with a NUL byte in the first 256 KiB read, are refused before anything of \
them is taken; --binary takes any bytes as they are. A NUL byte further on stops at its line.

A signal (SIGINT, SIGTERM, SIGHUP and others that end a process) ends it in good order: what was \
read is flushed and reported, and the exit code is 128 and the signal's number. A line cut by the \
signal is no event and is left out. The store has the time of --grace for that. If it needs longer, \
or with another signal, the command ends, and says how many of the last events it does not know to \
be written.

Examples:
  stratalog append logs/errors monday.jsonl tuesday.jsonl
  journalctl -f -o json | stratalog append s3://bucket/journal
  stratalog append --json --skip-invalid logs/errors <dump.jsonl
      prints {\"events\":990,\"batches\":1,\"bytes\":51234,
              \"blank_lines\":0,\"skipped\":10}
  stratalog append logs/errors app.log.2.gz app.log.1 app.log
  stratalog append --grace 20s s3://bucket/app <pipe
      in a service, where SIGTERM leaves it that long"
);

pub(crate) const RUN: &str = concat!(
    "\
The plugin imports stratalog:log/append-log and opens its logs by their labels: 1 to 64 letters, \
digits, - _ or . It sees no URL, no credential and no other log. Stdin, stdout and stderr are \
passed through; environment, files and network are closed, except for what --env and --dir give.

It is compiled once, which may take up to half a minute; later runs take it from the cache.

Rights: append opens a log and appends to it; read also counts and verifies it; compact and trim \
are what the commands of that name do. A call without the right is an error that the plugin can \
handle, and so is one of these, but appending, on a log that does not exist.

The exit code is the plugin's own: 0 when it returns, 1 when it returns an error or calls the exit of \
its language, any with exit-with-code of wasi:cli/exit@0.2.12.

Whatever ends the plugin, signals included, what it appended is flushed; after a signal the store has \
the time of --grace for that. A limit on what it uses (memory, time) ends it with exit code 6; a \
limit on what it asks of a log is an error of that call. Each names the option that raises it.

",
    size!(),
    "\n\n",
    duration!(),
    "

Examples:
  stratalog run journal.wasm --log errors=logs/errors <access.log
  stratalog run keeper.wasm --log old=s3://bucket/app \\
      --grant old=read,compact,trim -- --keep 30d
  stratalog run journal.wasm --log errors=logs/errors --report=used.json"
);

pub(crate) const COMPONENT: &str = "\
The component is the log's whole logic. It runs under any host that lends it what `inspect` prints \
as imports, and can be joined with a plugin into one file, which `stratalog run` runs, too:

  stratalog component export log.wasm
  wac plug plugin.wasm --plug log.wasm -o joined.wasm
  stratalog run joined.wasm --log errors=logs/errors";

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
    " Of a local time that occurs twice, as clocks are put back, the first is meant.

POSITION is what a position file holds, or a number: 0 is the first event ever, 1 the next one. \
It stays valid whatever is appended, compacted or trimmed. Of events that were trimmed before they \
were read, a warning gives the number.

Examples:
  stratalog read s3://bucket/app >app.jsonl
  stratalog read --since yesterday --until today logs/errors
  stratalog read --since '2026-01-31 12:00' logs/errors
  stratalog read --position-file app.position s3://bucket/app >>app.jsonl
      adds what has come since it ran last"
);

pub(crate) const TAIL: &str = "\
With -f it looks for new events as soon as it has printed some, and ever more rarely while none come, \
up to every 5 seconds. It tries on while the store cannot be reached. It ends with a signal, or when \
the reader of its output closes it. Of a log that does not exist yet it waits for the first events, \
and says so.

+N reads the log from its first event on and counts: `read --from POSITION` begins there without.

Examples:
  stratalog tail logs/errors
  stratalog tail -5 logs/errors
  stratalog tail -n +3 logs/errors
      prints all but the first 2 events of those not trimmed
  stratalog tail -f -n 0 s3://bucket/app | jq --unbuffered .error";

pub(crate) const COMPACT: &str = concat!(
    size!(),
    "

Batches, the small objects that appends make, become segments; segments of about one size become \
a larger one; a first segment that holds trimmed events is rewritten without them. With too few of \
both there is nothing to do, which is no failure; --full takes even a single batch. \
Interrupting it is safe: the next run removes what is left over.

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
    " The log loses a beginning: what stands behind the first event that is newer stays, whatever its \
time.

POSITION is what a position file holds, or a number: with 1234 events 0 to 1233 go.

Trimmed events are gone permanently: no reader yields them, and no object of the log holds them. \
Segments of which nothing is left are deleted; the one at the boundary is rewritten, so a trim writes \
at most one segment. With --lazy the next compaction does that. Batches that are not compacted yet \
are absorbed first if events of them are to go. Positions do not change.

Examples:
  stratalog trim --before 30d logs/errors
  stratalog trim --dry-run --before 30d logs/errors
      reports what would go, and changes nothing
  stratalog trim --json --keep-events 1000000 logs/errors
      prints {\"events\":340,\"segments\":1,\"bytes\":51234,\"rewritten_bytes\":1200,
              \"absorbed_batches\":0,\"first_position\":340,\"live_batches\":0}"
);

pub(crate) const VERIFY: &str = "\
Reads and checks every object of the log, and changes nothing. What it finds goes to stdout, one on \
a line: damaged objects, to be restored or repaired (see `stratalog repair --help`), and leftovers that the next compaction deletes. In a folder \
it also lists the files of killed writes, which go with a later write.

The exit code is 4 if anything is damaged; leftovers are no fault.

Example:
  stratalog verify --json logs/errors
      prints {\"ok\":true,\"objects\":3,\"events\":340,\"trimmed_events\":0,
              \"bytes\":51234,\"damaged\":[],\"leftovers\":[]}
      damaged:   [{\"object\":\"…\",\"expected\":\"…\",\"found\":\"…\"}]
      leftovers: [{\"object\":\"…\",\"bytes\":120,\"reason\":\"absorbed-batch\"}]
                 the reason may also be unnamed-segment, old-manifest or
                 unfinished-write";

pub(crate) const REPAIR: &str = "\
Reads the whole log and prints each damaged object and what is done about it, one on a line. What is \
damaged is copied to set-aside_NAME, which the log ignores, before anything takes its place. Events \
that cannot be read are taken from copies of them in the log's folder, if digests prove these, or else \
recorded as lost: they keep their positions, and readers report how many are missing. At the end the \
log is verified. Restoring an object from a copy of the store is better: then nothing is lost.

The exit code is 4 if something is damaged that was not repaired, so also without --yes.

Examples:
  stratalog repair logs/errors         what it would do
  stratalog repair --yes logs/errors   does it
  stratalog repair --json logs/errors
      prints {\"repaired\":false,\"ok\":false,\"events_lost\":2,
              \"steps\":[{\"object\":\"…\",\"expected\":\"…\",\"found\":\"…\",
                        \"action\":\"set-aside\",\"events_lost\":2}]}
      where the action may also be gone, rebuild, step-back, stand-in, forget,
      or nothing with a \"reason\"";

pub(crate) const STAT: &str = "\
Batches are what appends have written and no compaction has merged yet. Segments are what compactions \
have made of batches; only events in segments have positions, so the next position counts no event of \
a batch. The generation is the number of compactions and trims so far.

Times are those of the oldest and the newest batch, in UTC.

Batches of the old naming scheme (batch_TIME.jsonl) do not tell their number of events: \
they are counted as uncounted batches.

Lost events are those that a repair could not save: they keep their positions, and no other number \
counts them.

Trimmed events are those that a lazy trim has left to the next compaction; their bytes are counted.

Tier t holds the segments of 8^t to 8^(t+1) bytes. Garbage is what the next compaction deletes.

Unfinished are, in a folder, the files of writes that are under way or were killed. The next write \
removes those that nobody has written to for an hour.

Write amplification is how often each byte has been written so far, on the average.

The identity is made by the first compaction and kept for good. Positions carry it: one of another \
log, or of one that was removed and made anew under the same name, is refused.

Example:
  stratalog stat --json logs/errors
      prints {\"events\":340,\"batches\":0,\"segments\":1,\"bytes\":51234,
              \"lost_events\":0,\"trimmed_events\":0,
              \"objects\":3,\"generation\":1,
              \"identity\":\"52fdfc072182654f\",\"uncounted_batches\":0,
              \"first_time\":\"2025-01-31T12:00:00.000001Z\",\"last_time\":\"…\",
              \"first_position\":0,\"next_position\":340,
              \"tiers\":[{\"tier\":5,\"segments\":1,\"bytes\":51234}],
              \"garbage_objects\":0,\"garbage_bytes\":0,
              \"unfinished_objects\":0,\"unfinished_bytes\":0,
              \"absorbed_bytes\":51234,\"compacted_bytes\":51234,
              \"write_amplification\":2.0}";

pub(crate) const DOCTOR: &str = "\
Works in a folder of its own in that of the log (on WebDAV beside it), with the log's credentials and \
options, and removes what it wrote. It makes about 2,000 requests and moves about 20 MB, in 5 to 60 \
seconds. The log itself is not touched.

Each trial is a line on stdout as it ends. The last line says what a log can do here: everything; \
everything, but compact and trim only with --sole-compactor; or nothing, and then the exit code is 3.

Example:
  stratalog doctor --json s3://bucket/app
      prints {\"store\":\"s3://bucket\",\"use\":\"all\",
              \"abilities\":[{\"ability\":\"reachable\",
                            \"verdict\":\"passed\",\"detail\":\"…\"},…],
              \"latencies\":[{\"request\":\"create\",\"samples\":100,
                            \"p50_ms\":21.4,\"p99_ms\":60.2},…],
              \"clock_ahead_ms_min\":-3,\"clock_ahead_ms_max\":12}
      use:       all, sole-compactor or none
      verdict:   passed, limited or failed";

pub(crate) const COMPLETIONS: &str = "\
Example:
  stratalog completions bash \\
      >~/.local/share/bash-completion/completions/stratalog";
