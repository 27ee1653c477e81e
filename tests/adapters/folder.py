"""The behaviour of a folder as a store. Each function gets the program and an empty folder."""

import os
import shutil
import socket
import subprocess
import sys
import time

from adapter import fails


def root_is_created_by_the_first_write_only(program, folder):
    for root in ["not/yet", "/not/yet", "./not/yet/"]:
        store = program.open({folder: "/"}, {"STRATALOG_ROOT": root})
        assert store.keys("log/") == [] and store.delete("log/a") == {}
        with fails("not-found", "cannot open the folder /not/yet", "correct STRATALOG_ROOT"):
            store.get("log/a")
        assert os.listdir(folder) == []
        store.create("log/a", b"x", True)
        assert read(f"{folder}/not/yet/log/a") == b"x"
        shutil.rmtree(f"{folder}/not")


def root_that_cannot_be_used_is_named(program, folder):
    with fails("invalid", "STRATALOG_ROOT"):
        program.open({folder: "/"}, {"STRATALOG_ROOT": "../up"}).get("a")
    write(f"{folder}/file", b"x")
    os.mkfifo(f"{folder}/pipe")
    for root in ["file", "file/below", "pipe", "pipe/below"]:
        with fails("invalid", f"/{root[:4]}", "correct STRATALOG_ROOT", fate="not-written"):
            program.open({folder: "/"}, {"STRATALOG_ROOT": root}).create("log/a", b"")
    store = program.open({})
    with fails("permission-denied", "the host opened no folder"):
        store.get("a")
    with fails("permission-denied", "the host opened no folder"):
        store.entries("a/")
    assert store.delete("a")["a"].kind == "permission-denied"


def root_is_followed_through_a_link_and_to_any_opened_folder(program, folder):
    for name in "xy":
        os.mkdir(f"{folder}/{name}")
    os.symlink("x", f"{folder}/link")
    program.open({folder: "/"}, {"STRATALOG_ROOT": "link"}).create("a", b"1")
    program.open({folder: "/"}, {"STRATALOG_ROOT": "link/new/er"}).create("c", b"3")
    assert read(f"{folder}/x/new/er/c") == b"3"
    opened = {f"{folder}/x": "/x", f"{folder}/y": "/y"}
    program.open(opened, {"STRATALOG_ROOT": "/y/in"}).create("b", b"2")
    assert read(f"{folder}/x/a") == b"1" and read(f"{folder}/y/in/b") == b"2"


def folder_that_is_opened_for_reading_denies_writes(program, folder):
    os.mkdir(f"{folder}/log")
    write(f"{folder}/log/a", b"x")
    store = program.open({folder: "/"}, writable=False)
    for call in (store.create, lambda key, _: store.start_upload(key)):
        for key in ["log/b", "new/b"]:
            with fails("permission-denied", "open the folder for writing", fate="not-written"):
                call(key, b"x")
    assert store.delete("log/a")["log/a"].kind == "permission-denied"
    assert store.get("log/a") == b"x" and store.keys("log/") == ["log/a"]


def folder_that_was_removed_is_named_with_what_helps(program, folder):
    store = program.open({folder: "/"})
    store.create("log/a", b"x")
    upload = store.start_upload("log/b")
    shutil.rmtree(folder)
    removed = "the folder that the host opened as / (`--dir`) was removed: create it, and start"
    with fails("not-found", removed, fate="not-written"):
        store.write(upload, b"x")
        store.finish(upload)
    for key in ["log/c", "new/c"]:
        with fails("not-found", removed, fate="not-written"):
            store.create(key, b"x")
    with fails("not-found", "no such object"):
        store.get("log/a")
    assert store.keys("log/") == [] and store.delete("log/a") == {}
    os.mkdir(folder)


