/** Heap snapshots and CPU profiles of one adapter at a time, as files that are gone once they were fetched. */
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { GatewayError } from "../contract/errors.ts";
import type { Inspection, InspectionRequest } from "../contract/control.ts";
import type { AdapterFleet } from "../supervise/fleet.ts";

const snapshotDeadlineMs = 120_000;
const spareMs = 30_000;

/** Where adapter hosts write them, in the state directory. */
export const inspectionFolder = "inspections";

/** Takes them. */
export class Inspections {
  readonly #directory: string;
  readonly #adapters: Pick<AdapterFleet, "life">;
  #taken = 0;
  #isBusy = false;

  /** Makes the folder anew: what an earlier run left there is nobody's. */
  static async open(stateDir: string, adapters: Pick<AdapterFleet, "life">): Promise<Inspections> {
    const directory = join(stateDir, inspectionFolder);
    await rm(directory, { recursive: true, force: true });
    await mkdir(directory, { mode: 0o700 });
    return new Inspections(directory, adapters);
  }

  private constructor(directory: string, adapters: Pick<AdapterFleet, "life">) {
    this.#directory = directory;
    this.#adapters = adapters;
  }

  /**
   * Resolves with the file, which its caller disposes of.
   * @throws {GatewayError} `conflict` while another one is taken, `not_found`, `adapter_unavailable` without a thread,
   * `timeout` from one that native code blocks.
   */
  async take({ key, kind, seconds }: InspectionRequest): Promise<Inspection> {
    const life = this.#adapters.life(key);
    if (life === null) throw new GatewayError("adapter_unavailable", `Cannot look into ${key}: it has no thread`);
    if (this.#isBusy)
      throw new GatewayError("conflict", `Cannot look into ${key}: another adapter is being looked into`);
    this.#isBusy = true;
    this.#taken += 1;
    const extension = kind === "heapSnapshot" ? "heapsnapshot" : "cpuprofile";
    const path = join(this.#directory, `${this.#taken}.${extension}`);
    const remove = (): Promise<void> => rm(path, { force: true });
    try {
      const deadlineMs = kind === "heapSnapshot" ? snapshotDeadlineMs : seconds * 1000 + spareMs;
      await life.inspect(kind, { path, seconds }, deadlineMs);
      const name = `${key.replaceAll(/[^\w-]/gu, "-")}.${extension}`;
      return { path, name, [Symbol.asyncDispose]: remove };
    } catch (reason) {
      await remove();
      throw reason;
    } finally {
      this.#isBusy = false;
    }
  }
}
