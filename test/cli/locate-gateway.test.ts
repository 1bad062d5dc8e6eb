import { after, before, describe, it } from "node:test";
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { NotRunningError } from "../../src/admin-client.ts";
import { locateGateway, type LocateOptions } from "../../src/cli/locate-gateway.ts";
import { parseListenAddress } from "../../src/config/listen-address.ts";
import { config as loadedConfig } from "../support/config-fixture.ts";

describe("locateGateway()", () => {
  let directory: string;
  let file: string;
  before(async () => {
    directory = await mkdtemp(path.join(tmpdir(), "bulkhead-locate-"));
    file = path.join(directory, "bulkhead.toml");
  });
  after(() => rm(directory, { recursive: true }));

  const options = (parts: Partial<LocateOptions> = {}): LocateOptions => ({
    source: { kind: "file", path: file },
    load: async () => ({ ok: true, config: loadedConfig() }),
    parseListen: parseListenAddress,
    readToken: async (stateDir) => `token of ${stateDir}`,
    readAddress: async () => null,
    ...parts,
  });
  const refused = async () => ({ ok: false, errors: [] }) as const;

  it("takes the address and the state directory from the config", async () => {
    assert.deepEqual(await locateGateway(options()), {
      listen: { kind: "tcp", host: "127.0.0.1", port: 8787 },
      token: "token of /state",
    });
  });

  it("believes the running gateway rather than its config, which may leave the port to the system", async () => {
    const asked: string[] = [];
    const readAddress = async (stateDir: string): Promise<string> => {
      asked.push(stateDir);
      return "[::1]:43127";
    };
    const { listen } = await locateGateway(options({ readAddress }));
    assert.deepEqual([listen, asked], [{ kind: "tcp", host: "::1", port: 43127 }, ["/state"]]);
    await writeFile(file, "[[[broken");
    assert.deepEqual((await locateGateway(options({ load: refused, readAddress }))).listen, listen);
  });

  it("takes the config's address where the gateway's cannot be read", async () => {
    const { listen } = await locateGateway(options({ readAddress: async () => "" }));
    assert.deepEqual(listen, { kind: "tcp", host: "127.0.0.1", port: 8787 });
  });

  it("finds a running gateway whose config has since been broken", async () => {
    await writeFile(file, `[gateway]\nstate_dir = 'state'\n[admin]\n  listen = "127.0.0.1:9999" # here\n[[[broken`);
    assert.deepEqual(await locateGateway(options({ load: refused })), {
      listen: { kind: "tcp", host: "127.0.0.1", port: 9999 },
      token: `token of ${path.join(directory, "state")}`,
    });
  });

  it("falls back to the defaults for what a broken config does not say", async () => {
    await writeFile(file, `[admin]\nlisten = "nonsense"\n`);
    assert.deepEqual(await locateGateway(options({ load: refused })), {
      listen: { kind: "tcp", host: "127.0.0.1", port: 8787 },
      token: `token of ${path.join(directory, "data")}`,
    });
  });

  it("says that no gateway was ever started where there is no token", async () => {
    await assert.rejects(locateGateway(options({ readToken: async () => null })), (reason) => {
      assert.ok(reason instanceof NotRunningError);
      assert.equal(reason.message, "gateway not running: no token in /state");
      return true;
    });
  });
});