def list_distinguishes_objects_from_other_entries(program, folder):
    log = f"{folder}/log"
    os.makedirs(f"{log}/a_folder")
    for name in [b"a_1", b"a_2#7", b"a_3#x", b"a_\n", b"a_\\x", b"a_\xff"]:
        write(os.fsencode(log) + b"/" + name, b"x")
    for name in ["a_link", "a_link#1"]:
        os.symlink("a_1", f"{log}/{name}")
    os.symlink("/nowhere", f"{log}/a_dangling")
    os.mkfifo(f"{log}/a_pipe")
    listen(f"{log}/a_socket")
    store = program.open({folder: "/"})
    kinds = {
        "object": ["log/a_1", "log/a_3#x"],
        "folder": ["log/a_folder/"],
        "unfinished": ["log/a_2#7"],
        "link": ["log/a_dangling", "log/a_link", "log/a_link#1"],
        "special": ["log/a_pipe", "log/a_socket"],
    }
    for kind, expected in kinds.items():
        assert store.keys("log/a_", kind=kind) == expected, kind
    assert sum(entry.size for entry in store.entries("log/a_")) == 3


def page_leaves_out_files_that_have_vanished(program, folder):
    store = program.open({folder: "/"})
    keys = [f"p/k{n:03}" for n in range(100)]
    for key in keys:
        store.create(key, b"x")
    listing = store.listing("p/")
    store.page(listing, 10)
    for key in keys[10:90]:
        os.remove(f"{folder}/{key}")
    store.create("p/late", b"x")
    page = store.page(listing, 10)
    assert [entry.key for entry in page.objects] == keys[90:] and not page.more


def entry_that_is_no_regular_file_is_named_and_not_touched(program, folder):
    intruders = {
        "link": (lambda path: os.symlink(f"{folder}/outside", path), "is a symbolic link"),
        "dangling": (lambda path: os.symlink("/nowhere", path), "is a symbolic link"),
        "folder": (os.mkdir, "is a folder"),
        "socket": (listen, "is a named pipe, a socket or a device"),
        "pipe": (os.mkfifo, "is a named pipe, a socket or a device"),
    }
    write(f"{folder}/outside", b"secret")
    for what, (plant, kind) in intruders.items():
        root = f"{folder}/{what}"
        os.makedirs(f"{root}/log")
        plant(f"{root}/log/object")
        store = program.open({root: "/"})
        words = ["/log/object", kind, "not a regular file; move it away"]
        for read_it in (store.get, lambda key: list(store.read([(key, None)]))):
            with fails("not-an-object", *words):
                read_it("log/object")
        for exclusive in (False, True):
            with fails("not-an-object", *words, fate="not-written"):
                store.create("log/object", b"x", exclusive)
        upload = store.start_upload("log/object")
        store.write(upload, b"x")
        with fails("not-an-object", *words, fate="not-written"):
            store.finish(upload)
        assert os.listdir(f"{root}/log") == ["object"], what
        failures = store.delete("log/object")
        assert [error.kind for error in failures.values()] == ["not-an-object"] * (what == "folder")
    assert read(f"{folder}/outside") == b"secret"


def no_link_on_the_way_to_an_object_is_followed(program, folder):
    for place in ["elsewhere", "root/real"]:
        os.makedirs(f"{folder}/{place}/deep")
        write(f"{folder}/{place}/object", b"secret")
        write(f"{folder}/{place}/deep/object", b"secret")
    root = f"{folder}/root"
    os.symlink(f"{folder}/elsewhere", f"{root}/out")
    os.symlink("real", f"{root}/in")
    os.mkfifo(f"{root}/pipe")
    store = program.open({root: "/"})
    for key in ["out/object", "out/deep/object", "in/object", "in/deep/object", "pipe/object"]:
        words = [f"/{key.split('/')[0]} is a", "not a folder; name the folder that is meant"]
        prefix = key.removesuffix("object")
        for call in (store.get, lambda _: store.entries(prefix)):
            with fails("invalid", *words):
                call(key)
        for name in ["object", "new"]:
            with fails("invalid", *words, fate="not-written"):
                store.create(prefix + name, b"", True)
        assert store.delete(key)[key].kind == "invalid"
    assert sorted(os.listdir(f"{folder}/elsewhere")) == ["deep", "object"]


