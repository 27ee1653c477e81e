#!/usr/bin/env python3
"""Checks a store adapter of a bucket by calling it, on an S3 server and on a scripted one.

    tests/adapters/run_bucket.py ADAPTER.wasm [NAME...]

AWS_ENDPOINT is the URL of the server, such as moto or radosgw. AWS_ACCESS_KEY_ID and
AWS_SECRET_ACCESS_KEY are a user of it. A bucket is created there. NAME selects properties. Ends
with 1 if any does not hold.
"""

import os
import sys

import bucket
import contract
from adapter import Program
from run import check


def main():
    path, *names = sys.argv[1:]
    program, server = Program(path), bucket.Server(os.environ["AWS_ENDPOINT"])
    server.make_bucket()

    def call(held, _):
        if held in contract.PROPERTIES:
            held(program.open({}, server.environment()))
        else:
            held(program, server)

    return check(contract.PROPERTIES + bucket.PROPERTIES, names, call)


if __name__ == "__main__":
    sys.exit(main())
