"""The behaviour of a bucket as a store. Each function gets the program and an S3 server."""

import datetime
import hashlib
import hmac
import os
import socket
import time
import urllib.error
import urllib.request
import uuid

from adapter import HOST_BYTES, OBJECT_STORE, Failed, fails
from fake import Answer, Fake, error

MIB = 1024 * 1024
PAGE = "<ListBucketResult><Prefix>{}</Prefix><KeyCount>{}</KeyCount>" \
    "<IsTruncated>{}</IsTruncated>{}</ListBucketResult>"


class Server:
    """An S3 server, with a bucket of its own."""

    def __init__(self, url):
        self.url, self.bucket = url.rstrip("/"), f"adapters-{uuid.uuid4().hex[:12]}"
        self.key, self.secret = (
            os.environ.get("AWS_ACCESS_KEY_ID", "test"),
            os.environ.get("AWS_SECRET_ACCESS_KEY", "test"),
        )

    def environment(self, **more):
        """Returns the settings of a store below a new prefix."""
        return {
            "STRATALOG_ROOT": f"s3://{self.bucket}/{uuid.uuid4().hex[:8]}/my logs",
            "AWS_ENDPOINT": self.url, "AWS_ALLOW_HTTP": "true", "AWS_ACCESS_KEY_ID": self.key,
            "AWS_SECRET_ACCESS_KEY": self.secret, "STRATALOG_RETRY_TIMEOUT": "20", **more,
        }

    def make_bucket(self):
        """Creates the bucket."""
        self.request("PUT", f"/{self.bucket}")

    def checks_signatures(self):
        """Returns whether the server refuses a wrong signature."""
        known, self.secret = self.secret, "wrong"
        try:
            self.uploads()
        except urllib.error.HTTPError:
            return True
        finally:
            self.secret = known
        return False

    def uploads(self):
        """Returns the list of unfinished uploads, as text."""
        return self.request("GET", f"/{self.bucket}", "uploads=")

    def request(self, method, path, query=""):
        """Sends a signed request, and returns its answer."""
        now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")
        host, empty = self.url.split("//")[1], hashlib.sha256(b"").hexdigest()
        names = "host;x-amz-content-sha256;x-amz-date"
        lines = f"host:{host}\nx-amz-content-sha256:{empty}\nx-amz-date:{now}\n"
        canonical = "\n".join([method, path, query, lines, names, empty])
        scope = f"{now[:8]}/us-east-1/s3/aws4_request"
        digest = hashlib.sha256(canonical.encode()).hexdigest()
        text = f"AWS4-HMAC-SHA256\n{now}\n{scope}\n{digest}"
        key = f"AWS4{self.secret}".encode()
        for part in [*scope.split("/"), text]:
            key = hmac.new(key, part.encode(), hashlib.sha256).digest()
        request = urllib.request.Request(f"{self.url}{path}?{query}", method=method, headers={
            "x-amz-date": now, "x-amz-content-sha256": empty,
            "authorization": f"AWS4-HMAC-SHA256 Credential={self.key}/{scope}, "
                             f"SignedHeaders={names}, Signature={key.hex()}",
        })
        with urllib.request.urlopen(request) as answer:
            return answer.read().decode()


def exclusive_creates_are_proven_first(program, server):
    store = program.open({}, server.environment())
    store.ensure_exclusive("log/")
    assert store.entries("log/") == [], "the objects of the probe stayed"
    store.create("log/once", b"1", exclusive=True)
    with fails(None, fate="already-exists"):
        store.create("log/once", b"2", exclusive=True)


def racing_creates_have_one_winner(program, server):
    environment = server.environment()
    stores = [program.open({}, environment) for _ in range(3)]
    for key in range(8):
        creates = [(store, store.start(f"r/{key}", b"%d" % n)) for n, store in enumerate(stores)]
        won = []
        for n, (store, create) in enumerate(creates):
            try:
                store.wait(create)
                won.append(n)
            except Failed as failure:
                assert failure.fate == "already-exists", failure
        assert len(won) == 1 and stores[0].get(f"r/{key}") == b"%d" % won[0], won


