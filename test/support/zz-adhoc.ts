import { hostFixture } from "./host-fixture.ts";
import { adapterSpec } from "./adapter-spec.ts";
import { MemoryStore } from "./supervision-rig.ts";
import { silentLogger } from "./silent-logger.ts";
import { AdapterFleet } from "../../src/supervise/fleet.ts";
const { pool } = hostFixture();
const moduleUrl = new URL("./fault-adapter.ts", import.meta.url).href;
let n = 0; const t0 = Date.now();
const fleet = await AdapterFleet.start({ hosts: pool, store: new MemoryStore(), logger: silentLogger, generations: { next: () => ++n },
  onFrame: () => {}, onChange: (key, e) => console.log(((Date.now()-t0)/1000).toFixed(2), key, e.generation, e.state, e.reason, e.message ?? "") });
const supervisor = { hangAfterMs: 2000, stopTimeoutMs: 1000, killTimeoutMs: 1500, startTimeoutMs: 8000 };
const keys = (process.argv[2] ?? "a,b").split(",");
for (const key of keys) fleet.apply(adapterSpec({ key, moduleUrl, supervisor }), 1);
const sleep = (ms: number) => new Promise((r) => setTimeout(r, ms));
await sleep(2500);
const signal = new AbortController().signal;
const provoke = (key: string, cmd: unknown) => fleet.call(key, "send", { conversation: "c", response: { kind: "text", text: JSON.stringify(cmd) }, idempotencyKey: "k" }, { deadlineMs: 3000, signal }).then((v) => console.log("answer", v), (e) => console.log("rejected", e.code, e.message));
for (const cmd of JSON.parse(process.argv[3] ?? "[]")) { console.log("--", JSON.stringify(cmd)); void provoke(keys[0]!, cmd); await sleep(Number(process.argv[4] ?? 6000)); }
console.log(JSON.stringify(fleet.statuses().map(({ key, state, generation, restartsByReason, cpu, host }) => ({ key, state, generation, restartsByReason, cpu, host }))));
console.log("left", await fleet.shutdown(5000));
await pool[Symbol.asyncDispose]();
