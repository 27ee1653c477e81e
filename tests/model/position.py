"""The place of a reader, as text that any reader can resume from.

POSITION[,LIVE]…: the position of the next event that has one; then what was yielded while it was
live and has no position before that:

- of unnumbered batches, each one, with +N if only its first N events were yielded;
- of each writer of numbered batches one entry TIME_WRITER_NUMBER_EVENTS[+N]: its batches up to this
  number were yielded, of the last one only the first N events if N is given, EVENTS in all. The
  entry goes when that batch, or a later one, is passed by its position.
"""
from names import identity_of, parse
from rules import broken


class Entry:
    """The newest yielded live batch of a writer."""

    def __init__(self, time, writer, number, events, partial):
        self.time, self.writer, self.number = time, writer, number
        self.events, self.partial = events, partial


class Position:
    def __init__(self):
        self.next, self.yielded, self.writers = 0, {}, {}

    def encode(self):
        fields = ["%d" % self.next]
        for name in sorted(self.yielded):
            partly = self.yielded[name] < parse(name).events
            fields.append(name[6:] + ("+%d" % self.yielded[name] if partly else ""))
        for entry in self.writers.values():
            text = "%06d_%03d_%d_%d" % (entry.time, entry.writer, entry.number, entry.events)
            fields.append(text + ("" if entry.partial is None else "+%d" % entry.partial))
        return ",".join(fields)

    @classmethod
    def decode(cls, text):
        position, (next, *fields) = cls(), text.split(",")
        position.next = int(next)
        for field in fields:
            stem, _, partial = field.partition("+")
            values = [int(value) for value in stem.split("_")]
            if len(values) == 3:
                position.yielded["batch_" + stem] = int(partial) if partial else values[2]
            else:
                position.writers[values[1]] = Entry(*values, int(partial) if partial else None)
        return position

    def known(self, name):
        """The number of events of the batch that were yielded while it was live."""
        batch = parse(name)
        if batch.number is None:
            return 0 if broken("forget-seen") else self.yielded.get(name, 0)
        entry = self.writers.get(batch.writer)
        if entry is None or batch.number > entry.number or broken("forget-seen"):
            return 0
        if batch.number == entry.number and entry.partial is not None:
            return 0 if broken("forget-partly-yielded") else entry.partial
        return batch.events

    def yield_live(self, name, upto):
        """Records that the first events of a live batch, up to this one, are yielded."""
        batch = parse(name)
        if batch.number is None:
            self.yielded[name] = upto
            return
        entry, partial = self.writers.get(batch.writer), upto if upto < batch.events else None
        if entry is None:
            entry = Entry(batch.time, batch.writer, batch.number, upto, partial)
            self.writers[batch.writer] = entry
            return
        entry.events += upto - self.known(name)
        entry.time, entry.number, entry.partial = batch.time, batch.number, partial

    def pass_batch(self, name, start, end):
        """Moves to the end of a batch whose first event, trimmed or not, has the position `start`,
        or into the batch."""
        batch, known = parse(name), self.known(name)
        self.yielded.pop(name, None)
        entry = self.writers.get(batch.writer)
        if batch.number is not None and entry:
            entry.events -= after(start, known, self.next)
            if batch.number >= entry.number and not broken("keep-passed-writer"):
                del self.writers[batch.writer]
        self.next = end

    def overtaken(self, first, segments, live):
        """Moves to the first event that was not trimmed. Returns the number of missed events, not
        counting those that were yielded while they were live. `segments` are those of the manifest,
        trimmed ones too, with their indexes; `live` are the listed live batches."""
        places = {identity_of(name): (name, None) for name in live}
        for segment, index in segments:
            for name, offset, _, trimmed, _ in index:
                places[identity_of(name)] = name, segment["pos"] + offset - trimmed
        seen, kept, left = 0, {}, dict.fromkeys(self.writers, 0)
        gone = dict(self.yielded)
        for name, start in places.values():
            events, batch = self.known(name), parse(name)
            gone.pop(name, None)
            # Of the events that were yielded: those that had not been passed, and those still left.
            was = events if start is None else after(start, events, self.next)
            rest = events if start is None else after(start, events, first)
            if batch.number is None:
                seen += was - rest
                kept.update({name: events} if rest else {})
            elif events:
                left[batch.writer] += rest
        seen += sum(gone.values())
        self.yielded = kept
        for writer, entry in list(self.writers.items()):
            # What is neither live nor after the first event was trimmed, whatever it was.
            seen += 0 if broken("miscount-yielded") else entry.events - left[writer]
            entry.events = left[writer]
            if not left[writer]:
                del self.writers[writer]
        # A batch that was yielded and then lost without a position is in the sums of its writer.
        missed = max(0, first - self.next - seen)
        self.next = first
        return missed


def after(start, events, position):
    """The number of events that begin at `start` and that a position has not passed."""
    return max(0, start + events - max(start, position))
