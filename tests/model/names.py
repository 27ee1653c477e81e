"""The names of objects, and what they say.

An unnumbered batch is batch_TIME_WRITER_EVENTS. A numbered batch is
batch_TIME_WRITER_NUMBER_GAP_WAITING_EVENTS:

- NUMBER counts the batches of its writer from 0;
- GAP is the time since the batch before it, 0 for the first: the two name the predecessor;
- WAITING says how many numbers below this one the first batch of its writer is that the store had
  not confirmed when this create was started. A retry updates it, so it is not part of the identity.
"""
import functools
from collections import namedtuple

from rules import KEPT

Batch = namedtuple("Batch", "time writer number before waiting events identity")


@functools.lru_cache(100000)
def parse(name):
    fields = [int(field) for field in name.split("_")[1:]]
    if len(fields) == 3:
        time, writer, events = fields
        return Batch(time, writer, None, None, 0, events, name)
    time, writer, number, gap, waiting, events = fields
    return Batch(time, writer, number, time - gap, waiting, events, (writer, number))


def batch_name(time, writer, events):
    return "batch_%06d_%03d_%d" % (time, writer, len(events))


def numbered_name(time, writer, number, before, waiting, events):
    gap = time - before if number else 0
    return "batch_%06d_%03d_%d_%d_%d_%d" % (time, writer, number, gap, waiting, len(events))


def time_of(name):
    return parse(name).time


def writer_of(name):
    return parse(name).writer


def identity_of(name):
    return parse(name).identity


def predecessor_of(name):
    """The identity of the batch before a numbered one. None for the first, and for others."""
    batch = parse(name)
    return (batch.writer, batch.number - 1) if batch.number else None


def generation_of(key):
    return int(key.split("_")[1])


def manifests_of(keys):
    return [key for key in keys if key.startswith("manifest_")]


def marker_of(generation):
    """The marker of a generation's group, made before any manifest of the group is deleted."""
    return "generation_%06d" % (-(-generation // KEPT) * KEPT)
