// Appends each argument to the log `journal` as an event, or prints the events if there is none.

import { texts, print, printError } from "./command.js";
import { Log, read } from "./stratalog-plugin.js";

// The label that the operator grants a log under.
const LABEL = "journal";

export const run = {
  run() {
    try {
      if (texts().length > 0) append(texts());
      else printAll();
    } catch (error) {
      // The reader of the output has read enough.
      if (error.payload?.tag === "closed") return;
      const text = error.payload ? "cannot write the output" : error.message;
      printError(`error: ${text}\n`);
      // The way for a command to report failure.
      throw undefined;
    }
  },
};

function append(texts) {
  const log = Log.open(LABEL);
  for (const text of texts) log.appendJson({ text });
  const written = log.close();
  print(`stored events: ${written.events}\n`);
}

function printAll() {
  for (const event of read(LABEL)) print(`${event.text}\n`);
}
