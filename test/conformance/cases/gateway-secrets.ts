/** The platform's secrets, looked for in everything that a gateway writes or says. */
import assert from "node:assert/strict";
import { join } from "node:path";
import type { ConformanceCase } from "../conformance-case.ts";
import type { EmulatedPlatform } from "../emulated-platform.ts";
import { GatewayBench } from "../gateway-bench.ts";
import { filesBelow } from "../../support/files-below.ts";
import { formsOf } from "../../support/secret-forms.ts";

const supervisor = "backoff_min_ms = 50\nbackoff_max_ms = 100";

/** In no log line, status, metric, error, plan, history or file, in good times and bad. */
export async function tellsNoSecrets(platform: EmulatedPlatform): Promise<void> {
  const key = platform.platform;
  const said: string[] = [];
  if (!platform.traits.isPull) platform.setFault("connect", { kind: "bad_credentials" });
  await using bench = await GatewayBench.start(platform, { supervisor });
  const { gateway } = bench;
  const note = async (method: string, path: string, body?: unknown): Promise<void> => {
    said.push(JSON.stringify(await gateway.admin(method, path, body)));
  };
  const look = async (): Promise<void> => {
    for (const path of ["/v1/status", "/metrics", "/v1/plan", `/v1/adapters/${key}/history`]) await note("GET", path);
  };
  if (!platform.traits.isPull) {
    await bench.reached("needs_attention");
    await look();
    platform.liftFault("connect");
    await bench.restart();
  }
  await bench.reached("running");
  const { conversation } = await bench.talk("echo hello");
  await platform.nextShown(({ text }) => text === "hello");
  if (!platform.traits.isPull) {
    platform.setFault("send", { kind: "bad_credentials" });
    await note("POST", "/v1/send", { target: `${key}/${conversation}`, text: "refused" });
    await platform.faultMet("send", 1);
    platform.liftFault("send");
  }
  await note("POST", "/v1/send", { target: `${key}/no-such-place`, text: "nowhere" });
  platform.dropConnections();
  await platform.sayNonsense();
  await look();
  // An error in the very lines that hold the secrets.
  const { socketPath } = gateway.home;
  const toml = `[admin]\nlisten = "unix:${socketPath}"\n[messaging.${key}]\n${platform.toml}\n`;
  await note("POST", "/v1/plan", toml);
  await note("POST", "/v1/plan", `${toml}\nno_such_key = "x"\n`);
  await note("POST", "/v1/plan", toml.replaceAll('"\n', "\n"));
  gateway.signal("SIGTERM");
  assert.equal(await gateway.ended, 0);
  said.push(...gateway.log.map((line) => JSON.stringify(line)), ...gateway.noise);
  assertKept(platform, said, join(gateway.home.dir, "data"));
}

function assertKept(platform: EmulatedPlatform, said: readonly string[], dataDir: string): void {
  const files = filesBelow(dataDir);
  for (const secret of platform.secrets)
    for (const form of formsOf(secret)) {
      const found = said.filter((text) => text.includes(form)).map((text) => text.slice(0, 2_000));
      assert.deepEqual(found, [], `said, as ${form}`);
      for (const [name, bytes] of files) assert.ok(!bytes.includes(form), `${name} holds ${form}`);
    }
}

/** See each. */
export const gatewaySecretCases: readonly ConformanceCase[] = [
  { title: "leaves its secrets in no log, status, metric, error or file", run: tellsNoSecrets },
];
