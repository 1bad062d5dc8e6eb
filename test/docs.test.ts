/** The documents say what the code does: every event, key, state and condition, and nothing that is not there. */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { configJsonSchema } from "../src/config/json-schema.ts";
import { adapterStates, conditionCodes, reasons } from "../src/contract/status.ts";
import { diffSettings } from "../src/reconcile/settings-diff.ts";
import { camelKeys } from "../src/config/camel-keys.ts";
import { config } from "./support/config-fixture.ts";
import { sourceFiles, withoutComments } from "./support/source-files.ts";

const top = new URL("../", import.meta.url);
const documents = [".", "docs"].flatMap((folder) =>
  readdirSync(new URL(`${folder}/`, top))
    .filter((name) => name.endsWith(".md"))
    .map((name) => (folder === "." ? name : `${folder}/${name}`)),
);

describe("docs/logs.md", () => {
  const rows = tables("docs/logs.md");
  const documented = rows.filter(({ columns }) => columns.includes("level"));

  it("names every log event with its levels, and no other", () => {
    const logged = loggedEvents();
    assert.ok(logged.size > 50, `${logged.size} events found`);
    const written = new Map(documented.map((row) => [bare(cell(row, "event")), cell(row, "level")]));
    assert.deepEqual([...written.keys()].toSorted(), [...logged.keys()].toSorted());
    for (const [event, levels] of logged)
      if (!levels.has("any")) assert.equal(written.get(event), orderedLevels(levels), event);
  });

  it("explains every reason", () => {
    assert.deepEqual(codesIn(rows, "reason"), [...reasons].toSorted());
  });
});

describe("README.md", () => {
  const rows = tables("README.md");

  it("explains every state", () => {
    assert.deepEqual(codesIn(rows, "state"), [...adapterStates].toSorted());
  });

  it("explains every condition", () => {
    assert.deepEqual(codesIn(rows, "condition"), [...conditionCodes].toSorted());
  });
});

describe("docs/configuration.md", () => {
  const rows = tables("docs/configuration.md").filter(({ columns }) => columns[0] === "key");
  const documented = rows.map((row) => ({
    path: `${sectionPath(row.heading)}.${bare(cell(row, "key"))}`,
    text: bare(cell(row, "default")),
    change: cell(row, "change"),
  }));
  const keys = schemaKeys(configJsonSchema());

  it("lists every key in its table, and no other", () => {
    assert.ok(keys.length > 100, `${keys.length} keys found`);
    assert.deepEqual(documented.map(({ path }) => path).toSorted(), keys.map(({ path }) => path).toSorted());
  });

  it("gives every default as it is", () => {
    const texts = new Map(documented.map(({ path, text }) => [path, text]));
    const wrong = keys.filter(({ path, value }) => value !== undefined && texts.get(path) !== JSON.stringify(value));
    assert.deepEqual(
      wrong.map(({ path }) => `${path}: ${texts.get(path)}`),
      [],
    );
  });

  it("says of every gateway-level key whether it needs a restart", () => {
    const started = config();
    for (const section of ["gateway", "hosts", "journal", "admin"] as const) {
      const own = documented.filter(({ path }) => path.startsWith(`${section}.`));
      assert.ok(own.length > 0);
      for (const { path, change } of own) {
        const other = camelKeys({ [path.slice(section.length + 1)]: "something else" });
        const { live, restart } = diffSettings(started, { ...started, [section]: { ...started[section], ...other } });
        assert.deepEqual({ live, restart }, { live: [], restart: [], [change]: [path] });
      }
    }
  });

  it("names the tables of other programs that are passed over", () => {
    const text = read("docs/configuration.md");
    const schema = properties(configJsonSchema());
    const platforms = Object.entries(properties(schema["messaging"]));
    const named = [
      ...Object.entries(schema),
      ...platforms.map(([name, table]) => [`messaging.${name}`, table] as const),
    ];
    const ignored = named.filter(([, table]) => isEmpty(table)).map(([name]) => name);
    assert.ok(ignored.length > 10, `${ignored.length} tables found`);
    assert.deepEqual(
      ignored.filter((name) => !text.includes(`\`${name}\``)),
      [],
    );
  });
});

describe("every document", () => {
  it("links to files and headings that are there", () => {
    const broken = documents.flatMap((document) => linksOf(document).filter((link) => !resolves(document, link)));
    assert.ok(documents.length > 5 && documents.some((document) => linksOf(document).length > 0));
    assert.deepEqual(broken, []);
  });
});

describe("ARCHITECTURE.md", () => {
  const rows = tables("ARCHITECTURE.md").filter(({ columns }) => columns.includes("test"));

  it("names a test for every known failure, and each is there", () => {
    assert.ok(rows.length > 30, `${rows.length} rows found`);
    const missing = rows.filter(
      (row) => cell(row, "file") !== "–" && !hasTest(bare(cell(row, "file")), cell(row, "test")),
    );
    assert.deepEqual(
      missing.map((row) => `${cell(row, "file")}: ${cell(row, "test")}`),
      [],
    );
  });

  it("leaves no known failure out", () => {
    const numbers = Array.from({ length: 32 }, (_, index) => `R${index + 1}`);
    const wanted = [...numbers, ..."A B C D E F G H I J K L".split(" ")];
    assert.deepEqual(rows.flatMap((row) => cell(row, "").split(", ")).toSorted(), wanted.toSorted());
  });
});

type Row = { readonly heading: string; readonly columns: readonly string[]; readonly cells: readonly string[] };

