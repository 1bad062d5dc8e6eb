/** `standby = true` in real processes: a respawn that need not wait for its module. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { createServer, type ServerResponse } from "node:http";
import { join } from "node:path";
import { describe, it } from "node:test";
import { GatewayHome } from "../support/gateway-fixture.ts";

/** Counts how often the module is loaded: each one asks for its number and waits for the answer. */
class Loads implements AsyncDisposable {
  readonly #server = createServer((_request, response) => this.#onRequest(response));
  #count = 0;
  #waiting: (() => void)[] = [];

  static async listen(): Promise<Loads> {
    const loads = new Loads();
    loads.#server.listen(0, "127.0.0.1");
    await once(loads.#server, "listening");
    return loads;
  }

  get url(): string {
    const address = this.#server.address();
    assert.ok(address !== null && typeof address === "object");
    return `http://127.0.0.1:${address.port}/`;
  }

  /** Resolves when it was loaded so often. */
  async reached(count: number): Promise<void> {
    while (this.#count < count) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  #onRequest(response: ServerResponse): void {
    this.#count += 1;
    response.end(String(this.#count));
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}

function adapter(loadUrl: string): string {
  return `const load = await (await fetch(${JSON.stringify(loadUrl)})).text();
export default {
  platform: "acme",
  capabilities: { text: "native" },
  maxSilenceMs: 0,
  async start(context) {
    const { key, generation, settings } = context;
    context.log.info("acme-started", { load: Number(load), token: settings.token, generation });
    await context.emit({ id: String(generation), conversation: "room", sender: { id: "a" }, text: key });
    return {
      async send({ response }) {
        // The echo of its own message is no order.
        if (response.text === key) return;
        setImmediate(() => {
          throw new Error("as ordered");
        });
      },
      async stop() {},
    };
  },
};
`;
}

describe("an adapter with standby", { timeout: 120_000 }, () => {
  it("goes on after a crash in a thread that had loaded its module before, with its settings, again and again", async () => {
    await using loads = await Loads.listen();
    const home = new GatewayHome();
    home.writeFile("acme.mjs", adapter(loads.url));
    home.writeConfig(
      `[supervisor]\nstandby = true\n[[consumers]]\nname = "main"\nbuiltin = "echo"\n` +
        `[messaging.acme]\nmodule = "./acme.mjs"\n[messaging.acme.settings]\ntoken = "plain"\n`,
    );
    await using gateway = await home.start();
    const first = await gateway.logged(({ event }) => event === "acme-started");
    assert.deepEqual([first["load"], first["token"]], [1, "plain"]);
    let { generation } = await gateway.reached("acme", "running");
    for (const load of [2, 3]) {
      await loads.reached(load);
      const started = gateway.nextLogged(({ event }) => event === "acme-started");
      await gateway.provoke("acme", {});
      const { load: used, token, generation: own } = await started;
      assert.deepEqual([used, token], [load, "plain"], "the spare's");
      const running = await gateway.reached("acme", "running", (status) => status.generation !== generation);
      assert.equal(running.generation, own);
      assert.equal(running.messages.in, load);
      assert.equal(running.restarts, load - 1);
      ({ generation } = running);
    }
  });

  it("takes one place in its host, with its spare thread", async () => {
    await using loads = await Loads.listen();
    const home = new GatewayHome();
    // In a folder in which nothing else appears: a host that began earlier could not read that.
    mkdirSync(join(home.dir, "acme"));
    home.writeFile("acme/acme.mjs", adapter(loads.url));
    const keys = ["a", "b", "c", "d", "e"];
    home.writeConfig(
      `[supervisor]\nstandby = true\n[hosts]\nmax_adapters = 2\n[[consumers]]\nname = "main"\nbuiltin = "echo"\n` +
        keys.map((key) => `[messaging.${key}]\nmodule = "./acme/acme.mjs"\n`).join(""),
    );
    await using gateway = await home.start();
    await loads.reached(2 * keys.length);
    const { hosts } = await gateway.status();
    const residents = hosts.filter(({ kind }) => kind === "shared").map((host) => host.keys);
    assert.deepEqual(
      residents.map(({ length }) => length).toSorted((left, right) => left - right),
      [1, 2, 2],
    );
    assert.deepEqual(residents.flat().toSorted(), keys);
  });
});
