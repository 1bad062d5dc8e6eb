/** What an idle gateway and each idle adapter hold. */
import { sleep } from "../../src/support/time.ts";
import { freePort, type RunningGateway } from "../support/gateway-fixture.ts";
import { allRunning, BenchHome, installModule, startGateway } from "./bench-gateway.ts";
import type { Figure } from "./figure.ts";
import { pssMegabytes, rssMegabytes } from "./process-usage.ts";

const section = "memory";
const added = 20;
/** Garbage of the start is collected when V8 finds the time. */
const settleMs = 10_000;
const echo = '[[consumers]]\nname = "main"\nbuiltin = "echo"\n';

type Table = { readonly key: string; readonly toml: string };
type Memory = { readonly rss: number; readonly pss: number };
type Idle = { readonly coordinator: Memory; readonly host: Memory };
type Growth = { readonly before: Idle; readonly perAdapterRss: number; readonly perAdapterPss: number };

/** One adapter, then twenty more; bare ones, then webhooks. */
export async function measureMemory(): Promise<readonly Figure[]> {
  const bare = await measureGrowth(async (home, index) => {
    const module = installModule(home, new URL("./bench-adapter.ts", import.meta.url));
    const name = `bench${index}`;
    const toml = `[messaging.${name}]\nmodule = "${module}"\n[messaging.${name}.settings]\nmode = "idle"\n`;
    return { key: name, toml };
  });
  const webhook = await measureGrowth(async (_home, index) =>
    index === 0
      ? { key: "webhook", toml: `[messaging.webhook]\nport = ${await freePort()}\n` }
      : {
          key: `webhook:w${index}`,
          toml: `[[messaging.webhook.instances]]\nname = "w${index}"\nport = ${await freePort()}\n`,
        },
  );
  const { coordinator, host } = webhook.before;
  const own = await measureOwnHost();
  const row = (name: string, value: number, more: Partial<Figure> = {}): Figure => ({
    section,
    name,
    value,
    unit: "MB",
    ...more,
  });
  const note = `the host with ${added} more, against one`;
  return [
    row("idle adapter thread, bare, RSS", bare.perAdapterRss, { target: { below: 12 }, note }),
    row("idle adapter thread, bare, PSS", bare.perAdapterPss, { note }),
    row("idle adapter thread, HTTP listener, RSS", webhook.perAdapterRss, { target: { below: 22 }, note }),
    row("idle adapter thread, HTTP listener, PSS", webhook.perAdapterPss, { note }),
    row("coordinator and one host, RSS", coordinator.rss + host.rss, {
      target: { below: 200 },
      note: "one webhook, echo; shared pages count twice",
    }),
    row("coordinator and one host, PSS", coordinator.pss + host.pss, { note: "shared pages count once" }),
    row("coordinator, RSS", coordinator.rss),
    row("shared host with one webhook, RSS", host.rss),
    row("host of its own, one bare adapter, RSS", own.rss, { note: 'isolation = "process"' }),
    row("host of its own, one bare adapter, PSS", own.pss, { note: "shared pages count once" }),
  ];
}

/** `tableOf` makes the table of one adapter. */
async function measureGrowth(tableOf: (home: BenchHome, index: number) => Promise<Table>): Promise<Growth> {
  using home = new BenchHome();
  const tables: Table[] = [];
  for (let index = 0; index <= added; index += 1) tables.push(await tableOf(home, index));
  const configure = (wanted: readonly Table[]): void => {
    home.writeConfig(`${echo}${wanted.map(({ toml }) => toml).join("")}`);
  };
  configure(tables.slice(0, 1));
  await using gateway = await startGateway(home);
  const before = await measureIdle(gateway, tables.slice(0, 1));
  configure(tables);
  const after = await measureIdle(gateway, tables);
  return {
    before,
    perAdapterRss: (after.host.rss - before.host.rss) / added,
    perAdapterPss: (after.host.pss - before.host.pss) / added,
  };
}

/** What an adapter costs that has a process to itself. */
async function measureOwnHost(): Promise<Memory> {
  using home = new BenchHome();
  const module = installModule(home, new URL("./bench-adapter.ts", import.meta.url));
  home.writeConfig(
    `${echo}[messaging.bench]\nmodule = "${module}"\n[messaging.bench.settings]\nmode = "idle"\n` +
      '[messaging.bench.supervisor]\nisolation = "process"\n',
  );
  await using gateway = await startGateway(home);
  return (await measureIdle(gateway, [{ key: "bench", toml: "" }])).host;
}

async function measureIdle(gateway: RunningGateway, tables: readonly Table[]): Promise<Idle> {
  await allRunning(
    gateway,
    tables.map(({ key }) => key),
  );
  await sleep(settleMs);
  const { pid, hosts } = await gateway.status();
  const [host] = hosts;
  if (host === undefined || hosts.length !== 1) throw new Error(`Expected one host, found ${hosts.length}`);
  return { coordinator: memoryOf(pid), host: memoryOf(host.pid) };
}

function memoryOf(pid: number): Memory {
  return { rss: rssMegabytes(pid), pss: pssMegabytes(pid) };
}