def planted_file_aside_is_neither_written_nor_followed(program, folder):
    write(f"{folder}/outside", b"kept")
    log = f"{folder}/log"
    os.mkdir(log)
    os.symlink(f"{folder}/outside", f"{log}/batch_1#1")
    os.symlink("/nowhere", f"{log}/batch_1#2")
    os.mkdir(f"{log}/batch_1#3")
    os.link(f"{folder}/outside", f"{log}/batch_1#4")
    store = program.open({folder: "/"})
    store.create("log/batch_1", b"x", True)
    assert read(f"{folder}/outside") == b"kept" and store.get("log/batch_1") == b"x"


def keys_of_unfinished_files_and_with_backslashes_are_refused(program, folder):
    store = program.open({folder: "/"})
    for key in ["log/a#1", "log/a\\b"]:
        with fails("invalid", "cannot be used", fate="not-written"):
            store.create(key, b"")
        with fails("invalid", "cannot be used"):
            store.get(key)
        assert store.delete(key)[key].kind == "invalid"


def abandoned_files_go_with_the_first_write_and_nothing_else_does(program, folder):
    log = f"{folder}/log"
    os.makedirs(f"{log}/batch_9#1")
    files = {
        "batch_1.jsonl#1": (2, False), "segment_1.jsonl#12": (30, False),
        "manifest_1.json#1": (2, False), "generation_8#1": (2, False),
        "set-aside_batch_1.jsonl#1": (2, False), "probe_1#1": (2, False),
        "batch_2.jsonl#1": (0, True), "batch_3.jsonl": (100, True),
        "batch_4.jsonl#x": (100, True), "batch_5.jsonl#": (100, True),
        "notes.txt#1": (100, True), "batch_future#1": (-5, True),
    }
    for name, (hours, _) in files.items():
        write(f"{log}/{name}", b"")
        changed = time.time() - hours * 3_600
        os.utime(f"{log}/{name}", (changed, changed))
    store = program.open({folder: "/"})
    store.entries("log/")
    assert os.path.exists(f"{log}/batch_1.jsonl#1"), "a reader removed it"
    store.create("log/batch_6.jsonl", b"x")
    stayed = {name: os.path.exists(f"{log}/{name}") for name in files}
    assert stayed == {name: stays for name, (_, stays) in files.items()}
    assert os.path.isdir(f"{log}/batch_9#1")


def racing_creates_of_processes_have_one_winner(program, folder):
    racer = [sys.executable, __file__, program.path, folder]
    racers = [subprocess.Popen(racer + [str(n)], stdout=subprocess.PIPE) for n in range(4)]
    for process in racers:
        process.stdout.readline()
    write(f"{folder}/go", b"")
    won = [process.communicate(timeout=60)[0].split() for process in racers]
    assert sorted(sum(won, []), key=int) == [str(n).encode() for n in range(200)]
    for number, keys in enumerate(won):
        for key in keys:
            assert read(f"{folder}/r/{key.decode()}") == str(number).encode()
    assert len(os.listdir(f"{folder}/r")) == 200, "an unfinished file is left"


def race(path, folder, number):
    """Creates the keys of the race, and prints those that were won."""
    from adapter import Failed, Program
    store = Program(path).open({folder: "/"})
    print("ready", flush=True)
    begun = time.monotonic()
    while not os.path.exists(f"{folder}/go"):
        assert time.monotonic() - begun < 60, "the race never begins"
        time.sleep(0.0005)
    for key in range(200):
        try:
            store.create(f"r/{key}", number.encode(), True)
            print(key)
        except Failed as failure:
            assert failure.fate == "already-exists", failure


def write(path, content):
    """Writes a file."""
    with open(path, "wb") as file:
        file.write(content)


def read(path):
    """Reads a file."""
    with open(path, "rb") as file:
        return file.read()


def listen(path):
    """Leaves a socket at a path."""
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(path)


HELPERS = [race, write, read, listen]
PROPERTIES = [
    held for held in list(globals().values())
    if getattr(held, "__module__", None) == __name__ and held not in HELPERS
]

if __name__ == "__main__":
    race(*sys.argv[1:])
