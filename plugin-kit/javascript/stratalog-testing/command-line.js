// The interfaces of `wasi:cli` that a command has: arguments, an empty environment, and streams
// whose texts a test reads. A world begins with new ones.

// The arguments without the name of the command, and what was printed.
export const command = { args: [], stdout: "", stderr: "" };

export function reset() {
  Object.assign(command, { args: [], stdout: "", stderr: "" });
}

export const getArguments = () => ["plugin", ...command.args];
export const getEnvironment = () => [];
export const initialCwd = () => undefined;
export const getStdout = () => new OutputStream("stdout");
export const getStderr = () => new OutputStream("stderr");

// Ends the plugin, as an exit of a process does: the test catches this.
export class Exit extends Error {
  constructor(code) {
    super(`the plugin has ended with the exit code ${code}`);
    this.name = "Exit";
    this.code = code;
  }
}

export function exit({ tag }) {
  throw new Exit(tag === "ok" ? 0 : 1);
}

export function exitWithCode(code) {
  throw new Exit(code);
}

class OutputStream {
  #name;
  #decoder = new TextDecoder();
  constructor(name) {
    this.#name = name;
  }

  checkWrite() {
    return 4096n;
  }

  write(bytes) {
    command[this.#name] += this.#decoder.decode(bytes, { stream: true });
  }

  blockingWriteAndFlush(bytes) {
    this.write(bytes);
  }

  flush() {}
  blockingFlush() {}
}
