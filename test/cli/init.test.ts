import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { init } from "../../src/cli/init.ts";
import { loadConfig } from "../../src/config/load.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "bulkhead-init-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

async function run(options: { readonly json?: boolean } = {}): Promise<readonly string[]> {
  const printed: string[] = [];
  const source = { kind: "file", path: path.join(folder, "bulkhead.toml") } as const;
  assert.equal(await init({ json: options.json === true, source, print: (line) => printed.push(line) }), 0);
  return printed;
}

function written(name: string): string {
  return readFileSync(path.join(folder, name), "utf8");
}

describe("init()", () => {
  it("writes a config without errors or warnings, and the handler it names", async () => {
    await run();
    assert.ok(existsSync(path.join(folder, "handler.ts")));
    const loaded = await loadConfig({
      source: { kind: "file", path: path.join(folder, "bulkhead.toml") },
      environment: {},
    });
    assert.ok(loaded.ok);
    assert.deepEqual([loaded.config.invalid, loaded.config.warnings], [[], []]);
    assert.deepEqual(
      loaded.config.adapters.map(({ key }) => key),
      ["webhook", "webchat"],
    );
  });

  it("writes examples of chat platforms that are right once their # is away", async () => {
    await run();
    const [settings = "", examples = ""] = written("bulkhead.toml").split(/^# For chat platforms.*\n/mu);
    const text = settings + examples.replaceAll(/^# ?/gmu, "");
    const names = [...text.matchAll(/env:(\w+)/gu)].map(([, name = ""]) => name);
    const environment = Object.fromEntries(names.map((name) => [name, `${name.includes("APP") ? "xapp" : "xoxb"}-1`]));
    const loaded = await loadConfig({ source: { kind: "text", text, baseDir: folder }, environment });
    assert.ok(loaded.ok, JSON.stringify(loaded));
    assert.deepEqual(loaded.config.invalid, []);
    assert.equal(loaded.config.adapters.length, 6);
  });

  it("changes nothing where a config is there already", async () => {
    writeFileSync(path.join(folder, "bulkhead.toml"), "# mine\n");
    await assert.rejects(run(), { exitCode: 1, message: /bulkhead\.toml: the file exists/u });
    assert.equal(written("bulkhead.toml"), "# mine\n");
    assert.ok(!existsSync(path.join(folder, "handler.ts")));
  });

  it("keeps a handler that is there, and says so", async () => {
    writeFileSync(path.join(folder, "handler.ts"), "// mine\n");
    const printed = await run();
    assert.match(printed.join("\n"), /kept .*handler\.ts/u);
    assert.equal(written("handler.ts"), "// mine\n");
  });

  it("prints where things are as JSON", async () => {
    assert.deepEqual(JSON.parse((await run({ json: true })).join("\n")), {
      config: path.join(folder, "bulkhead.toml"),
      handler: path.join(folder, "handler.ts"),
      isHandlerNew: true,
    });
  });

  it("says why nothing can be written", async () => {
    const source = { kind: "file", path: path.join(folder, "absent", "bulkhead.toml") } as const;
    await assert.rejects(init({ json: false, source, print: () => {} }), { exitCode: 1, message: /ENOENT/u });
  });
});
