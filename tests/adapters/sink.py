"""The log sink, joined with a log and a store. Each function gets the programs and a folder."""

import json
import os
import time
from datetime import datetime, timezone

from adapter import Adapter, Program, record
from wasmtime import Store, WasiConfig
from wasmtime.component import Variant

LOGGING = "wasi:logging/logging@0.1.0-draft"
APPEND_LOG = "stratalog:log/append-log@0.1.0"


class Programs:
    """The joined components: a log, a sink over it, and a program that logs into that."""

    def __init__(self, folder):
        self.log = Program(f"{folder}/log.wasm")
        self.sink = Program(f"{folder}/sink.wasm")
        self.app = Program(f"{folder}/app.wasm")


def instance(program, folder, writable=True, arguments=(), **settings):
    """Returns an instance on a folder. Stderr of this process is then a file next to it."""
    with open(f"{folder}.stderr", "ab") as file:
        os.dup2(file.fileno(), 2)
    wasi = WasiConfig()
    wasi.argv = ["app", *arguments]
    wasi.env = [(f"STRATALOG_SINK_{name}", value) for name, value in settings.items()]
    wasi.inherit_stderr()
    if os.path.isdir(folder):
        wasi.preopen_dir(folder, "/", writable)
    store = Store(program.engine)
    store.set_wasi(wasi)
    return Adapter(store, program.linker.instantiate(store, program.component))


def log(sink, message, level="info", context="app"):
    """Logs a message."""
    sink.call(LOGGING, "log", level, context, message)


def events(programs, folder, name="log"):
    """Returns the events of a log, by a reader of the log; none if there is no log."""
    reads = instance(programs.log, folder)
    options = record(start=None, last=None, limit=None, since=None, until=None, pending=None)
    reader, lines = reads.call(APPEND_LOG, "read", name, options), b""
    while True:
        page = reads.call(APPEND_LOG, "[method]reader.next", reader)
        if page is None or not hasattr(page, "lines"):
            assert page is None or hasattr(page, "below"), page
            return [json.loads(line) for line in lines.split(b"\n") if line]
        lines += bytes(page.lines)


def stderr(folder):
    """Returns the lines on stderr."""
    with open(f"{folder}.stderr", encoding="utf-8") as file:
        return file.read().splitlines()


def messages(programs, folder, name="log"):
    """Returns the messages of a log."""
    return [event["message"] for event in events(programs, folder, name)]


def program_that_knows_no_log_is_journalled(programs, folder):
    before = datetime.now(timezone.utc)
    run(programs, folder, "log=info=shop=first", "log=warn==no=context", "log=error=shop=last")
    found = events(programs, folder)
    assert [(event["level"], event["context"], event["message"]) for event in found] == [
        ("info", "shop", "first"), ("warn", "", "no=context"), ("error", "shop", "last")], found
    for event in found:
        assert list(event) == ["time", "level", "context", "message"]
        assert event["time"].endswith("Z") and len(event["time"]) == 27, event
        time_ = datetime.fromisoformat(event["time"].replace("Z", "+00:00"))
        assert before <= time_ <= datetime.now(timezone.utc), event
    assert stderr(folder) == []


def ten_thousand_records_are_kept_in_order(programs, folder):
    run(programs, folder, "many=10000", "log=error=app=end")
    expected = [f"record {number}" for number in range(10_000)] + ["end"]
    assert messages(programs, folder) == expected
    assert len(os.listdir(f"{folder}/log")) <= 15, os.listdir(f"{folder}/log")


def levels_are_recorded_from_the_named_one(programs, folder):
    levels = ["trace", "debug", "info", "warn", "error", "critical"]
    logged = [f"log={level}=app={level}" for level in levels]
    for number, least in enumerate(levels):
        run(programs, folder, *logged, LEVEL=least, LOG=least)
        assert [event["level"] for event in events(programs, folder, least)] == levels[number:]
    run(programs, folder, *logged, LEVEL="off", LOG="off")
    assert not os.path.exists(f"{folder}/off")


def texts_come_back_as_they_were(programs, folder):
    texts = ["", "\n", "a\r\nb", "\0\x01\x1f\x7f\x85", '"\\"', "\u2028größe 日本 🦀", "{}",
             "\x1b[2J", "x" * 500_000]
    sink = instance(programs.sink, folder, FLUSH_LEVEL="trace")
    for text in texts:
        log(sink, text, context=text[:100])
    found = events(programs, folder)
    assert [(event["context"], event["message"]) for event in found] == [
        (text[:100], text) for text in texts]
    log(sink, "é" * 2_000_000)
    cut = events(programs, folder)[-1]
    assert set(cut["message"]) == {"é"} and cut["context"] == "app"
    assert len(cut["message"].encode()) + cut["cut_bytes"] == 4_000_000, cut["cut_bytes"]


