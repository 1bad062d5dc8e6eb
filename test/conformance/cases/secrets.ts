/** A secret stays where it belongs: in the settings and on the wire. */
import assert from "node:assert/strict";
import { inspect } from "node:util";
import { AdapterBench } from "../adapter-bench.ts";
import { calledByClients, type ConformanceCase } from "../conformance-case.ts";
import type { EmulatedPlatform, PlatformFault } from "../emulated-platform.ts";
import { FakeClock } from "../fake-clock.ts";
import { formsOf } from "../../support/secret-forms.ts";

const faults: readonly PlatformFault[] = [
  { kind: "bad_credentials" },
  { kind: "server_error", status: 500, times: 1_000 },
  { kind: "drop", times: 1_000 },
  { kind: "rate_limit", retryAfterSeconds: 100, times: 1_000 },
  { kind: "hang" },
];

/** In nothing that is emitted, stored or logged while all is well. */
export async function keepsItsSecretsWhileAllIsWell(platform: EmulatedPlatform): Promise<void> {
  await using bench = await AdapterBench.start(platform);
  const heard = await bench.hear("tell me your secret");
  if (platform.traits.attachments !== "none") {
    const bytes = Buffer.from("secret?");
    await platform.say({ text: "a file", attachments: [{ filename: "a.txt", mimeType: "text/plain", bytes }] });
    await bench.ledger.acceptedText("a file");
  }
  await bench.answer(heard, "no");
  await bench.shown(({ text }) => text === "no", "the answer");
  await bench.stop();
  assertKept(bench);
}

/** In no error either, of a start that fails in each way. */
export async function keepsItsSecretsWhenAStartFails(platform: EmulatedPlatform): Promise<void> {
  await using clock = new FakeClock();
  for (const fault of faults) {
    platform.setFault("connect", fault);
    await using bench = new AdapterBench(platform);
    await clock.outcomeOf(bench.start(), 30, "the end of start").catch(() => {
      // That it settles in time is another case's matter.
    });
    await bench.stop();
    platform.liftFault("connect");
    assertKept(bench);
  }
}

/** Nor of a send. */
export async function keepsItsSecretsWhenASendFails(platform: EmulatedPlatform): Promise<void> {
  await using clock = new FakeClock();
  for (const fault of faults) {
    await using bench = await AdapterBench.start(platform);
    const heard = await bench.hear(`before ${fault.kind}`);
    platform.setFault("send", fault);
    await clock.outcomeOf(bench.answer(heard, "hello"), 90, "the end of a send").catch(() => {
      // As above.
    });
    platform.liftFault("send");
    await bench.stop();
    assertKept(bench);
  }
}

/** Looks for every secret in every form, in all that the adapter said to the gateway. */
function assertKept({ platform, ledger }: AdapterBench): void {
  const sinks: Readonly<Record<string, string>> = {
    "an error": ledger.errors.map((reason) => inspect(reason, { depth: 8, showHidden: true })).join("\n"),
    "an error's message": ledger.errors.map((reason) => `${String(reason)} ${JSON.stringify(reason)}`).join("\n"),
    "the log": JSON.stringify(ledger.log.items),
    "a reason to reconnect or end": JSON.stringify(ledger.signs.items),
    "a message": JSON.stringify(ledger.emitted.items),
    "the resume state": JSON.stringify(ledger.resumeState) ?? "",
  };
  for (const secret of platform.secrets)
    for (const form of formsOf(secret))
      for (const [where, text] of Object.entries(sinks)) {
        const at = text.indexOf(form);
        assert.equal(at, -1, `${where} holds a secret: …${text.slice(Math.max(0, at - 100), at + form.length)}`);
      }
}

/** See each. */
export const secretCases: readonly ConformanceCase[] = [
  { title: "keeps its secrets while all is well", run: keepsItsSecretsWhileAllIsWell },
  {
    title: "keeps its secrets when a start fails",
    setsClock: true,
    unless: calledByClients,
    run: keepsItsSecretsWhenAStartFails,
  },
  {
    title: "keeps its secrets when a send fails",
    setsClock: true,
    unless: calledByClients,
    run: keepsItsSecretsWhenASendFails,
  },
];
