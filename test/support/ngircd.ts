/** A chat server that nobody here wrote: Debian's ngIRCd on loopback, behind a WebSocket that changes as little as it can. */
import { spawn, type ChildProcess } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { WebSocketServer } from "ws";
import { Observed } from "../conformance/observed.ts";
import { freePort } from "./gateway-fixture.ts";

const executablePath = process.env["BULKHEAD_NGIRCD"] ?? "/usr/sbin/ngircd";

/** `false`: there is one. Else why the tests that need it are skipped; in CI they never are. */
export const ngircdSkipReason: string | false =
  existsSync(executablePath) || process.env["CI"] === "true" ? false : `there is no ngircd at ${executablePath}`;

/** What it takes to log in, behind `oauth:`. */
export const ngircdToken = "ngircd0token";

/** A plain IRC client. */
export class IrcClient implements Disposable {
  readonly lines = new Observed<string>();
  readonly #socket: Socket;

  private constructor(port: number, nick: string) {
    this.#socket = connect(port, "127.0.0.1");
    this.#socket.on("error", () => {});
    const lines = createInterface({ input: this.#socket });
    lines.on("line", (line) => {
      if (line.startsWith("PING")) this.send(line.replace("PING", "PONG"));
      this.lines.add(line);
    });
    lines.on("error", () => {});
    this.send(`PASS oauth:${ngircdToken}`, `NICK ${nick}`, `USER ${nick} 0 * :${nick}`);
  }

  /** Logged in, and in the channel. */
  static async join(port: number, nick: string, channel: string): Promise<IrcClient> {
    const client = new IrcClient(port, nick);
    await client.lines.first((line) => line.includes(" 376 "), "the welcome");
    client.send(`JOIN #${channel}`);
    await client.lines.first((line) => line.includes(" 366 "), "the names in a channel");
    return client;
  }

  send(...lines: readonly string[]): void {
    this.#socket.write(`${lines.join("\r\n")}\r\n`);
  }

  [Symbol.dispose](): void {
    this.#socket.destroy();
  }
}

/** A server with its bridge. Disposing ends both. */
export class Ngircd implements AsyncDisposable {
  readonly port: number;
  readonly #process: ChildProcess;
  readonly #ended: Promise<unknown>;
  readonly #directory: string;
  readonly #bridge: WebSocketServer;

  private constructor(parts: { readonly port: number; readonly process: ChildProcess; readonly directory: string }) {
    this.port = parts.port;
    this.#process = parts.process;
    this.#directory = parts.directory;
    this.#ended = new Promise((resolve) => parts.process.once("exit", resolve));
    this.#bridge = new WebSocketServer({ port: 0, host: "127.0.0.1" });
    this.#bridge.on("connection", (socket) => {
      const upstream = connect(this.port, "127.0.0.1");
      upstream.on("error", () => socket.terminate());
      upstream.on("close", () => socket.close());
      socket.on("error", () => {});
      socket.on("close", () => upstream.destroy());
      createInterface({ input: upstream })
        .on("line", (line) => socket.send(`${line}\r\n`))
        .on("error", () => {});
      socket.on("message", (data: Buffer) => {
        for (const line of translated(data.toString().trimEnd())) upstream.write(`${line}\r\n`);
      });
    });
  }

  static async start(): Promise<Ngircd> {
    const port = await freePort();
    const directory = mkdtempSync(join(tmpdir(), "bulkhead-ngircd-"));
    const configPath = join(directory, "ngircd.conf");
    writeFileSync(configPath, configOf(port));
    // The configuration is read before it gives up root's rights, where it has them.
    const server = spawn(executablePath, ["--nodaemon", "--config", configPath], { stdio: ["ignore", "pipe", "pipe"] });
    const output = new Observed<string>();
    for (const stream of [server.stdout, server.stderr])
      createInterface({ input: stream }).on("line", (line) => output.add(line));
    await output.first((line) => line.endsWith("ready."), "ngircd ready");
    return new Ngircd({ port, process: server, directory });
  }

  /** Of the bridge. */
  get url(): string {
    return `ws://127.0.0.1:${(this.#bridge.address() as AddressInfo).port}/`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#bridge.clients) client.terminate();
    this.#bridge.close();
    this.#process.kill();
    await this.#ended;
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

/** What Twitch adds to IRC, taken off; and what it leaves out, put in. */
function translated(line: string): readonly string[] {
  if (line.startsWith("CAP ")) return [];
  const nick = /^NICK (\S+)$/u.exec(line)?.[1];
  return nick === undefined ? [line.replace(/^@\S+ /u, "")] : [line, `USER ${nick} 0 * :${nick}`];
}

function configOf(port: number): string {
  return `[Global]
Name = tmi.twitch.tv
Info = test
AdminInfo1 = test
Listen = 127.0.0.1
Password = oauth:${ngircdToken}
Ports = ${port}
MotdPhrase = hello
ServerUID = nobody
ServerGID = nogroup
[Limits]
MaxConnectionsIP = 0
MaxNickLength = 25
[Options]
DNS = no
Ident = no
PAM = no
`;
}