def upload_in_parts_appears_whole_and_leaves_no_parts(program, server):
    store = program.open({}, server.environment())
    block = bytes(n % 251 for n in range(600_000))
    content, kept = block * 40, store.bytes(block)

    def start_upload(key):
        upload = store.start_upload(key)
        for _ in range(40):
            piece = store.call(HOST_BYTES, "[method]bytes.slice", kept, 0, len(block))
            store.call(OBJECT_STORE, "[method]upload.write", upload, piece)
        return upload
    upload = start_upload("log/large")
    assert store.entries("log/") == []
    store.finish(upload)
    for range_ in [(8 * MIB - 5, 8 * MIB + 5), (0, 1), (len(content) - 3, len(content))]:
        assert store.get("log/large", range_) == content[slice(*range_)]
    found = b"".join(chunk for _, chunk, _ in store.read([("log/large", (7, len(content)))]))
    assert found == content[7:]
    store.drop(start_upload("log/dropped"))
    assert "<UploadId>" not in server.uploads(), server.uploads()


def deletes_of_thousands_of_keys_are_few_requests(program, server):
    store = program.open({}, server.environment())
    there = [f"d/{n}&<>'\"é" for n in range(40)]
    for key in there:
        store.create(key, b"x")
    started = time.monotonic()
    assert store.delete(*there, *(f"d/none-{n}" for n in range(1_500))) == {}
    assert time.monotonic() - started < 20 and store.entries("d/") == []
    store = program.open({}, server.environment(AWS_DISABLE_BULK_DELETE="true"))
    store.create("d/1", b"x")
    assert store.delete("d/1", "d/2") == {} and store.entries("d/") == []


def wrong_credentials_and_bucket_are_named_without_secrets(program, server):
    secret = "wRoNgSeCrEtWrOnGsEcReT"
    if server.checks_signatures():
        store = program.open({}, server.environment(AWS_SECRET_ACCESS_KEY=secret))
        for call in (store.get, store.entries, lambda key: store.create(key, b"x")):
            try:
                call("log/a")
                raise AssertionError("wrong credentials were accepted")
            except Failed as failure:
                assert failure.kind == "permission-denied", failure
                assert failure.fate in (None, "not-written"), failure
                assert secret not in failure.message and server.key not in failure.message
                assert "log/a" in failure.message and "check the credentials" in failure.message
    missing = server.environment(STRATALOG_ROOT="s3://no-such-bucket-1a2b3c/app")
    with fails("not-found", "no such bucket"):
        program.open({}, missing).entries("log/")


def settings_that_cannot_be_used_are_named(program, _server):
    good = {
        "STRATALOG_ROOT": "s3://logs/app", "AWS_ACCESS_KEY_ID": "AKI",
        "AWS_SECRET_ACCESS_KEY": "SEC",
    }
    cases = [
        ("STRATALOG_ROOT", ""), ("STRATALOG_ROOT", "/tmp"), ("STRATALOG_ROOT", "s3:///a"),
        ("AWS_ACCESS_KEY_ID", ""), ("AWS_SECRET_ACCESS_KEY", ""),
        ("AWS_ENDPOINT", "http://127.0.0.1:1"), ("AWS_CONDITIONAL_PUT", "maybe"),
        ("AWS_SSE_CUSTOMER_KEY_BASE64", "x"), ("STRATALOG_RETRY_TIMEOUT", "0"),
    ]
    for name, value in cases:
        store = program.open({}, {**good, name: value})
        with fails("invalid", "cannot use"):
            store.get("a")
        with fails("invalid", "cannot use", fate="not-written"):
            store.create("a", b"")
        with fails("invalid", "cannot use", fate="not-written"):
            store.start_upload("a")
        assert store.delete("a")["a"].kind == "invalid"


def host_token_and_style_are_those_of_the_settings(program, _server):
    with Fake(lambda _: Answer(200)) as fake:
        program.open({}, fake.environment(AWS_SESSION_TOKEN="tOkEn")).create("a b", b"x")
        request = fake.requests[-1]
        assert (request.method, request.path, request.body) == ("PUT", "/logs/app/a%20b", b"x")
        assert request.headers["host"] == f"127.0.0.1:{fake.port}", request.headers
        assert request.headers["if-none-match"] == "*"
        assert request.headers["x-amz-security-token"] == "tOkEn"
        assert "x-amz-security-token" in request.headers["authorization"]
        style = {"AWS_VIRTUAL_HOSTED_STYLE_REQUEST": "true", "AWS_SKIP_SIGNATURE": "true"}
        program.open({}, fake.environment(**style)).create("a", b"")
        request = fake.requests[-1]
        assert request.path == "/app/a" and "authorization" not in request.headers
        assert request.headers["content-length"] == "0"


