"""Runs the program next to this file in the test kit, without pytest."""

from stratalog_testing import World

import own

world = World()
for label in ("journal", "other"):
    world.grant(label)
own.check()
