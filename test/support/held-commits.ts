/**
 * Loaded into the coordinator by `--import`. In the journal's thread, the next commit of the kind that a file names stands
 * still for ever, just before it is on disk or just after, and says so in the log as {@link heldEvent}.
 */
import { readFileSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { StatementSync } from "node:sqlite";
import { isMainThread } from "node:worker_threads";
import type { GatewayHome } from "./gateway-fixture.ts";

/** The commit that stands still: of messages that come in, or of a handler's reply and ack. */
export type HeldCommit = { readonly of: "accepts" | "outcomes"; readonly moment: "before" | "after" };

/** The log line of a commit that stands still. */
export const heldEvent = "test-commit-held";

const pathVariable = "BULKHEAD_TEST_HELD_COMMIT";
const statementOf = { accepts: "INSERT INTO messages", outcomes: "INSERT INTO done" } as const;

/** The environment that loads this file into a gateway of `home`. */
export function heldCommitEnvironment(home: GatewayHome): NodeJS.ProcessEnv {
  return { NODE_OPTIONS: `--import ${import.meta.url}`, [pathVariable]: join(home.dir, "held-commit") };
}

/** Has the next such commit stand still; `null`: none, also in the gateways to come. */
export function holdCommit(home: GatewayHome, held: HeldCommit | null): void {
  writeFileSync(join(home.dir, "held-commit"), JSON.stringify(held));
}

const path = process.env[pathVariable];
if (!isMainThread && path !== undefined) holdCommitsAt(path);

function holdCommitsAt(orderPath: string): void {
  const run = Reflect.get(StatementSync.prototype, "run");
  const written = new Set<string>();
  StatementSync.prototype.run = function (this: StatementSync, ...parameters: Parameters<StatementSync["run"]>) {
    const sql = this.sourceSQL;
    const held = sql === "COMMIT" ? (JSON.parse(readFileSync(orderPath, "utf8")) as HeldCommit | null) : null;
    const isHeld = held !== null && [...written].some((each) => each.startsWith(statementOf[held.of]));
    if (sql === "COMMIT") written.clear();
    else written.add(sql);
    if (isHeld && held.moment === "before") standStill();
    const result: unknown = Reflect.apply(run, this, parameters);
    if (isHeld) standStill();
    return result;
  } as StatementSync["run"];
}

function standStill(): void {
  writeSync(1, `${JSON.stringify({ event: heldEvent })}\n`);
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
}
