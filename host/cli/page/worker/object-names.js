// Parses the names of a log's objects, as the page on the format describes them.

const NUMBERED = /^batch_(\d{19})_([0-9a-f]{16})_(\d+)_\d+_\d+_(\d+)_[0-9a-f]{16}\.jsonl$/;
const UNNUMBERED = /^batch_(\d{19})_[0-9a-f]{8}_(\d+)_[0-9a-f]{16}\.jsonl$/;
const LEGACY = /^batch_(\d{19})\.jsonl$/;
const MANIFEST = /^manifest_\d{19}\.json$/;

// Returns a batch by its name; none for a name of another form. `id` is equal for names of one
// batch. `order` sorts as readers do: by time, form, writer and number. Of a legacy batch the name
// has no number of events.
export function batchOf(name) {
  return numbered(name) ?? unnumbered(name) ?? legacy(name);
}

function numbered(name) {
  const found = NUMBERED.exec(name);
  if (found === null) return undefined;
  const [, time, writer, number, events] = found;
  const id = `${writer}_${number}`;
  const order = `${time}2${writer}${number.padStart(20, "0")}`;
  return { ...batch(name, id, time, events, order), writer, number: Number(number) };
}

function unnumbered(name) {
  const found = UNNUMBERED.exec(name);
  return found === null ? undefined : batch(name, name, found[1], found[2], `${found[1]}1${name}`);
}

function legacy(name) {
  const found = LEGACY.exec(name);
  return found === null ? undefined : batch(name, name, found[1], undefined, `${found[1]}0`);
}

function batch(name, id, time, events, order) {
  return { name, id, time: Number(time), events: events && Number(events), order };
}

export function isManifest(name) {
  return MANIFEST.test(name);
}
