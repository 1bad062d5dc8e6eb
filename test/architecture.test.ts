/** Who may import whom: entries -> gateway -> stages -> contract and support; threads know none of the coordinator. */
import assert from "node:assert/strict";
import { posix } from "node:path";
import { describe, it } from "node:test";
import { sourceFiles, withoutComments } from "./support/source-files.ts";

/** One import of a file of ours. `isLazy`: an `import()`, which loads nothing until it is run. */
type Import = { readonly from: string; readonly to: string; readonly isTypeOnly: boolean; readonly isLazy?: boolean };

const files = sourceFiles(["src", "workers"]);

/** Processes begin in these, and the command line is one of them. */
const entries = ["src/main.ts", "src/cli.ts", "src/library.ts"];

/** Uses of `setImmediate`, which is no timer: it ends a turn of the loop. */
const immediates: Readonly<Record<string, string>> = {
  "src/journal/journal.ts": "commits what one turn brought in one group",
  "src/host/link.ts": "writes what one turn brought at once",
  "workers/adapter-runtime.ts": "lets the last answer leave before the thread ends",
  "workers/consumer.ts": "lets the last answer leave before the thread ends",
  "workers/thread-port.ts": "sends what one turn posted in one message",
};

describe("architecture", () => {
  const imports = files.flatMap(({ path, text }) => importsOf(path, text));

  it("reads the imports of every file", () => {
    assert.ok(files.length > 50 && imports.length > files.length, `${imports.length} imports of ${files.length} files`);
  });

  it("has every import go where its room may look", () => {
    assert.deepEqual(
      imports.filter((each) => !isAllowed(each)).map(({ from, to }) => `${from} imports ${to}`),
      [],
    );
  });

  it("has timers in src/support/time.ts alone", () => {
    const timers =
      /(?<![.\w])(?:globalThis\.)?(?:setTimeout|setInterval)\s*\(|["'](?:node:)?timers(?:\/promises)?["']/u;
    assert.deepEqual(pathsWith(timers), ["src/support/time.ts"]);
  });

  it("ends a turn of the loop by hand only where there is a reason", () => {
    const unexplained = pathsWith(/(?<![.\w])setImmediate\s*\(/u).filter((path) => !Object.hasOwn(immediates, path));
    assert.deepEqual(unexplained, []);
  });
});

describe("the rules", () => {
  const rows: readonly (readonly [boolean, string, string])[] = [
    [true, "src/main.ts", "workers/catalog.ts"],
    [true, "src/library.ts", "src/contract/errors.ts"],
    [true, "src/library.ts", "src/support/required-node.ts"],
    [true, "src/cli.ts", "src/reconcile/plan.ts"],
    [true, "src/gateway/fleet.ts", "src/reconcile/plan.ts"],
    [true, "src/reconcile/plan.ts", "src/contract/spec.ts"],
    [true, "src/reconcile/plan.ts", "src/support/time.ts"],
    [true, "workers/host.ts", "src/host/relay.ts"],
    [true, "workers/webhook/adapter.ts", "workers/adapter-runtime.ts"],
    [true, "workers/webhook/adapter.ts", "workers/webhook/api.ts"],
    [true, "workers/adapter-runtime.ts", "workers/emitter.ts"],
    [true, "workers/journal.ts", "workers/journal-schema.ts"],
    [false, "src/cli.ts", "workers/catalog.ts"],
    [false, "src/library.ts", "workers/catalog.ts"],
    [false, "src/library.ts", "src/gateway.ts"],
    [false, "src/main.ts", "workers/host.ts"],
    [false, "src/gateway/fleet.ts", "workers/catalog.ts"],
    [false, "src/gateway/fleet.ts", "src/main.ts"],
    [false, "src/reconcile/plan.ts", "src/config/load.ts"],
    [false, "src/reconcile/plan.ts", "src/gateway/fleet.ts"],
    [false, "src/cli/plan.ts", "src/config/load.ts"],
    [false, "src/contract/spec.ts", "src/reconcile/plan.ts"],
    [false, "src/contract/spec.ts", "src/support/time.ts"],
    [false, "src/support/time.ts", "src/flow/lanes.ts"],
    [false, "src/flow/lanes.ts", "test/support/logger.ts"],
    [false, "workers/webhook/adapter.ts", "workers/webchat/api.ts"],
    [false, "workers/webhook/adapter.ts", "workers/emitter.ts"],
    [false, "workers/webhook/adapter.ts", "src/host/relay.ts"],
    [false, "workers/adapter-runtime.ts", "workers/webhook/adapter.ts"],
    [false, "workers/adapter-runtime.ts", "src/host/relay.ts"],
    [false, "workers/journal.ts", "workers/emitter.ts"],
    [false, "workers/catalog.ts", "src/contract/spec.ts"],
  ];
  for (const [expected, from, to] of rows)
    it(`${expected ? "let" : "do not let"} ${from} import ${to}`, () => {
      assert.equal(isAllowed({ from, to, isTypeOnly: false }), expected);
    });

  it("let the contract name the logger's types and nothing else of support", () => {
    assert.ok(isAllowed({ from: "src/contract/config.ts", to: "src/support/logger.ts", isTypeOnly: true }));
    assert.ok(!isAllowed({ from: "src/contract/config.ts", to: "src/support/logger.ts", isTypeOnly: false }));
  });

  it("let the library load the gateway only when one is created, and name its types", () => {
    for (const to of ["src/gateway.ts", "src/consume/library-delivery.ts", "workers/catalog.ts"])
      assert.ok(isAllowed({ from: "src/library.ts", to, isTypeOnly: false, isLazy: true }), to);
    assert.ok(
      isAllowed({ from: "src/library.ts", to: "src/consume/library-delivery.ts", isTypeOnly: true, isLazy: false }),
    );
    assert.ok(!isAllowed({ from: "src/library.ts", to: "workers/host.ts", isTypeOnly: false, isLazy: true }));
  });

  it("find imports in every form they have, and none in comments", () => {
    const text = [
      'import type { A } from "./a.ts";',
      "import {\n  b,\n  type C,\n} from '../b/b.ts';",
      'export * from "./d.ts";',
      'await import("./e.ts");',
      'import "./f.ts";',
      "// import './no.ts'",
      '/** import("./no.ts") */',
      'import fs from "node:fs";',
      'const page = "https://example.com"; import g from "./g.ts";',
    ].join("\n");
    assert.deepEqual(
      importsOf("src/x/x.ts", text).map(
        ({ to, isTypeOnly, isLazy }) => `${to}${isTypeOnly ? " type" : ""}${isLazy === true ? " lazy" : ""}`,
      ),
      ["src/x/a.ts type", "src/b/b.ts", "src/x/d.ts", "src/x/e.ts lazy", "src/x/f.ts", "src/x/g.ts"],
    );
  });
});

function isAllowed({ from, to, isTypeOnly, isLazy = false }: Import): boolean {
  const isContract = to.startsWith("src/contract/");
  const isShared = isContract || to.startsWith("src/support/");
  if (to.startsWith("test/")) return false;
  if (from.startsWith("workers/")) return mayWorkerImport(from, to, isShared);
  // Adapters' and handlers' threads load the library: what it loads with itself, they all carry.
  if (from === "src/library.ts" && !isTypeOnly && !isLazy) return isShared;
  if (to.startsWith("workers/"))
    return to === "workers/catalog.ts" && (from === "src/main.ts" || from === "src/library.ts");
  if (!to.startsWith("src/")) return false;
  const room = roomOf(from);
  switch (room) {
    case "contract":
      return isContract || (isTypeOnly && to === "src/support/logger.ts");
    case "support":
      return isShared;
    case "entry":
      return true;
    case "gateway":
      return roomOf(to) !== "entry" && roomOf(to) !== "cli";
    case "cli":
      // What a command needs of a stage is handed in, since the command line is an entry's inside and no stage.
      return isShared || roomOf(to) === "cli";
    default:
      return isShared || roomOf(to) === room;
  }
}

/** The folder below `src`; files at the top are entries, the command line's client, or the composition root. */
function roomOf(path: string): string {
  if (entries.includes(path)) return "entry";
  if (path === "src/admin-client.ts") return "cli";
  const [, folder = "", ...rest] = path.split("/");
  return rest.length === 0 ? "gateway" : folder;
}

function mayWorkerImport(from: string, to: string, isShared: boolean): boolean {
  if (from === "workers/catalog.ts") return false;
  if (isShared) return true;
  const [, platform = "", inside] = from.split("/");
  if (inside !== undefined) return to === "workers/adapter-runtime.ts" || to.startsWith(`workers/${platform}/`);
  if (from.startsWith("workers/host")) return to.startsWith("src/host/") || isThreadFile(to);
  if (from.startsWith("workers/journal")) return to.startsWith("workers/journal");
  return isThreadFile(to);
}

/** A file of the threads that is no platform's. */
function isThreadFile(path: string): boolean {
  return path.startsWith("workers/") && path.split("/").length === 2;
}

function importsOf(path: string, text: string): readonly Import[] {
  const pattern = /\b(?:(import|export)\s+(type\s+)?(?:[^;"'()]*?\bfrom\s+)?|import\s*\(\s*)["'](\.[^"']*)["']/gu;
  return [...withoutComments(text).matchAll(pattern)].map(([, keyword, type, specifier = ""]) => ({
    from: path,
    to: posix.join(posix.dirname(path), specifier),
    isTypeOnly: type !== undefined,
    isLazy: keyword === undefined,
  }));
}

function pathsWith(pattern: RegExp): readonly string[] {
  return files.filter(({ text }) => pattern.test(withoutComments(text))).map(({ path }) => path);
}
