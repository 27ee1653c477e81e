"""Serves moto's in-memory S3 on a loopback port of the system's choice and prints that port.

Ends when its standard input does: the caller holds the other end of that pipe, so the server
goes with it, however the caller ends. The watch begins before the slow imports.
"""

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
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # no line for each request
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    print(server.get_host_and_port()[1], flush=True)
    watch.join()
except BaseException:
    sys.excepthook(*sys.exc_info())
    sys.stderr.flush()
    os._exit(1)
