#!/usr/bin/env python3
"""Measures the processor time of one event, appended by a process of its own.

    tests/warm_start.py [RUNS] [PROGRAM...]

The cache holds the compiled component. Each run starts every program once, and
`PROGRAM --version` next to it. Prints the median of user and system time.
"""

import os
import resource
import statistics
import subprocess
import sys
import tempfile


def usage(command, stdin=b""):
    """Returns milliseconds of processor time and page faults of a command."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, input=stdin, check=True, stderr=subprocess.DEVNULL,
                   stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    time = (after.ru_utime + after.ru_stime) - (before.ru_utime + before.ru_stime)
    return 1000 * time, after.ru_minflt - before.ru_minflt


def main():
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 30
    programs = sys.argv[2:] or ["target/release/stratalog"]
    with tempfile.TemporaryDirectory() as folder:
        def append(program, number):
            log, cache = os.path.join(folder, f"log-{number}"), os.path.join(folder, "cache")
            return usage([program, "append", "--cache-dir", cache, log], b'{"one":1}\n')

        for program in programs:
            append(program, "first")
        found = {}
        for number in range(runs):
            for at, program in enumerate(programs):
                append_key, start_key = (program, "append"), (program, "--version")
                found.setdefault(append_key, []).append(append(program, f"{at}-{number}"))
                found.setdefault(start_key, []).append(usage([program, "--version"]))
    load = os.getloadavg()[0]
    print(f"{runs} runs, load {load:.2f}")
    for (program, what), values in found.items():
        times, faults = zip(*values)
        print(f"{program} {what}: {statistics.median(times):.2f} ms "
              f"({min(times):.2f} to {max(times):.2f}), {statistics.median(faults):.0f} page faults")


if __name__ == "__main__":
    main()
