#!/usr/bin/env python3
"""Checks the host: python test_host.py COMPONENT.wasm STRATALOG

STRATALOG is the native command line: each host reads, verifies and compacts what the other wrote.
Ends with 1 if a property does not hold.
"""

import json
import os
import subprocess
import sys
import tempfile
import threading
import traceback
from contextlib import contextmanager
from pathlib import Path

from stratalog_host import Closed, Damaged, FolderStore, InvalidEvent, InvalidInput, Logs, NoLog
from stratalog_host import StoreError, StoreFailed, WriteError, WriteFailed
from stratalog_host.host_bytes import HostBytes

HERE = os.path.dirname(os.path.abspath(__file__))
COMPONENT, STRATALOG = map(os.path.abspath, sys.argv[1:3])


@contextmanager
def fails(type_, kind, *words):
    """Passes if the calls within raise this error, with these words in the message."""
    try:
        yield
    except type_ as error:
        assert error.kind == kind, (error.kind, error.message)
        cause = getattr(error, "error", None)
        message = cause.message if cause else error.message
        missing = [word for word in words if word not in message]
        assert not missing, f"no {missing} in {message}"
    else:
        raise AssertionError(f"a call did not fail with {kind}")


def numbered(start, end):
    return b"".join(b'{"id":%d}\n' % number for number in range(start, end))


def ran(command, stdin):
    return subprocess.run(command, input=stdin, capture_output=True, cwd=HERE, check=False, env={
        **os.environ, "STRATALOG_COMPONENT": COMPONENT})


def python(*words, stdin=b"", code=0):
    """Runs the command line in Python. Returns stdout, or stderr of one that fails."""
    ended = ran([sys.executable, "-B", "-m", "stratalog_host", *words], stdin)
    assert ended.returncode == code, (words, ended)
    return ended.stderr.decode() if code else ended.stdout


def native(*words, stdin=b""):
    ended = ran([STRATALOG, *words], stdin)
    assert ended.returncode == 0, (words, ended)
    return ended.stdout


def logs(folder):
    return Logs(COMPONENT, FolderStore(folder))


def joined(views):
    return b"".join(views)


def each_host_reads_and_compacts_events_of_the_other(folder):
    log, whole = f"{folder}/log", b""
    for round_ in range(2):
        for batch in range(3):
            events = numbered(1_000 * round_ + 100 * batch, 1_000 * round_ + 100 * batch + 100)
            assert json.loads(python("append", log, stdin=events))["events"] == 100
            whole += events
        assert native("read", log) == whole
        assert json.loads(native("compact", "--json", log))["batches"] == 3
        events = numbered(1_000 * round_ + 300, 1_000 * round_ + 400)
        native("append", "--flush-threshold", "30", log, stdin=events)
        whole += events
        assert python("read", log) == whole
        assert json.loads(python("compact", log))["batches"] == 4
        assert native("read", log) == python("read", log) == whole
        ours, theirs = (json.loads(run("verify", *words, log)) for run, words in [
            (python, ()), (native, ("--json",))])
        assert ours == theirs and ours["ok"], (ours, theirs)
    ours, theirs = json.loads(python("stat", log)), json.loads(native("stat", "--json", log))
    for name in ["events", "bytes", "generation", "segments", "identity", "next_position"]:
        assert ours[name] == theirs[name], (name, ours, theirs)


def events_are_pending_until_they_are_flushed(folder):
    found = logs(folder)
    with found.open("a/log") as writer:
        writer.append(b"one")
        assert writer.append_lines(b"two\nthree\n") == 2
        assert writer.append_lines(b"") == 0
        assert not os.path.exists(f"{folder}/a")
        assert writer.flush()["events"] == 3
        assert joined(found.read("a/log")) == b"one\ntwo\nthree\n"
        writer.append(b"four")
    assert joined(found.read("a/log", last=2)) == b"three\nfour\n"
    assert joined(found.read("a/log", limit=1)) == b"one\n"
    assert found.stat("a/log")["batches"] == 2
    with fails(Closed, "closed"):
        writer = found.open("a/log")
        writer.close()
        writer.flush()


def tick_seals_a_buffer_of_enough_age(folder):
    found = logs(folder)
    writer = found.open("log", flush_interval_ms=1)
    writer.append(b"x")
    while writer.tick():
        pass
    assert joined(found.read("log")) == b"x\n"
    writer.drop()


def large_logs_go_through_all_commands_by_handle(folder):
    found, events = logs(folder), numbered(0, 600_000)
    with found.open("log", flush_bytes=2_000_000) as writer:
        for start in range(0, 600_000, 20_000):
            writer.append_lines(numbered(start, start + 20_000))
    assert joined(found.read("log")) == events
    assert found.compact("log", full=True)["events"] == 600_000
    assert joined(found.read("log")) == events
    assert found.verify("log")["events"] == 600_000
    handles = len(found.handles.objects)
    assert handles < 20, f"{handles} handles remain"


