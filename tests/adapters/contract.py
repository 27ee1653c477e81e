"""The behaviour of every store. Each function gets an adapter on an empty store."""

from adapter import HOST_BYTES, OBJECT_STORE, fails

MIB = 1024 * 1024


def created_objects_read_back(store):
    for key, content in {"a/empty": b"", "a/small": b"x\n", "a/large": bytes(900_000)}.items():
        store.create(key, content)
        assert store.get(key) == content, key
    store.start_create("a/started", b"s", exclusive=True)
    assert store.get("a/started") == b"s"


def create_of_an_existing_key_changes_nothing(store):
    store.create("a/key", b"one")
    for exclusive in (False, True):
        with fails(None, fate="already-exists"):
            store.create("a/key", b"two", exclusive)
        with fails(None, fate="already-exists"):
            store.start_create("a/key", b"two", exclusive)
    assert store.get("a/key") == b"one"


def keys_keep_their_characters(store):
    names = ["a b", "größe", "日本", "per%25cent", "x+y=z&", "~{}", "#", "q?", "[x]", "a#b"]
    for name in names:
        store.create(f"my log/{name}", name.encode())
    found = store.keys("my log/")
    assert found == sorted((f"my log/{name}" for name in names), key=str.encode), found
    for name in names:
        assert store.get(f"my log/{name}") == name.encode()


def keys_that_leave_the_root_are_refused(store):
    keys = ["../x", "a/../../x", "/x", "", "a//b", "a/", "a\n", "./a", "..", "x" * 1025]
    for key in keys:
        for create in (store.create, store.start_create):
            with fails("invalid", "cannot be used", fate="not-written"):
                create(key, b"x")
        with fails("invalid", "cannot be used", fate="not-written"):
            store.start_upload(key)
        with fails("invalid", "cannot be used"):
            store.get(key)
        assert [error.kind for error in store.delete(key).values()] == ["invalid"], key
    for prefix in ["../", "/", "a//", "a/../b", "a\n"]:
        with fails("invalid", "cannot be used"):
            store.entries(prefix)


def missing_objects_are_not_found(store):
    assert store.keys("a/") == []
    assert store.delete("nothing/yet", "a") == {}
    store.create("a/one", b"x")
    for key in ["a/none", "none/one"]:
        with fails("not-found", "no such object", key):
            store.get(key)


def ranges_are_exact_or_refused(store):
    content = bytes(n % 251 for n in range(700_000))
    store.create("a/key", content)
    for start, end in [(0, 1), (0, 700_000), (5, 600_000), (699_999, 700_000)]:
        assert store.get("a/key", (start, end)) == content[start:end]
    beyond = [(0, 700_001), (700_000, 700_001), (900_000, 900_001), (0, 2**64 - 1)]
    for range_ in beyond + [(5, 5), (6, 5)]:
        with fails("invalid", "the range"):
            store.get("a/key", range_)


def listings_are_sorted_direct_and_by_prefix(store):
    for key in ["e/b_3", "e/b_1", "e/b_2", "e/a_9", "e/sub/b_5", "f/b_4", "ee/b_6"]:
        store.create(key, key.encode())
    cases = [
        ("e/b_", None, ["e/b_1", "e/b_2", "e/b_3"]),
        ("e/", None, ["e/a_9", "e/b_1", "e/b_2", "e/b_3"]),
        ("e/b_", "e/b_1", ["e/b_2", "e/b_3"]),
        ("e/b_", "e/a", ["e/b_1", "e/b_2", "e/b_3"]),
        ("e/b_", "e/c", []),
        ("e/b_", "e/b_15", ["e/b_2", "e/b_3"]),
        ("e/sub/", None, ["e/sub/b_5"]),
    ]
    for prefix, after, expected in cases:
        assert store.keys(prefix, after) == expected, (prefix, after)
    assert store.keys("e/", kind="folder") == ["e/sub/"]
    assert store.keys("", kind="folder") == ["e/", "ee/", "f/"]
    assert {entry.size for entry in store.entries("e/b_")} == {5}