def records_become_durable_within_the_interval(programs, folder):
    sink = instance(programs.sink, folder, INTERVAL_MS="400")
    logged = []
    while len(logged) < 100:
        logged.append((time.monotonic(), f"record {len(logged)}"))
        log(sink, logged[-1][1])
        if len(logged) % 10 == 0:
            now, found = time.monotonic(), messages(programs, folder)
            late = [text for at, text in logged if now - at > 0.4 and text not in found]
            assert not late, (late, len(found))
        time.sleep(0.01)


def record_after_silence_and_errors_are_durable_immediately(programs, folder):
    sink = instance(programs.sink, folder, INTERVAL_MS="300")
    log(sink, "first")
    assert messages(programs, folder) == ["first"]
    log(sink, "buffered")
    assert messages(programs, folder) == ["first"]
    log(sink, "failed", "error")
    assert messages(programs, folder) == ["first", "buffered", "failed"]
    log(sink, "waits")
    time.sleep(0.35)
    log(sink, "after silence")
    assert messages(programs, folder)[3:] == ["waits", "after silence"]


def read_only_folder_drops_says_so_and_never_traps(programs, folder):
    long = "x" * 1_000
    sink = instance(programs.sink, folder, writable=False)
    for number in range(10_000):
        log(sink, f"{long}{number}", "error" if number % 100 == 0 else "info")
    said = stderr(folder)
    said = [line for line in said if line.startswith("warning: log sink: ")]
    assert len(said) == 2, said
    assert "cannot flush the log log: " in said[0] and "kept in memory" in said[0], said
    assert "cannot append to the log log: " in said[1] and "dropped and counted" in said[1], said
    assert os.listdir(folder) == []


def host_without_a_folder_drops_says_so_and_never_traps(programs, folder):
    os.rmdir(folder)
    sink = instance(programs.sink, folder)
    for number in range(1_000):
        log(sink, f"record {number}", "critical")
    said = stderr(folder)
    assert len(said) == 1 and "the host opened no folder" in said[0], said
    os.mkdir(folder)


def dropped_records_are_counted_in_the_log_once_it_works(programs, folder):
    for kept in (False, True):
        root = f"{folder}/{kept}"
        os.makedirs(root)
        # A file where the folder of the log belongs: the store cannot create an object.
        with open(f"{root}/log", "wb"):
            pass
        sink = instance(programs.sink, root)
        count = 20_000 if kept else 100
        for number in range(count):
            log(sink, ("x" * 1_000 if kept else "") + f"record {number}")
        os.remove(f"{root}/log")
        time.sleep(1.5)
        log(sink, "again")
        found = events(programs, root)
        reports = [event for event in found if event["context"] == "stratalog-log-sink"]
        dropped = sum(event["dropped"] for event in reports)
        assert found[-1]["message"] == "again", found[-1]
        assert dropped + len(found) - len(reports) == count + 1, (dropped, len(found))
        assert len(reports) <= 1, reports
        said = stderr(root)
        assert sum("dropped and counted" in line for line in said) == len(reports), said
        assert any("works again" in line for line in said), said
        if kept:
            assert dropped > 1_000 and reports[0]["level"] == "warn", dropped


def unusable_settings_are_reported_and_the_defaults_used(programs, folder):
    sink = instance(programs.sink, folder, LOG="a//b", LEVEL="loud", INTERVAL_MS="1s")
    log(sink, "kept")
    assert messages(programs, folder) == ["kept"]
    names = ["LOG=a//b", "LEVEL=loud", "INTERVAL_MS=1s"]
    said = stderr(folder)
    for name in names:
        found = [line for line in said if f"cannot use STRATALOG_SINK_{name}: " in line]
        assert len(found) == 1 and "the default is used: " in found[0], said
    assert len(said) == 3, said


def messages_of_the_log_itself_stay_out_of_it(programs, folder):
    sink = instance(programs.sink, folder)
    log(sink, "a warning\nof the log", "warn", "stratalog")
    log(sink, "kept")
    assert messages(programs, folder) == ["kept"]
    assert stderr(folder) == ["warning: stratalog: a warning\ufffdof the log"]


def run(programs, folder, *arguments, **settings):
    """Runs the program that logs, to its end."""
    app = instance(programs.app, folder, arguments=arguments, **settings)
    result = app.call("wasi:cli/run@0.2.0", "run")
    assert not isinstance(result, Variant) or result.tag == "ok", result


HELPERS = [Programs, instance, log, events, stderr, messages, run]
PROPERTIES = [
    held for held in list(globals().values())
    if getattr(held, "__module__", None) == __name__ and held not in HELPERS
]
