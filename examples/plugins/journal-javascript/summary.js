// Counts events, and formats the counts.

export class Summary {
  lines = 0;
  notUnderstood = 0;
  journalled = 0;
  // The errors in the log, including those of earlier runs.
  logged = 0;
  // The events in the log that another program wrote.
  foreign = 0;
  // The counts by status and path.
  #counts = new Map();

  // Counts the events of a page: bytes, each event ended by LF.
  count(lines) {
    for (const event of new TextDecoder().decode(lines).split("\n").slice(0, -1)) {
      const error = loggedError(event);
      if (!error) {
        this.foreign += 1;
        continue;
      }
      this.logged += 1;
      const key = `${error.status} ${error.path}`;
      const count = this.#counts.get(key)?.count ?? 0;
      this.#counts.set(key, { ...error, count: count + 1 });
    }
  }

  toString() {
    const text = [
      `lines read: ${this.lines}`,
      `lines not understood: ${this.notUnderstood}`,
      `errors journalled: ${this.journalled}`,
      `errors in the log: ${this.logged}`,
    ];
    // The most frequent first, then by path and status.
    const counts = [...this.#counts.values()].sort(
      (a, b) => b.count - a.count || compare(a.path, b.path) || a.status - b.status,
    );
    for (const { count, status, path } of counts) {
      // As JSON, so that a path with any characters stays on its line.
      text.push(`${count} times ${status} ${JSON.stringify(path)}`);
    }
    if (this.foreign > 0) text.push(`events of others in the log: ${this.foreign}`);
    return text.map((line) => line + "\n").join("");
  }
}

// Returns the path and the status of an event of this job.
function loggedError(event) {
  let fields;
  try {
    fields = JSON.parse(event);
  } catch {
    return null;
  }
  const { path, status } = fields ?? {};
  const isError = Number.isInteger(status) && status >= 500 && status <= 599;
  return typeof path === "string" && isError ? { path, status } : null;
}

// Compares by characters, as other languages do; `<` would compare halves of characters.
function compare(a, b) {
  const [left, right] = [[...a], [...b]];
  for (let at = 0; at < Math.min(left.length, right.length); at += 1) {
    const by = left[at].codePointAt(0) - right[at].codePointAt(0);
    if (by !== 0) return by;
  }
  return left.length - right.length;
}