def listings_by_pages_yield_each_key_once(store):
    expected = [f"p/k{n:04}" for n in range(120)]
    for key in reversed(expected):
        store.create(key, b"x")
    for limit in [1, 7, 50, 119, 120, 10_000]:
        listing, found, more = store.listing("p/k"), [], True
        while more:
            page = store.page(listing, limit)
            assert len(page.objects) <= limit and (page.objects or not page.more)
            found, more = found + [entry.key for entry in page.objects], page.more
        assert found == expected, limit
        last = store.page(listing, limit)
        assert not last.objects and not last.more
        store.drop(listing)
    assert store.delete(*expected) == {} and store.keys("p/") == []


def listing_shows_objects_just_written_and_deleted(store):
    there = set()
    for round_ in range(30):
        key = f"a/{round_ * 7 % 30:02}"
        store.create(key, b"x")
        there.add(key)
        assert store.keys("a/") == sorted(there)
        if round_ % 3 == 2:
            there.discard(first := min(there))
            assert store.delete(first) == {} and store.keys("a/") == sorted(there)


def ordered_reads_keep_the_order(store):
    contents = [(f"{n} " * (1 + n * 7_919 % 40_000)).encode() for n in range(40)] + [b""]
    ranges = []
    for n, content in enumerate(contents):
        store.create(f"o/{n}", content)
        ranges.append((f"o/{n}", (1, len(content)) if n % 3 == 0 and content else None))
    for bytes_max in [1, 10_000, MIB, 2**32 - 1]:
        found, lasts, before = [b""] * 41, [0] * 41, 0
        for number, content, last in store.read(ranges, bytes_max):
            assert number >= before and len(content) <= max(bytes_max, 1024)
            found[number] += content
            lasts[number] += last
            before = number
        wanted = [content[1 if range_ else 0:] for content, (_, range_) in zip(contents, ranges)]
        assert found == wanted and lasts == [1] * 41, bytes_max


def ordered_read_ends_with_the_range_that_fails(store):
    store.create("o/1", b"one")
    with fails("not-found", "o/none"):
        for number, _, last in store.read([("o/1", None), ("o/none", None), ("o/1", None)]):
            assert (number, last) == (0, True)
    with fails("invalid", "the range"):
        list(store.read([("o/1", (0, 4))]))


def uploads_of_any_size_appear_whole_at_their_end(store):
    for size in [0, 10, 300_000, 1_200_000]:
        content, key = bytes(n % 241 for n in range(size)), f"u/{size}"
        upload = store.start_upload(key)
        for start in range(0, size, 100_000):
            store.write(upload, content[start:start + 100_000])
        with fails("not-found"):
            store.get(key)
        store.finish(upload)
        for call in (lambda: store.finish(upload), lambda: store.write(upload, b"x")):
            with fails("invalid", "already finished", fate="not-written"):
                call()
        store.drop(upload)
        found = b"".join(content for _, content, _ in store.read([(key, None)]))
        assert found == content, size


def upload_that_is_dropped_or_late_changes_nothing(store):
    store.create("u/key", b"first")
    for key in ["u/dropped", "u/key"]:
        upload = store.start_upload(key)
        store.write(upload, bytes(300_000))
        if key == "u/key":
            with fails(None, fate="already-exists"):
                store.finish(upload)
        store.drop(upload)
    assert [entry.key for entry in store.entries("u/")] == ["u/key"]
    assert store.get("u/key") == b"first"


def objects_of_64_mib_are_the_largest_of_one_call(store):
    content = store.bytes(b"\n" * 500_000)
    while (length := store.call(HOST_BYTES, "[method]bytes.length", content)) < 64 * MIB:
        more = min(length, 64 * MIB - length)
        more = store.call(HOST_BYTES, "[method]bytes.slice", content, 0, more)
        store.call(HOST_BYTES, "[method]bytes.append", content, more)
    start = OBJECT_STORE, "start-create"
    wait = OBJECT_STORE, "[method]pending-create.wait"
    store.call(*wait, store.call(*start, "a/full", content, False))
    store.call(HOST_BYTES, "[method]bytes.append", content, store.bytes(b"x"))
    with fails("invalid", "upload the object in parts", fate="not-written"):
        store.call(*wait, store.call(*start, "a/over", content, False))
    upload = store.start_upload("a/over")
    store.call(OBJECT_STORE, "[method]upload.write", upload, content)
    store.finish(upload)
    with fails("invalid", "read a range"):
        store.get("a/over")


PROPERTIES = [
    held for name, held in list(globals().items())
    if callable(held) and getattr(held, "__module__", None) == __name__ and name != "fails"
]
