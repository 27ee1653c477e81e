// Gathers the WIT of plugins and of the log in one folder: componentize-js takes no more.

import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

/** Calls `use` with the path of the folder, and removes the folder afterwards. */
export async function withWit(use) {
  const folder = await mkdtemp(join(tmpdir(), "stratalog-wit-"));
  try {
    await cp(here("../../plugin-kit/wit"), folder, { recursive: true });
    await cp(here("../../wit"), join(folder, "deps/log"), { recursive: true });
    await cp(here("../../wit/deps"), join(folder, "deps"), { recursive: true });
    return await use(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}
