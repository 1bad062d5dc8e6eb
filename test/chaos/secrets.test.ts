/** An adapter that says its secret in every way it can: nobody hears it. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { join } from "node:path";
import { text as textOf } from "node:stream/consumers";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { filesBelow } from "../support/files-below.ts";
import { EventTranscript } from "../support/gateway-events.ts";
import { freePort, GatewayHome, type RunningGateway } from "../support/gateway-fixture.ts";
import { formsOf } from "../support/secret-forms.ts";

const cliPath = fileURLToPath(new URL("../../src/cli.ts", import.meta.url));

const planted = {
  environment: 'planted/env "ü" 7f3a+e',
  file: "planted-file-91c2d4",
  token: "planted-webhook-token-5a11",
  signing: "planted-signing-secret-b7",
} as const;

const leaky = `export default {
  platform: "leaky",
  capabilities: { text: "native" },
  maxSilenceMs: 0,
  async start(context) {
    const { secrets, mode } = context.settings;
    const all = secrets.join(" and ");
    if (mode === "start")
      throw Object.assign(new Error("login failed with " + all), {
        code: "unauthorized", retry: { kind: "never" }, userAction: "replace " + all,
      });
    if (mode === "crash") setImmediate(() => { throw new Error("crashed with " + all); });
    if (mode === "reject") setImmediate(() => void Promise.reject(all));
    if (mode === "close") return { closed: Promise.reject(new Error("closed with " + all)), async stop() {} };
    if (mode === "speak")
      for (const secret of secrets) {
        context.log.info("leaky-plain", { secret, deep: { list: [secret] } });
        context.log.warn("leaky-name " + secret, { [secret]: 1 });
        context.log.error("leaky-error", { error: new Error(secret).stack });
        context.log.info("leaky-encoded", {
          url: "https://example.org/?token=" + encodeURIComponent(secret),
          base64: Buffer.from(secret).toString("base64"),
          basic: "Basic " + Buffer.from("user:" + secret).toString("base64"),
          json: JSON.stringify({ secret }),
        });
        console.log("console", secret, { secret });
        console.error(new Error(secret));
        process.stdout.write("stdout " + secret + "\\n");
        process.stderr.write("stderr " + secret + "\\n");
        context.reconnecting("lost because of " + secret);
        context.connected();
      }
    if (mode === "emit")
      setImmediate(() => context.emit({
        id: String(context.generation), conversation: "room", sender: { id: "u1", name: secrets[0] }, text: all, metadata: { secrets },
      }));
    context.log.info("leaky-done");
    return {
      async send({ response }) {
        if (response.text === "boom")
          throw Object.assign(new Error("refused: " + all), { code: "message_rejected", retry: { kind: "never" } });
      },
      async history() { throw new Error("no history for " + all); },
      async updatePolicy() { throw new Error("no policy for " + all); },
      async stop() { throw new Error("no stop for " + all); },
    };
  },
};
`;

async function cli(gateway: RunningGateway, ...args: readonly string[]): Promise<string> {
  const child = spawn(process.execPath, [cliPath, "--config", gateway.home.configPath, ...args], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  return (await Promise.all([textOf(child.stdout), textOf(child.stderr)])).join("\n");
}

describe("a planted secret", () => {
  it("is in no log line, status, metric, error, answer or file, however its adapter says it", async () => {
    const home = new GatewayHome();
    const port = await freePort();
    home.writeFile("leaky.mjs", leaky);
    home.writeFile("secret", planted.file);
    const modes = ["start", "crash", "reject", "close"];
    const settings = (mode: string): string => `secrets = ["env:PLANTED", "file:secret"]\nmode = "${mode}"\n`;
    const config = (webhook = "", rest = ""): string =>
      `[gateway]\nlog_level = "debug"\n[supervisor]\nbackoff_min_ms = 60000\n[[consumers]]\nname = "main"\nbuiltin = "echo"\n${rest}` +
      `[messaging.webhook]\nport = ${port}\nauth_token = "${planted.token}"\nsigning_secret = "${planted.signing}"\n${webhook}` +
      `[messaging.leaky]\nmodule = "./leaky.mjs"\n[messaging.leaky.settings]\n${settings("speak")}` +
      modes
        .map(
          (mode) =>
            `[[messaging.leaky.instances]]\nname = "${mode}"\n[messaging.leaky.instances.settings]\n${settings(mode)}`,
        )
        .join("");
    home.writeConfig(config());
    const said: string[] = [];
    const noteLog = (gateway: RunningGateway): void => {
      said.push(...gateway.log.map((line) => JSON.stringify(line)), ...gateway.noise);
    };
    {
      await using gateway = await home.start({ environment: { PLANTED: planted.environment } });
      await gateway.logged(({ event }) => event === "leaky-done");
      await gateway.reached("leaky", "running");
      await gateway.reached("leaky:start", "needs_attention");
      for (const mode of modes.slice(1)) await gateway.reached(`leaky:${mode}`, "backing_off");
      const note = async (method: string, path: string, body?: unknown): Promise<void> => {
        said.push(JSON.stringify(await gateway.admin(method, path, body)));
      };
      // It says all of it once more while somebody listens.
      await using events = await EventTranscript.open(gateway);
      await gateway.admin("POST", "/v1/adapters/leaky/restart");
      const toml = `[admin]\nlisten = "unix:${home.socketPath}"\n`;
      // Errors in the very lines that hold secrets.
      await note("POST", "/v1/plan", `${toml}${config('signing_secret = "x"\n')}`);
      await note("POST", "/v1/plan", `${toml}${config(`auth_token_x = "${planted.token}"\n`)}`);
      await note("POST", "/v1/plan", `${toml}[messaging.webhook]\nauth_token = "${planted.token}\n`);
      await note("POST", "/v1/plan", `${toml}${config().replaceAll("60000", "50")}`);
      said.push(await cli(gateway, "send", "leaky/room", "boom"));
      said.push(await cli(gateway, "send", "leaky:crash/room", "boom", "--no-wait"));
      await fetch(`http://127.0.0.1:${port}/send`, {
        method: "POST",
        headers: { "content-type": "application/json", "x-webhook-token": planted.token },
        body: JSON.stringify({ conversation_id: "room", content: "hello" }),
      });
      const refused = await fetch(`http://127.0.0.1:${port}/send?token=${planted.token}`, { method: "PUT" });
      said.push(await refused.text());
      for (const path of ["/v1/status", "/metrics", "/v1/plan"]) await note("GET", path);
      for (const key of ["leaky", ...modes.map((mode) => `leaky:${mode}`)])
        await note("GET", `/v1/adapters/${key}/history`);
      for (const args of [["status"], ["--json", "status"], ["plan"], ["dead-letters", "list"], ["check"]])
        said.push(await cli(gateway, ...args));
      // A policy it does not take, a block with an error, a file that is no TOML.
      const saves = [
        config("", `[[bindings]]\nconsumer = "main"\nchannel = "leaky"\ndm_allowed_users = ["a"]\n`),
        config('port_x = "1"\n'),
        `[messaging.webhook]\nauth_token = "${planted.token}\n`,
      ];
      for (const body of saves) {
        home.writeConfig(body);
        await note("POST", "/v1/reload?wait=10");
        await note("GET", "/v1/status");
      }
      said.push(await events.until(/^event: log\ndata: .*"leaky-done"/mu));
      assert.match(events.text, /^event: state$/mu);
      assert.ok(events.text.split("[redacted]").length > 30, "nothing of it was an event");
      gateway.signal("SIGTERM");
      assert.equal(await gateway.ended, 0);
      noteLog(gateway);
    }
    const dataDir = join(home.dir, "data");
    const files = filesBelow(dataDir);
    const adminToken =
      files
        .find(([name]) => name === "admin.token")?.[1]
        .toString("utf8")
        .trim() ?? "";
    assert.ok(adminToken.length > 20);

    assert.ok(said.join("\n").split("[redacted]").length > 30, "the adapter has not said its secrets at all");
    for (const secret of [...Object.values(planted), adminToken])
      for (const form of formsOf(secret)) {
        assert.deepEqual(
          said.filter((text) => text.includes(form)).map((text) => text.slice(0, 2_000)),
          [],
          `as ${form}`,
        );
        for (const [name, bytes] of files)
          assert.ok(name === "admin.token" || !bytes.includes(form), `${name} holds ${form}`);
      }
  });

  it("is in no event of a message that its adapter emits with it, while the message itself is delivered as it is", async () => {
    const home = new GatewayHome();
    home.writeFile("leaky.mjs", leaky);
    home.writeFile("secret", planted.file);
    home.writeFile(
      "handler.mjs",
      `export default ({ text }) => { if (text.includes("planted")) console.log("has arrived whole"); };\n`,
    );
    home.writeConfig(
      `[[consumers]]\nname = "main"\nmodule = "./handler.mjs"\n[messaging.leaky]\nmodule = "./leaky.mjs"\nenabled = true\n` +
        `[messaging.leaky.settings]\nsecrets = ["env:PLANTED", "file:secret"]\nmode = "emit"\n`,
    );
    await using gateway = await home.start({ environment: { PLANTED: planted.environment } });
    await using events = await EventTranscript.open(gateway);
    const arrived = gateway.logged((line) => JSON.stringify(line).includes("has arrived whole"));
    // The first one may have come before anyone listened.
    await gateway.admin("POST", "/v1/adapters/leaky/restart");
    await events.until(/^event: message\ndata: .*"adapter":"leaky"/mu);
    await arrived;
    assert.match(events.text, /^event: message\ndata: .*\[redacted\]/mu);
    for (const secret of [planted.environment, planted.file])
      for (const form of formsOf(secret)) assert.ok(!events.text.includes(form), `as ${form}`);
  });
});

/** An adapter whose own settings are the words it says: nothing of them is a secret of its own. */
const parrot = `export default {
  platform: "parrot",
  capabilities: { text: "native" },
  maxSilenceMs: 0,
  async start(context) {
    for (const word of context.settings.words) context.log.info("parrot-said", { word, at: word + "/more" });
    context.log.info("parrot-done");
    return { async send() {}, async stop() {} };
  },
};
`;

