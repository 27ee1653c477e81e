"""A fake in memory of the part of Google Cloud Storage's XML interface that object_store uses.

    fake_gcs.py BUCKET...        prints its port on 127.0.0.1, which the system chooses, when ready

Strict about preconditions (x-goog-if-generation-match). Generations are unique and increasing, and
all state changes happen under one lock. Ends when its standard input does. The caller holds the
other end of that pipe, so the server ends with the caller in every case. Not compared with Google
itself.
"""

import hashlib
import os
import sys
import threading
import time
from email.utils import formatdate, parsedate_to_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape

LOCK = threading.Lock()
BUCKETS, UPLOADS = {}, {}
GEN = [int(time.time() * 1e6)]
ATTR = ("content-type", "cache-control", "content-disposition", "content-encoding", "content-language")
PAGE = 1000


class Obj:
    def __init__(self, data, headers):
        GEN[0] += 1
        self.data, self.generation, self.mtime = data, GEN[0], time.time()
        self.etag = '"%s"' % hashlib.md5(data).hexdigest()
        self.headers = {k: v for k, v in headers.items() if k in ATTR or k.startswith("x-goog-meta-")}


class H(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def log_message(self, *a):
        pass

    def reply(self, code, body=b"", headers=None, length=None):
        if isinstance(body, str):
            body = body.encode()
        self.send_response(code)
        for k, v in (headers or {}).items():
            self.send_header(k, v)
        if code not in (204, 304):
            self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def err(self, code, name):
        self.reply(code, f"<?xml version='1.0' encoding='UTF-8'?><Error><Code>{name}</Code><Message>{name}</Message></Error>",
                   {"Content-Type": "application/xml"})

    def parse(self):
        u = urlsplit(self.path)
        bucket, _, key = u.path.lstrip("/").partition("/")
        self.q = {k: v[0] for k, v in parse_qs(u.query, keep_blank_values=True).items()}
        self.h = {k.lower(): v for k, v in self.headers.items()}
        n = int(self.h.get("content-length") or 0)
        self.body = self.rfile.read(n) if n else b""
        self.bname, self.key = unquote(bucket), unquote(key)
        if not self.h.get("authorization", "").startswith("Bearer ") and self.command in ("PUT", "POST", "DELETE"):
            self.err(401, "AuthenticationRequired")
            return None
        b = BUCKETS.get(self.bname)
        if b is None:
            self.err(404, "NoSuchBucket")
        return b

    def precondition(self, b):
        want = self.h.get("x-goog-if-generation-match")
        cur = b.get(self.key)
        return want is None or want == str(cur.generation if cur else 0)

    def do_PUT(self):
        b = self.parse()
        if b is None:
            return
        if "uploadId" in self.q:
            with LOCK:
                up = UPLOADS.get(self.q["uploadId"])
                if up is None:
                    return self.err(404, "NoSuchUpload")
                tag = '"%s"' % hashlib.md5(self.body).hexdigest()
                up["parts"][int(self.q["partNumber"])] = (tag, self.body)
            return self.reply(200, headers={"ETag": tag})
        src = self.h.get("x-goog-copy-source")
        with LOCK:
            data, headers = self.body, self.h
            if src is not None:
                sb, _, sk = src.lstrip("/").partition("/")
                o = BUCKETS.get(unquote(sb), {}).get(unquote(sk))
                if o is None:
                    return self.err(404, "NoSuchKey")
                data, headers = o.data, o.headers
            if not self.precondition(b):
                return self.err(412, "PreconditionFailed")
            o = b[self.key] = Obj(data, headers)
        self.reply(200, headers={"ETag": o.etag, "x-goog-generation": str(o.generation), "x-goog-metageneration": "1"})

    def do_POST(self):
        b = self.parse()
        if b is None:
            return
        if "uploads" in self.q:
            with LOCK:
                GEN[0] += 1
                uid = f"up{GEN[0]}"
                UPLOADS[uid] = {"key": self.key, "headers": self.h, "parts": {}}
            return self.reply(200, f"<InitiateMultipartUploadResult><Bucket>{escape(self.bname)}</Bucket><Key>{escape(self.key)}</Key>"
                                   f"<UploadId>{uid}</UploadId></InitiateMultipartUploadResult>", {"Content-Type": "application/xml"})
        if "uploadId" in self.q:
            want = [(int(p.findtext("{*}PartNumber")), p.findtext("{*}ETag")) for p in ET.fromstring(self.body).iter() if p.tag.endswith("Part")]
            with LOCK:
                up = UPLOADS.get(self.q["uploadId"])
                if up is None:
                    return self.err(404, "NoSuchUpload")
                if not want or any(n not in up["parts"] or up["parts"][n][0].strip('"') != (t or "").strip('"') for n, t in want):
                    return self.err(400, "InvalidPart")
                if any(len(up["parts"][n][1]) < 5 << 20 for n, _ in want[:-1]):
                    return self.err(400, "EntityTooSmall")
                if not self.precondition(b):
                    return self.err(412, "PreconditionFailed")
                o = b[self.key] = Obj(b"".join(up["parts"][n][1] for n, _ in want), up["headers"])
                o.etag = '"%s-%d"' % (o.etag.strip('"'), len(want))
                del UPLOADS[self.q["uploadId"]]
            return self.reply(200, f"<CompleteMultipartUploadResult><Bucket>{escape(self.bname)}</Bucket><Key>{escape(self.key)}</Key>"
                                   f"<ETag>{escape(o.etag)}</ETag></CompleteMultipartUploadResult>",
                              {"Content-Type": "application/xml", "x-goog-generation": str(o.generation)})
        self.err(501, "NotImplemented")

    def do_DELETE(self):
        b = self.parse()
        if b is None:
            return
        with LOCK:
            if "uploadId" in self.q:
                gone = UPLOADS.pop(self.q["uploadId"], None) is None
            elif not self.precondition(b):
                return self.err(412, "PreconditionFailed")
            else:
                gone = b.pop(self.key, None) is None
        self.err(404, "NoSuchKey") if gone else self.reply(204)

    def do_GET(self):
        b = self.parse()
        if b is None:
            return
        if not self.key:
            return self.list(b)
        with LOCK:
            o = b.get(self.key)
        if o is None or self.q.get("generation", str(o.generation)) != str(o.generation):
            return self.err(404, "NoSuchKey")
        head = {"ETag": o.etag, "x-goog-generation": str(o.generation), "Last-Modified": formatdate(o.mtime, usegmt=True),
                "Accept-Ranges": "bytes", **o.headers}
        im, inm = self.h.get("if-match"), self.h.get("if-none-match")
        if im and im != "*" and o.etag not in [x.strip() for x in im.split(",")]:
            return self.err(412, "PreconditionFailed")
        if inm and (inm == "*" or o.etag in [x.strip() for x in inm.split(",")]):
            return self.reply(304, headers={"ETag": o.etag})
        ims, ius = self.h.get("if-modified-since"), self.h.get("if-unmodified-since")
        if ims and not inm and int(o.mtime) <= parsedate_to_datetime(ims).timestamp():
            return self.reply(304, headers={"ETag": o.etag})
        if ius and not im and int(o.mtime) > parsedate_to_datetime(ius).timestamp():
            return self.err(412, "PreconditionFailed")
        data, code, r = o.data, 200, self.h.get("range", "")
        if r.startswith("bytes="):
            a, _, z = r[6:].partition("-")
            n = len(data)
            lo, hi = (max(0, n - int(z)), n) if a == "" else (int(a), min(n, int(z) + 1) if z else n)
            if lo >= n:
                return self.reply(416, headers={"Content-Range": f"bytes */{n}"})
            data, code = data[lo:hi], 206
            head["Content-Range"] = f"bytes {lo}-{hi - 1}/{n}"
        self.reply(code, data, head)

    do_HEAD = do_GET

    def list(self, b):
        prefix, delim = self.q.get("prefix", ""), self.q.get("delimiter", "")
        after = max(self.q.get("continuation-token", ""), self.q.get("start-after", ""))
        limit = min(int(self.q.get("max-keys") or PAGE), PAGE)
        with LOCK:
            found = [k for k in b if k.startswith(prefix) and k > after]
            items = [(k, b[k]) for k in sorted(found)]
        out, seen, last, truncated = [], set(), "", False
        for k, o in items:
            i = k.find(delim, len(prefix)) if delim else -1
            p = k[: i + len(delim)] if i >= 0 else None
            if p is not None and (p in seen or p <= after):
                if p in seen:
                    last = k
                continue
            if len(out) == limit:
                truncated = True
                break
            if p is not None:
                seen.add(p)
                out.append(f"<CommonPrefixes><Prefix>{escape(p)}</Prefix></CommonPrefixes>")
            else:
                t = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(o.mtime)) + ".%03dZ" % (o.mtime % 1 * 1000)
                out.append(f"<Contents><Key>{escape(k)}</Key><Generation>{o.generation}</Generation><LastModified>{t}</LastModified>"
                           f"<ETag>{escape(o.etag)}</ETag><Size>{len(o.data)}</Size></Contents>")
            last = k
        nxt = f"<NextContinuationToken>{escape(last)}</NextContinuationToken>" if truncated else ""
        self.reply(200, f"<?xml version='1.0' encoding='UTF-8'?><ListBucketResult><Name>{escape(self.bname)}</Name><Prefix>{escape(prefix)}</Prefix>"
                        f"<IsTruncated>{str(truncated).lower()}</IsTruncated>{nxt}{''.join(out)}</ListBucketResult>", {"Content-Type": "application/xml"})


class S(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


def end_with_stdin():
    while os.read(0, 4096):
        pass
    os._exit(0)


threading.Thread(target=end_with_stdin, daemon=True).start()
for name in sys.argv[1:]:
    BUCKETS[name] = {}
server = S(("127.0.0.1", 0), H)
print(server.server_address[1], flush=True)
server.serve_forever()