def transient_failures_are_retried_until_the_limit(program, _server):
    answers = [error(503, "SlowDown"), Answer(200, breaks=True), error(500, "InternalError")]
    with Fake(lambda _: answers.pop(0) if answers else Answer(200)) as fake:
        program.open({}, fake.environment()).create("a", b"x")
        assert len(fake.requests) == 4
    with Fake(lambda _: error(503, "SlowDown")) as fake:
        started = time.monotonic()
        with fails("unavailable", "SlowDown", "attempts failed; try again", fate="unknown"):
            program.open({}, fake.environment(STRATALOG_RETRY_TIMEOUT="3")).create("a", b"x")
        assert time.monotonic() - started < 15 and len(fake.requests) > 1
    with Fake(lambda _: Answer(200, delay=30)) as fake:
        started = time.monotonic()
        with fails("unavailable", "try again later", fate="unknown"):
            program.open({}, fake.environment(STRATALOG_RETRY_TIMEOUT="3")).create("a", b"x")
        assert time.monotonic() - started < 20


def fate_of_a_write_follows_from_the_answers(program, _server):
    cases = [
        (error(403, "AccessDenied"), "permission-denied", "not-written"),
        (error(412, "PreconditionFailed"), None, "already-exists"),
        (error(501, "NotImplemented"), "unsupported", "not-written"),
        (Answer(307), "invalid", "not-written"),
        (Answer(200, b"<html>log in</html>"), "other", "unknown"),
        (Answer(404, b"<html>none</html>"), "other", "not-written"),
    ]
    for answer, kind, fate in cases:
        with Fake(lambda _, answer=answer: answer) as fake:
            with fails(kind, fate=fate):
                program.open({}, fake.environment()).create("a", b"x")
    after = [Answer(200, breaks=True), error(403, "AccessDenied")]
    with Fake(lambda _: after.pop(0)) as fake:
        with fails("permission-denied", fate="unknown"):
            program.open({}, fake.environment()).create("a", b"x")
    for found, fate in [(200, "already-exists"), (404, "unknown")]:
        conflict = {"PUT": error(409, "Conflict"), "HEAD": Answer(found)}
        with Fake(lambda request, by=conflict: by[request.method]) as fake:
            with fails(None if found == 200 else "unavailable", fate=fate):
                program.open({}, fake.environment()).create("a", b"x")
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    fake.port = port
    with fails("unavailable", "connection", fate="not-written"):
        program.open({}, fake.environment(STRATALOG_RETRY_TIMEOUT="1")).create("a", b"x")


def creates_and_reads_overlap(program, _server):
    def answer(request):
        if request.method == "PUT":
            return Answer(200, delay=2)
        body = request.path[-1].encode()
        return Answer(206, body, {"content-range": "bytes 0-0/1"}, delay=1)
    with Fake(answer) as fake:
        store = program.open({}, fake.environment())
        content, started = store.bytes(bytes(300_000)), time.monotonic()
        creates = [store.start_of(f"{n}", content) for n in range(8)]
        assert time.monotonic() - started < 2
        assert not any(store.poll(create) for create in creates)
        for create in creates:
            store.wait(create)
            store.wait(create)
        assert all(store.poll(create) for create in creates)
        assert fake.most == 8, fake.most
        fake.most = 0
        found = [chunk for _, chunk, _ in store.read([(f"{n}", None) for n in range(8)])]
        assert found == [b"%d" % n for n in range(8)]
        assert fake.most == 8, fake.most
        store.drop(store.start("dropped", b"x"))
        store.get("1")
        bodies = [sent.body for sent in fake.requests if sent.path.endswith("dropped")]
        assert bodies == [b"x"], bodies


