// Prints what the functions for plugins do, one line each. Runs in a project of `plugin new`.

import { print } from "./command.js";
import { Log, read } from "./stratalog-plugin.js";

const say = (...words) => print(`${words.join(" ")}\n`);
const texts = (events) => [...events].map((event) => event.text).join(" ");

export const run = {
  run() {
    const log = Log.open("journal", { flushThreshold: 2, eventBytesMax: 10 });
    log.append("one");
    say("appended", log.appendLines("two\nthree\n"));
    for (const bad of ["", "a\nb", "01234567890"]) say(errorOf(() => log.append(bad)));
    say("unterminated:", errorOf(() => log.appendLines("four\nfive")));
    say("with pending:", texts(log.read()));
    say("durable", log.flush().events);
    say("closed", log.close().events);

    const events = read("journal");
    events.next();
    const second = events.next().value;
    say("second", second.text, second.time instanceof Date);
    say("behind it", texts(read("journal", { start: events.position() })));
    say("last", texts(read("journal", { last: 1n })));
    say(errorOf(() => texts(read("other"))));
    say(errorOf(() => texts(read("stranger"))));
    say(errorOf(() => read("journal", { name: "billing" }).commit()));
  },
};

function errorOf(call) {
  try {
    call();
  } catch (error) {
    return error.message;
  }
  return "no error";
}
