/** Tests plugins with `node --test`, against real logs in memory, with faults. */

/** A right on a log. */
export type Right = "append" | "read" | "compact" | "trim" | "commit";

/** Every right. */
export const RIGHTS: readonly Right[];

/** The logs of one plugin, in memory. The newest world is the current one. */
export class World {
  /** Returns the world in which a plugin runs now. */
  static current(): World;

  /**
   * Grants a log under a label. The default is the log of that name, to append and to read. A later
   * grant under a label replaces an earlier one.
   */
  grant(label: string, options?: { rights?: readonly Right[]; log?: string }): void;
  /** Takes a right back from the log under a label. */
  deny(label: string, right: Right): void;
  /** Refuses the next calls, as if the plugin had made too many in a second. */
  limitCalls(count?: number): void;

  /** Fails the next creates. Their objects are not written. */
  failCreates(count?: number): void;
  /** Loses the replies to the next creates. Their objects are written. */
  loseReplies(count?: number): void;
  /** Delays the next create. Its fate is unknown, and its object appears with `deliver`. */
  delayCreate(): void;
  /** Lets the delayed creates land. Returns the number of those that nothing has overtaken. */
  deliver(): number;
  /** Fails the next reads and listings of the plugin. */
  failReads(count?: number): void;
  /** Fails the next deletes. Their objects remain. */
  failDeletes(count?: number): void;
  /** Changes one byte of the newest batch of a log. Returns the name of the object. */
  damage(label: string): string;

  /** The time. Each look of the log at the clock takes a microsecond. */
  readonly now: Date;
  /** Moves the clock on. The host ticks meanwhile, so old buffers are written. */
  advance(milliseconds: number): void;
  /**
   * Ends the plugin: the host flushes and closes the logs that it has left open. Returns the labels
   * of the logs whose events are lost, since that failed.
   */
  end(): string[];
  /** Ends the plugin and its host, without a flush. What the store has stays. */
  crash(): void;

  /**
   * Returns the stored events of a log as texts, as a new reader gets them. It needs no right, and
   * no fault hits it.
   */
  events(label: string): string[];

  /** The arguments of the command, without its name. */
  args: string[];
  /** What the command has printed to stdout. */
  readonly stdout: string;
  /** What the command has printed to stderr. */
  readonly stderr: string;
}
