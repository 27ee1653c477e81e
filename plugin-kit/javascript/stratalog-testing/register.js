// Makes the imports of a plugin lead to this folder: node --import ./stratalog-testing/register.js

import * as module from "node:module";

import { resolve } from "./hooks.js";

// Node 20 has only the function that runs the hooks on a thread of their own.
if (module.registerHooks) module.registerHooks({ resolve });
else module.register("./hooks.js", import.meta.url);
