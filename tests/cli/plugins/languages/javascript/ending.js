// Ends with code 3 where the log `code` is granted, else with an error that nobody catches.

import { Log } from "stratalog:log/append-log@0.1.0";
import { exitWithCode } from "wasi:cli/exit@0.2.12";

export const run = {
  run() {
    Log.open("code", {});
    exitWithCode(3);
  },
};