describe("a secret that is no adapter's", () => {
  it("is in no log line either: a consumer's signing secret and URL, an endpoint that conditions are posted to", async () => {
    const home = new GatewayHome();
    const secrets = {
      SIGNING: "planted-consumer-signing-8c1",
      ENDPOINT: "https://consumer.invalid/planted-endpoint-44f0",
      NOTIFY: "https://notify.invalid/planted-notify-9d2e",
    };
    const rotated = "planted-consumer-rotated-17b";
    home.writeFile("parrot.mjs", parrot);
    const config = (words: readonly string[], signing: string): string =>
      `[[consumers]]\nname = "main"\nurl = "env:ENDPOINT"\nsigning_secret = "${signing}"\n` +
      `[[notify]]\nurl = "env:NOTIFY"\n` +
      `[messaging.parrot]\nmodule = "./parrot.mjs"\n[messaging.parrot.settings]\nwords = ${JSON.stringify(words)}\n`;
    home.writeConfig(config(["not-secret", ...Object.values(secrets)], "env:SIGNING"));
    await using gateway = await home.start({ environment: secrets });
    await gateway.logged(({ event }) => event === "parrot-done");
    const isSaidAgain = gateway.nextLogged(({ event }) => event === "parrot-done");
    home.writeConfig(config(["not-secret", rotated, ...Object.values(secrets)], rotated));
    await isSaidAgain;
    const said = gateway.log.filter(({ event }) => event === "parrot-said").map((line) => JSON.stringify(line));
    assert.equal(said.filter((line) => line.includes("not-secret")).length, 2, "the parrot has not said its words");
    for (const secret of [...Object.values(secrets), rotated])
      assert.deepEqual(
        said.filter((line) => line.includes(secret)),
        [],
      );
  });
});
