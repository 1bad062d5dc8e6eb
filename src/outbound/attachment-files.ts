/**
 * Files on their way from an adapter's thread to a handler's. They go over the disk, not over the coordinator: its loop
 * must not carry them. Whoever asked removes its file; what is left behind is swept.
 */
import { randomUUID } from "node:crypto";
import { mkdir, readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { GatewayError } from "../contract/errors.ts";
import type { Logger } from "../support/logger.ts";
import { every } from "../support/time.ts";
import type { OutboundAdapters } from "./outbound-adapters.ts";

/** The default and the most, bytes. */
const mostBytes = 26_214_400;
const mostAtOnce = 32;
const fetchDeadlineMs = 60_000;
const sweepPeriodMs = 60_000;
/** Reading a file that is there takes far less. */
const longestAgeMs = 300_000;

/** The directory they pass through. */
export class AttachmentFiles implements AsyncDisposable {
  readonly #directory: string;
  readonly #adapters: Pick<OutboundAdapters, "call">;
  readonly #logger: Logger;
  readonly #sweeper: Disposable;
  #underWay = 0;

  /** Makes `attachments` in the state directory anew: what an earlier run left there is nobody's. */
  static async open(
    stateDirectory: string,
    parts: { readonly adapters: Pick<OutboundAdapters, "call">; readonly logger: Logger },
  ): Promise<AttachmentFiles> {
    const directory = join(stateDirectory, "attachments");
    await rm(directory, { recursive: true, force: true });
    await mkdir(directory, { mode: 0o700 });
    return new AttachmentFiles(directory, parts);
  }

  private constructor(
    directory: string,
    { adapters, logger }: { readonly adapters: Pick<OutboundAdapters, "call">; readonly logger: Logger },
  ) {
    this.#directory = directory;
    this.#adapters = adapters;
    this.#logger = logger;
    this.#sweeper = every(
      sweepPeriodMs,
      () => void this.#sweep(),
      (reason) => this.#onSweepFailed(reason),
    );
  }

  /**
   * Has adapter `key` write what `ref` names to a file of its own.
   * @throws {GatewayError} `queue_full` with 32 under way; `too_large`, `not_found`, … as the adapter says.
   */
  async fetch(request: {
    readonly key: string;
    readonly ref: string;
    readonly maxBytes: number | null;
  }): Promise<{ readonly path: string }> {
    if (this.#underWay >= mostAtOnce)
      throw new GatewayError("queue_full", `Cannot fetch the attachment: ${mostAtOnce} are being fetched`);
    const path = join(this.#directory, randomUUID());
    const maxBytes = Math.min(request.maxBytes ?? mostBytes, mostBytes);
    this.#underWay += 1;
    try {
      const args = { ref: request.ref, path, maxBytes };
      await this.#adapters.call(request.key, "attachment", args, { deadlineMs: fetchDeadlineMs });
      return { path };
    } catch (reason) {
      await rm(path, { force: true });
      throw GatewayError.from(reason);
    } finally {
      this.#underWay -= 1;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#sweeper[Symbol.dispose]();
    await rm(this.#directory, { recursive: true, force: true });
  }

  async #sweep(): Promise<void> {
    try {
      for (const name of await readdir(this.#directory)) {
        const path = join(this.#directory, name);
        const found = await stat(path).catch(() => null);
        if (found !== null && Date.now() - found.mtimeMs > longestAgeMs) await rm(path, { force: true });
      }
    } catch (reason) {
      this.#onSweepFailed(reason);
    }
  }

  #onSweepFailed(reason: unknown): void {
    this.#logger.warn("attachments-not-swept", { error: String(reason) });
  }
}