def lines_that_are_not_events_are_refused(folder):
    found = logs(folder)
    writer = found.open("log", event_bytes_max=10)
    cases = [
        (b"a\n\nb\n", 1, "the event is empty"), (b"\n", 0, "the event is empty"),
        (b"a\nb", 1, "does not end with a line feed"),
        (b"a\n" + b"x" * 11 + b"\n", 1, "has 11 bytes, more than 10"),
    ]
    for lines, line, words in cases:
        try:
            writer.append_lines(lines)
            raise AssertionError(f"{lines} was appended")
        except InvalidEvent as error:
            assert (error.line, error.kind) == (line, "invalid-event") and words in error.message
    with fails(InvalidEvent, "invalid-event", "line feed inside"):
        writer.append(b"a\nb")
    assert writer.append_lines(b"x" * 10 + b"\n") == 1
    assert writer.close()["events"] == 1


def command_line_appends_what_is_before_an_invalid_line(folder):
    said = python("append", f"{folder}/log", stdin=b"a\rb\nb\n\nc\n", code=1)
    reason = "line 3 of stdin: the event is empty: an event has at least one byte"
    assert said == f"error: cannot append {folder}/log: {reason}\n", said
    assert native("read", f"{folder}/log") == b"a\rb\nb\n"


def missing_logs_and_invalid_names_are_typed_errors(folder):
    found = logs(folder)
    with fails(NoLog, "no-log", "there is no log none"):
        found.stat("none")
    with fails(NoLog, "no-log", "there is no log none"):
        joined(found.read("none"))
    with fails(InvalidInput, "invalid-input"):
        found.open("../outside")
    try:
        found.open("log", flush_size=1)
        raise AssertionError("an unknown option was accepted")
    except TypeError as error:
        assert "unknown options: flush_size; known: flush_threshold" in str(error)
    said = python("read", f"{folder}/none", code=1)
    assert said.startswith(f"error: cannot read {folder}/none: there is no log none"), said
    assert python("read", code=2).startswith("usage: python -m stratalog_host append|")


def damaged_object_is_named(folder):
    found = logs(folder)
    with found.open("log") as writer:
        writer.append(b"first")
    [batch] = os.listdir(f"{folder}/log")
    Path(folder, "log", batch).write_bytes(b"fIrst\n")
    with fails(Damaged, "damaged", f"log/{batch} is damaged: expected "):
        joined(found.read("log"))
    assert [damage["object"] for damage in found.verify("log")["damaged"]] == [f"log/{batch}"]
    report = ran([sys.executable, "-B", "-m", "stratalog_host", "verify", f"{folder}/log"], b"")
    assert report.returncode == 1 and not json.loads(report.stdout)["ok"], report


def errors_of_the_store_reach_the_caller(folder):
    Path(folder, "log").write_bytes(b"")
    found = logs(folder)
    with fails(StoreFailed, "store-failed", "is a regular file, not a folder"):
        found.open("log")
    os.remove(f"{folder}/log")
    writer = found.open("log")
    writer.append(b"kept")
    Path(folder, "log").write_bytes(b"")
    with fails(WriteFailed, "write-failed", "was not written", "1 event is kept in memory"):
        writer.flush()
    os.remove(f"{folder}/log")
    assert writer.close()["events"] == 1
    assert joined(found.read("log")) == b"kept\n"


