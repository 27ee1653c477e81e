"""Runs a server that prints its address, prints its port, and ends it with standard input.

    serve_program.py PATTERN COMMAND...

PATTERN finds the port, as its first group, in a line that the command prints. The caller holds the
other end of standard input, so the server ends with the caller in every case.
"""

import os
import re
import subprocess
import sys
import threading

pattern, command = re.compile(sys.argv[1]), sys.argv[2:]
server = subprocess.Popen(
    command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
)


def end_with_stdin():
    while os.read(0, 4096):
        pass
    server.kill()
    server.wait()
    os._exit(0)


threading.Thread(target=end_with_stdin, daemon=True).start()
ready = False
for line in server.stdout:
    found = None if ready else pattern.search(line)
    if found:
        ready = True
        print(found.group(1), flush=True)
    elif not ready:
        print(line, end="", file=sys.stderr, flush=True)
os._exit(server.wait() or 1)
