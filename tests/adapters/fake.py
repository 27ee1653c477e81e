"""A server with scripted answers, on loopback."""

import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Request:
    """A request that the server got."""

    def __init__(self, handler, body):
        self.method, self.path, self.body = handler.command, handler.path, body
        self.headers = {name.lower(): value for name, value in handler.headers.items()}


class Answer:
    """An answer: status, body and headers; or a connection that breaks off."""

    def __init__(self, status, body=b"", headers=None, delay=0, breaks=False):
        self.status, self.body, self.headers = status, body, headers or {}
        self.delay, self.breaks = delay, breaks


def error(status, code):
    """Makes an error of S3."""
    body = f"<Error><Code>{code}</Code><Message>so it is</Message></Error>".encode()
    return Answer(status, body, {"content-type": "application/xml"})


class Fake:
    """A server that answers each request by a function, and records the requests."""

    def __init__(self, answer):
        fake = self
        self.requests, self.now, self.most = [], 0, 0
        lock = threading.Lock()

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def serve(self):
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                request = Request(self, body)
                with lock:
                    fake.requests.append(request)
                    fake.now += 1
                    fake.most = max(fake.most, fake.now)
                made = answer(request)
                time.sleep(made.delay)
                with lock:
                    fake.now -= 1
                if made.breaks:
                    self.close_connection = True
                    return
                self.send_response(made.status)
                for name, value in made.headers.items():
                    self.send_header(name, value)
                if "content-length" not in made.headers and made.status != 204:
                    self.send_header("content-length", str(len(made.body)))
                self.end_headers()
                if self.command != "HEAD":
                    try:
                        self.wfile.write(made.body)
                    except BrokenPipeError:
                        pass  # The store has given up.

            do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = serve

            def log_message(self, *_):
                pass

        class Server(ThreadingHTTPServer):
            request_queue_size = 64

        self.server = Server(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def environment(self, **more):
        """Returns the settings of a store on this server."""
        return {
            "STRATALOG_ROOT": "s3://logs/app", "AWS_ENDPOINT": f"http://127.0.0.1:{self.port}",
            "AWS_ALLOW_HTTP": "true", "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
            "AWS_SECRET_ACCESS_KEY": "sEcReTsEcReT", "STRATALOG_RETRY_TIMEOUT": "30", **more,
        }

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