/** Every row of every table of a document, with the heading above it. */
function tables(document: string): readonly Row[] {
  const rows: Row[] = [];
  let heading = "";
  let columns: readonly string[] | null = null;
  for (const line of read(document).split("\n")) {
    if (line.startsWith("#")) heading = line.replace(/^#+ /u, "");
    if (!line.startsWith("|")) columns = null;
    else {
      const cells = line
        .slice(1, -1)
        .split("|")
        .map((text) => text.trim());
      if (columns === null) columns = cells;
      else if (!cells.every((text) => /^-+$/u.test(text))) rows.push({ heading, columns, cells });
    }
  }
  return rows;
}

function cell(row: Row, column: string): string {
  return row.cells[row.columns.indexOf(column)] ?? "";
}

function bare(text: string): string {
  return text.replaceAll("`", "");
}

/** What stands in backticks in the column, sorted; a cell may name two. */
function codesIn(rows: readonly Row[], column: string): readonly string[] {
  return rows
    .filter(({ columns }) => columns[0] === column)
    .flatMap((row) => [...cell(row, column).matchAll(/`([^`]+)`/gu)].map(([, code]) => code ?? ""))
    .toSorted();
}

function read(document: string): string {
  return readFileSync(new URL(document, top), "utf8");
}

/** Every event name with the levels it is logged at; `any`: the level is somebody else's. */
function loggedEvents(): ReadonlyMap<string, ReadonlySet<string>> {
  const events = new Map<string, Set<string>>();
  const call = /(?:\b(?:logger|log)(?:\.(debug|info|warn|error)|\[\w+\])|#add)\(([^{;]*)/gu;
  for (const { text } of sourceFiles(["src", "workers"]))
    for (const [, level = "any", parameters = ""] of withoutComments(text).matchAll(call))
      for (const [, event = ""] of parameters.matchAll(/"([a-z0-9]+(?:-[a-z0-9]+)+)"/gu))
        events.set(event, (events.get(event) ?? new Set()).add(level));
  return events;
}

function orderedLevels(levels: ReadonlySet<string>): string {
  return ["debug", "info", "warn", "error"].filter((level) => levels.has(level)).join(", ");
}

/** `` `[messaging.webhook]` `` as `messaging.webhook`; what holds for all platforms as `messaging.*`, a third party's as `messaging.?`. */
function sectionPath(heading: string): string {
  return bare(heading).replaceAll(/[[\]]/gu, "").replace("PLATFORM", "*").replace("ANY_OTHER_NAME", "?");
}

type Schema = Readonly<Record<string, unknown>>;
type SchemaKey = { readonly path: string; readonly value: unknown };

/** Every key that a config may have, by the table it is documented in, with its default. */
function schemaKeys(schema: Schema): readonly SchemaKey[] {
  const { messaging, ...tablesOfOurs } = properties(schema);
  const common = ["enabled", "authority", "supervisor", "instances"];
  const platforms = Object.entries({ ...properties(messaging), "?": (messaging as Schema)["additionalProperties"] });
  const own = platforms.flatMap(([name, table]) =>
    keysOf(`messaging.${name}`, table).filter(({ path }) => !common.includes(path.split(".").at(-1) ?? "")),
  );
  const shared = keysOf("messaging.*", properties(messaging)["webhook"]).filter(({ path }) =>
    common.includes(path.split(".").at(-1) ?? ""),
  );
  const others = Object.entries(tablesOfOurs).flatMap(([name, table]) =>
    keysOf(name, (table as Schema)["items"] ?? table),
  );
  return [...others, ...shared, ...own];
}

function keysOf(path: string, table: unknown): readonly SchemaKey[] {
  return Object.entries(properties(table)).map(([key, schema]) => ({
    path: `${path}.${key}`,
    value: (schema as Schema)["default"],
  }));
}

function properties(schema: unknown): Readonly<Record<string, unknown>> {
  return ((schema as Schema)["properties"] ?? {}) as Readonly<Record<string, unknown>>;
}

function isEmpty(schema: unknown): boolean {
  return Object.keys(schema as object).length === 0;
}

/** Targets of a document's links that are not web addresses. */
function linksOf(document: string): readonly string[] {
  const links = [...read(document).matchAll(/\]\(([^)\s]+)\)/gu)].map(([, target]) => target ?? "");
  return links.filter((target) => !/^[a-z]+:/u.test(target));
}

function resolves(document: string, link: string): boolean {
  const [file = "", heading] = link.split("#");
  const target = file === "" ? document : new URL(file, new URL(document, top)).href.slice(top.href.length);
  if (!existsSync(new URL(target, top))) return false;
  if (heading === undefined) return true;
  const headings = [...read(target).matchAll(/^#+ (.*)$/gmu)].map(([, text]) => anchorOf(text ?? ""));
  return headings.includes(heading);
}

/** As code hosts make them. */
function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll(/[^\w\- ]/gu, "")
    .replaceAll(" ", "-");
}

/** Whether `test/FILE.test.ts` has a test of that title; a title made of parts matches what its parts can be. */
function hasTest(file: string, title: string): boolean {
  const path = `test/${file}.test.ts`;
  if (!existsSync(new URL(path, top))) return false;
  const titles = [...read(path).matchAll(/\bit\(\s*(["`])((?:(?!\1)[^\\]|\\.)*)\1/gu)].map(([, , text]) => text ?? "");
  return titles.some((text) => {
    const pattern = text
      .split(/\$\{[^}]*\}/u)
      .map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/gu, "\\$&"))
      .join(".+");
    return new RegExp(`^${pattern}$`, "u").test(title);
  });
}