def exactly_one_of_many_creates_succeeds(folder):
    store, outcomes = FolderStore(folder), []

    def create(number):
        try:
            store.create("a/key", b"%d" % number)
            outcomes.append(number)
        except WriteError as error:
            assert error.kind == "already-exists", error

    threads = [threading.Thread(target=create, args=[number]) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(outcomes) == 1 and store.get("a/key") == b"%d" % outcomes[0]
    assert os.listdir(f"{folder}/a") == ["key"]
    store.ensure_exclusive("a/")
    assert os.listdir(f"{folder}/a") == ["key"]


def no_key_leaves_the_folder(folder):
    Path(folder, "outside").write_bytes(b"secret")
    store = FolderStore(f"{folder}/root")
    keys = ["", "/", "/a", "a/", "a//b", ".", "..", "../outside", "a/../../outside", "a\0b", "a\nb"]
    for key in [*keys, "a\\b", "x" * 1025, "batch#1", "\ud800"]:
        with fails(StoreError, "invalid", "cannot be used"):
            store.get(key)
        for create in (lambda: store.create(key, b"x"), lambda: store.upload(key)):
            with fails(WriteError, "not-written", "cannot be used"):
                create()
        assert [error.kind for _, error in store.delete([key])] == ["invalid"], key
    for prefix in ["../", "/", "a//", "a\0"]:
        with fails(StoreError, "invalid", "cannot be used"):
            store.listing(prefix).next(10)
    assert not os.path.exists(f"{folder}/root")


def no_link_is_followed_and_no_pipe_blocks(folder):
    store = FolderStore(f"{folder}/root")
    store.create("log/other", b"x")
    Path(folder, "outside").write_bytes(b"secret")
    plants = {
        "a symbolic link": lambda path: os.symlink(f"{folder}/outside", path),
        "a folder": os.mkdir,
        "a named pipe": os.mkfifo,
    }
    for number, (what, plant) in enumerate(plants.items()):
        key = f"log/{number}"
        plant(f"{folder}/root/{key}")
        words = f"root/{key} is {what}", "not a regular file; remove it"
        with fails(StoreError, "not-an-object", *words):
            store.get(key)
        with fails(WriteError, "not-written", *words):
            store.create(key, b"x")
    entries, more = store.listing("log/").next(10)
    kinds = [(key[4:], kind) for key, _, kind in entries]
    assert kinds == [("0", "link"), ("1/", "folder"), ("2", "special"), ("other", "object")], kinds
    assert not more
    os.mkdir(f"{folder}/elsewhere")
    os.symlink(f"{folder}/elsewhere", f"{folder}/root/link")
    words = "link is a symbolic link, not a folder; name the one that is meant"
    for call in (lambda: store.get("link/x"), lambda: store.listing("link/").next(10)):
        with fails(StoreError, "invalid", words):
            call()
    with fails(WriteError, "not-written", words):
        store.create("link/x", b"x")
    assert [error.kind for _, error in store.delete(["link/x"])] == ["invalid"]
    assert os.listdir(f"{folder}/elsewhere") == []


def uploads_appear_whole_or_not_at_all(folder):
    store = FolderStore(folder)
    upload = store.upload("log/large")
    upload.write(b"one ")
    [(_, size, kind)], _ = store.listing("log/").next(10)
    assert (size, kind) == (4, "unfinished")
    upload.write(b"two")
    upload.finish()
    assert store.get("log/large") == b"one two"
    for call in (upload.finish, lambda: upload.write(b"x")):
        with fails(WriteError, "not-written", "is already finished: start another"):
            call()
    again, dropped = store.upload("log/large"), store.upload("log/dropped")
    with fails(WriteError, "already-exists"):
        again.finish()
    dropped.drop()
    assert os.listdir(f"{folder}/log") == ["large"]


def ordered_reads_and_ranges_are_exact(folder):
    store = FolderStore(folder)
    for key, content in {"a": b"a" * 2_500, "empty": b"", "b": b"0123456789"}.items():
        store.create(key, content)
    read, chunks = store.ordered_read([("a", None), ("empty", None), ("b", (3, 5))]), []
    while chunk := read.next(1):
        chunks.append((chunk[0], len(chunk[1]), chunk[2]))
    assert chunks == [
        (0, 1024, False), (0, 1024, False), (0, 452, True), (1, 0, True), (2, 2, True)], chunks
    for range_ in [(5, 5), (6, 5), (5, 11), (10, 11), (2**63, 2**64 - 1)]:
        with fails(StoreError, "invalid", "the range"):
            store.get("b", range_)
    read = store.ordered_read([("gone", None), ("b", None)])
    with fails(StoreError, "not-found", "cannot read gone: no such object"):
        read.next(1024)
    assert read.number == 0 and read.next(1024) is None


def host_bytes_are_joined_sliced_and_searched(_folder):
    whole = HostBytes(b"a\nbb")
    whole.append(HostBytes(b"b\n"))
    whole.append(HostBytes(b"c"))
    part = whole.slice(2, 6)
    whole.append(HostBytes(b"d"))
    assert (whole.read(), part.read()) == (b"a\nbbb\ncd", b"bbb\n")
    assert [whole.line_end(lines) for lines in [0, 1, 2, 3, 9]] == [0, 2, 6, 8, 8]
    # The digest of no bytes is one of the published test vectors.
    assert whole.summarize(2, [4, 0])[1] == (0x2D06800538D394C2, 0)
    assert whole.summarize(2, [4])[0][1] == 1
    for start, end in [(3, 2), (0, 9)]:
        try:
            whole.slice(start, end)
            raise AssertionError("a range outside was accepted")
        except IndexError:
            pass


HELPERS = [fails, numbered, ran, python, native, logs, joined]
PROPERTIES = [
    held for held in list(globals().values())
    if getattr(held, "__module__", None) == __name__ and held not in HELPERS
]


def main():
    failed = 0
    for held in PROPERTIES:
        with tempfile.TemporaryDirectory() as folder:
            try:
                held(os.path.realpath(folder))
                print(f"ok      {held.__name__}", flush=True)
            except Exception:
                failed += 1
                print(f"FAILED  {held.__name__}\n{traceback.format_exc()}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
