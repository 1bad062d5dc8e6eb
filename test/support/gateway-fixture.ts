/** Real gateways in their own processes, each with a state directory, ports and files of its own. */
import { spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { after as afterDelay } from "../../src/support/time.ts";
import type { AdapterStatus, GatewayStatus } from "../../src/contract/status.ts";

const cliPath = fileURLToPath(new URL("../../src/cli.ts", import.meta.url));
/** The adapter that does each fault on command. */
export const faultAdapterPath = fileURLToPath(new URL("./fault-adapter.ts", import.meta.url));

/** The end of every wait: far beyond what any step takes on a busy machine. */
const waitDeadlineMs = 60_000;

/** One line of the gateway's log. */
export type LogLine = Readonly<Record<string, unknown>> & { readonly event: string };

/** A port nobody listens on, for a listener that must be told its port. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === "string") throw new Error("A TCP server has a port");
  return address.port;
}

const homes: string[] = [];
// Journals are large. Those of a failed test are kept to be looked at.
process.on("exit", (code) => {
  if (code === 0) for (const dir of homes) rmSync(dir, { recursive: true, force: true });
});

/** A directory for one gateway: its config, its state, its admin socket. */
export class GatewayHome {
  readonly dir = mkdtempSync(join(tmpdir(), "bulkhead-test-"));
  readonly configPath = join(this.dir, "bulkhead.toml");
  readonly socketPath = join(this.dir, "admin.sock");

  constructor() {
    homes.push(this.dir);
  }

  /** Replaces the config as editors do: a new file under the old name. */
  writeConfig(body: string): void {
    const toml = `[admin]\nlisten = "unix:${this.socketPath}"\n${body}`;
    writeFileSync(`${this.configPath}.new`, toml);
    renameSync(`${this.configPath}.new`, this.configPath);
  }

  /** A file beside the config. */
  writeFile(name: string, text: string): string {
    const path = join(this.dir, name);
    writeFileSync(path, text);
    return path;
  }

  get adminToken(): string {
    return readFileSync(join(this.dir, "data", "admin.token"), "utf8").trim();
  }

  /**
   * Starts a gateway here; resolves when it is ready. `program`: another command line than the sources'. `configPath`: another
   * name of the config.
   */
  async start(
    options: {
      readonly environment?: NodeJS.ProcessEnv;
      readonly program?: string;
      readonly configPath?: string;
    } = {},
  ): Promise<RunningGateway> {
    const { program = cliPath, configPath = this.configPath } = options;
    const child = spawn(process.execPath, [program, "--config", configPath, "start"], {
      cwd: this.dir,
      env: { ...process.env, ...options.environment },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const gateway = new RunningGateway(this, child);
    await gateway.ready;
    return gateway;
  }
}

type Waiter = { readonly matches: (line: LogLine) => boolean; readonly resolve: (line: LogLine) => void };

/** A gateway process. Disposing kills it. */
export class RunningGateway implements AsyncDisposable {
  readonly home: GatewayHome;
  readonly log: LogLine[] = [];
  /** Standard error, and standard output that is no log line. */
  readonly noise: string[] = [];
  readonly ready: Promise<LogLine>;
  /** Resolves with the exit code, or the signal's name. */
  readonly ended: Promise<number | string>;
  readonly #child: ChildProcess;
  #waiters: Waiter[] = [];

  constructor(home: GatewayHome, child: ChildProcess) {
    this.home = home;
    this.#child = child;
    this.ended = new Promise((resolve) => {
      child.once("exit", (code, signal) => resolve(signal ?? code ?? -1));
    });
    const failed = this.ended.then((end): never => {
      throw new Error(`The gateway ended (${end}) before it was ready:\n${this.noise.join("\n")}`);
    });
    failed.catch(() => {});
    if (child.stdout !== null) createInterface({ input: child.stdout }).on("line", (line) => this.#onLine(line));
    if (child.stderr !== null) createInterface({ input: child.stderr }).on("line", (line) => this.noise.push(line));
    this.ready = Promise.race([this.logged(({ event }) => event === "gateway-ready"), failed]);
  }

  get pid(): number {
    return this.#child.pid ?? -1;
  }

  /** The first log line, past or to come, that matches. */
  logged(matches: (line: LogLine) => boolean): Promise<LogLine> {
    const found = this.log.find((line) => matches(line));
    return found === undefined ? this.nextLogged(matches) : Promise.resolve(found);
  }

  /** The first log line from now on that matches. */
  nextLogged(matches: (line: LogLine) => boolean, what: string = String(matches)): Promise<LogLine> {
    const waited = new Promise<LogLine>((resolve, reject) => {
      const timer = afterDelay(waitDeadlineMs, () =>
        reject(new Error(`No such log line in ${waitDeadlineMs} ms: ${what}`)),
      );
      const found = (line: LogLine): void => {
        timer[Symbol.dispose]();
        resolve(line);
      };
      this.#waiters.push({ matches, resolve: found });
    });
    // Whoever asked may have found what it wanted elsewhere by then.
    waited.catch(() => {});
    return waited;
  }

  /** Resolves when `key` has entered `state` (now, or at its next change of state). */
  async reached(key: string, state: AdapterStatus["state"], matches: (adapter: AdapterStatus) => boolean = () => true) {
    for (;;) {
      const changed = this.nextLogged((line) => line.event === "adapter-state" && line["key"] === key);
      const adapter = (await this.status()).adapters.find((candidate) => candidate.key === key);
      if (adapter !== undefined && adapter.state === state && matches(adapter)) return adapter;
      try {
        await changed;
      } catch (cause) {
        const seen = JSON.stringify(adapter ?? "no such adapter");
        throw new Error(`${key} did not become ${state}; last seen: ${seen}`, { cause });
      }
    }
  }

  async status(): Promise<GatewayStatus> {
    return (await this.admin("GET", "/v1/status")).body as GatewayStatus;
  }

  /** One call of the admin API. */
  admin(method: string, path: string, body?: unknown): Promise<{ readonly status: number; readonly body: unknown }> {
    return new Promise((resolve, reject) => {
      const outgoing = request(
        {
          socketPath: this.home.socketPath,
          method,
          path,
          headers: {
            authorization: `Bearer ${this.home.adminToken}`,
            ...(body === undefined
              ? {}
              : { "content-type": typeof body === "string" ? "application/toml" : "application/json" }),
          },
        },
        (response) => {
          const chunks: Buffer[] = [];
          response.on("data", (chunk: Buffer) => chunks.push(chunk));
          response.on("end", () => {
            const text = Buffer.concat(chunks).toString("utf8");
            const isJson = response.headers["content-type"]?.includes("json") === true;
            resolve({ status: response.statusCode ?? 0, body: isJson ? JSON.parse(text) : text });
          });
        },
      );
      outgoing.on("error", reject);
      outgoing.end(body === undefined ? undefined : typeof body === "string" ? body : JSON.stringify(body));
    });
  }

  /** Tells the fault adapter under `key` what to do. */
  async provoke(key: string, command: Readonly<Record<string, unknown>>): Promise<void> {
    await this.admin("POST", "/v1/send", { target: `${key}/command`, text: JSON.stringify(command) });
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.signal("SIGKILL");
    await this.ended;
  }

  #onLine(text: string): void {
    let line: LogLine;
    try {
      line = JSON.parse(text) as LogLine;
    } catch {
      this.noise.push(text);
      return;
    }
    this.log.push(line);
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const waiter of waiters) {
      if (waiter.matches(line)) waiter.resolve(line);
      else this.#waiters.push(waiter);
    }
  }
}

/** A webhook adapter's client. */
export class WebhookClient {
  readonly #url: string;

  constructor(port: number) {
    this.#url = `http://127.0.0.1:${port}`;
  }

  async post(message: Readonly<Record<string, unknown>>): Promise<{ readonly status: number; readonly id: string }> {
    const response = await fetch(`${this.#url}/send`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(message),
    });
    const body = (await response.json()) as { readonly id?: string };
    return { status: response.status, id: body.id ?? "" };
  }

  /** Waits up to a minute for at least one message after `after`. */
  async poll(
    conversation: string,
    after?: number,
  ): Promise<{ readonly texts: readonly string[]; readonly cursor: number }> {
    const suffix = after === undefined ? "" : `&after=${after}`;
    const response = await fetch(`${this.#url}/poll/${conversation}?wait=60${suffix}`);
    const { messages, cursor } = (await response.json()) as {
      readonly messages: readonly { readonly content: string }[];
      readonly cursor: number;
    };
    return { texts: messages.map(({ content }) => content), cursor };
  }

  /** What the echo makes of `text`. */
  async roundTrip(conversation: string, text: string): Promise<readonly string[]> {
    await this.post({ conversation_id: conversation, content: text });
    return (await this.poll(conversation)).texts;
  }
}