def answers_that_are_not_the_listing_are_refused(program, _server):
    one = "<Contents><Key>app/a/1</Key><Size>1</Size></Contents>"
    two = "<Contents><Key>app/a/2</Key><Size>1</Size></Contents>"
    bad = [
        PAGE.format("app/b/", 1, "false", one), PAGE.format("app/a/", 2, "false", one),
        PAGE.format("app/a/", 1, "true", one), PAGE.format("app/a/", 2, "false", two + one),
        PAGE.format("app/a/", 1, "false", one.replace("app/a", "app/b")),
        PAGE.format("app/a/", 1, "", one), PAGE.format("app/a/", 1, "false", one + "<Error/>"),
        PAGE.format("app/a/", 1, "false", one + "<!-- more -->"), "<html/>", "no",
        "<Error><Code>None</Code></Error>",
    ]
    for body in bad:
        with Fake(lambda _, body=body: Answer(200, body.encode())) as fake:
            with fails("other", "a listing"):
                program.open({}, fake.environment()).entries("a/")
    token = "<NextContinuationToken>t</NextContinuationToken>"
    with Fake(lambda _: Answer(200, PAGE.format("app/a/", 1, "true", one + token).encode())) as fake:
        with fails("other", "continuation token"):
            program.open({}, fake.environment()).entries("a/")
    pages = [PAGE.format("app/a/", 0, "true", token), PAGE.format("app/a/", 2, "false", one + two)]
    with Fake(lambda _: Answer(200, pages.pop(0).encode())) as fake:
        assert program.open({}, fake.environment()).keys("a/", "a/1") == ["a/2"]
        assert "start-after=app%2Fa%2F1" in fake.requests[0].path
        assert "continuation-token=t" in fake.requests[1].path


def answers_that_are_not_the_object_are_refused(program, _server):
    range_ = {"content-range": "bytes 0-1/9"}
    cases = [
        (Answer(206, b"abc", range_), None, "other"),
        (Answer(206, b"ab", {"content-range": "bytes 1-2/9"}), None, "other"),
        (Answer(206, b"ab"), None, "other"),
        (Answer(200, b"ab"), (0, 2), "unsupported"),
        (Answer(200, b"ab", {"content-type": "text/html"}), None, "other"),
        (Answer(200, b"ab", {"content-encoding": "gzip"}), None, "other"),
        (Answer(202, b"ab"), None, "other"),
        (Answer(404, b"<html/>"), None, "other"),
    ]
    for answer, wanted, kind in cases:
        with Fake(lambda _, answer=answer: answer) as fake:
            with fails(kind, '"a"'):
                program.open({}, fake.environment()).get("a", wanted)
    short = [Answer(200, b"ab", {"content-length": "5"}, breaks=False), Answer(200, b"whole")]
    with Fake(lambda _: short.pop(0)) as fake:
        fake.server.RequestHandlerClass.close_connection = True
        assert program.open({}, fake.environment()).get("a") == b"whole"


def deletes_are_confirmed_key_by_key(program, _server):
    result = "<DeleteResult><Deleted><Key>app/1</Key></Deleted><Error><Key>app/2</Key>" \
        "<Code>AccessDenied</Code><Message>no</Message></Error></DeleteResult>"
    with Fake(lambda _: Answer(200, result.encode())) as fake:
        failures = program.open({}, fake.environment()).delete("1", "2", "3", "../4")
        kinds = {key: error.kind for key, error in failures.items()}
        assert kinds == {"2": "permission-denied", "3": "unavailable", "../4": "invalid"}, kinds
        request = fake.requests[0]
        assert request.path == "/logs?delete=" and "content-md5" in request.headers
    stray = result.replace("app/1", "app/9")
    with Fake(lambda _: Answer(200, stray.encode())) as fake:
        failures = program.open({}, fake.environment()).delete("1", "2")
        assert {error.kind for error in failures.values()} == {"other"} and len(failures) == 2
    passing = result.replace("AccessDenied", "SlowDown")
    bodies = [passing, result.replace("Error>", "Deleted>")]
    with Fake(lambda _: Answer(200, bodies.pop(0).encode())) as fake:
        assert program.open({}, fake.environment()).delete("1", "2") == {}
    with Fake(lambda _: Answer(204)) as fake:
        store = program.open({}, fake.environment(AWS_DISABLE_BULK_DELETE="true"))
        assert store.delete("1", "2") == {}
        paths = sorted(request.path for request in fake.requests)
        assert paths == ["/logs/app/1", "/logs/app/2"], paths
        assert "transfer-encoding" not in fake.requests[0].headers


HELPERS = [Server]
PROPERTIES = [
    held for held in list(globals().values())
    if callable(held) and getattr(held, "__module__", None) == __name__ and held not in HELPERS
]
