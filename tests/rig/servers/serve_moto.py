"""Serves moto's in-memory S3 on a loopback port of the system's choice and prints that port.

One request runs at a time. moto checks a condition and writes in two steps, so several concurrent
creates of one key could succeed.

Ends when its standard input does. The caller holds the other end of that pipe, so the server ends
with the caller in every case. The watch begins before the slow imports.
"""

import io
import logging
import os
import sys
import threading


def end_with_stdin():
    while os.read(0, 4096):
        pass
    os._exit(0)


watch = threading.Thread(target=end_with_stdin)
watch.start()
try:
    from moto.server import DomainDispatcherApplication, create_backend_app
    from werkzeug.serving import make_server

    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # no line for each request
    moto, lock = DomainDispatcherApplication(create_backend_app), threading.Lock()

    def one_at_a_time(environ, start_response):
        # A slow body must not delay others.
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = io.BytesIO(body)
        with lock:
            answer = moto(environ, start_response)
            try:
                return list(answer)
            finally:
                getattr(answer, "close", lambda: None)()

    server = make_server("127.0.0.1", 0, one_at_a_time, threaded=True)
    print(server.port, flush=True)
    server.serve_forever()
except BaseException:
    sys.excepthook(*sys.exc_info())
    sys.stderr.flush()
    os._exit(1)
