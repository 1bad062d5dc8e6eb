/** A real gateway in processes of its own, with the platform's adapter in a host of its own and a handler that says what it hears. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { AdapterStatus } from "../../src/contract/status.ts";
import { GatewayHome, type LogLine, type RunningGateway } from "../support/gateway-fixture.ts";
import type { EmulatedPlatform } from "./emulated-platform.ts";
import { patience, within } from "./within.ts";

/** Says what it is given, and answers what begins with `echo`. */
const handler = `export default async function handle(message, context) {
  context.log.info("conformance-heard", { message });
  return message.text.startsWith("echo ") ? message.text.slice(5) : undefined;
}
`;

/** Compiled code outlives a gateway: there is one per case, and starting it is most of what a case costs. */
const environment = {
  NODE_COMPILE_CACHE: fileURLToPath(new URL("../../node_modules/.cache/conformance", import.meta.url)),
};

/** What a step may take in which processes start, milliseconds. */
const processDeadlineMs = 40_000;

/** A message as the handler was given it. */
export type HeardMessage = {
  readonly id: string;
  readonly conversation: string;
  readonly text: string;
  readonly redelivered: boolean;
};

/** What the gateway says when an adapter's state changes. */
export type StateChange = Pick<AdapterStatus, "state" | "reason">;

/** What a case may change about the config. */
export type GatewayBenchOptions = {
  /** `[[bindings]]` tables. */
  readonly bindings?: string;
  /** Lines of `[messaging.KEY.supervisor]`. */
  readonly supervisor?: string;
};

/** One gateway. Disposing kills it. */
export class GatewayBench implements AsyncDisposable {
  readonly platform: EmulatedPlatform;
  readonly gateway: RunningGateway;

  private constructor(platform: EmulatedPlatform, gateway: RunningGateway) {
    this.platform = platform;
    this.gateway = gateway;
  }

  /** Resolves when the gateway is ready, whatever its adapter does. */
  static async start(platform: EmulatedPlatform, options: GatewayBenchOptions = {}): Promise<GatewayBench> {
    const home = new GatewayHome();
    home.writeFile("handler.mjs", handler);
    home.writeConfig(configOf(platform, options));
    return new GatewayBench(platform, await home.start({ environment }));
  }

  /** Replaces the config and waits until the gateway has done what it says. */
  async save(options: GatewayBenchOptions): Promise<void> {
    this.gateway.home.writeConfig(configOf(this.platform, options));
    const { status, body } = await this.gateway.admin("POST", "/v1/reload?wait=30");
    assert.equal(status, 200, JSON.stringify(body));
  }

  /** The adapter's status once it is in `state`. Wherever a case finds it, its host is confined. */
  async reached(
    state: AdapterStatus["state"],
    matches: (adapter: AdapterStatus) => boolean = () => true,
  ): Promise<AdapterStatus> {
    const reached = this.gateway.reached(this.platform.platform, state, matches);
    const adapter = await long(reached, `the adapter ${state}`);
    if (adapter.host !== null) assertConfined(adapter.host.pid);
    return adapter;
  }

  /** The adapter's next change of state that matches, as the gateway logs it. */
  async nextState(matches: (change: StateChange) => boolean, what: string): Promise<StateChange> {
    const isIt = (line: LogLine): boolean =>
      line.event === "adapter-state" && line["key"] === this.platform.platform && matches(changeIn(line));
    return changeIn(await long(this.gateway.nextLogged(isIt, what), what));
  }

  /** Its status now. */
  async adapter(): Promise<AdapterStatus> {
    const { adapters } = await this.gateway.status();
    const found = adapters.find(({ key }) => key === this.platform.platform);
    assert.ok(found !== undefined, `there is no adapter ${this.platform.platform}`);
    return found;
  }

  /** What an operator does. */
  async restart(): Promise<void> {
    const { status } = await this.gateway.admin("POST", `/v1/adapters/${this.platform.platform}/restart`);
    assert.equal(status, 202);
  }

  /** Everything the handler has heard, as often as it was called. */
  get heard(): readonly HeardMessage[] {
    return this.gateway.log.flatMap((line) => heardIn(line));
  }

  /** The first message with this text, past or to come, that the handler hears. */
  async hears(text: string): Promise<HeardMessage> {
    const logged = this.gateway.logged((line) => heardIn(line)[0]?.text === text);
    const [message] = heardIn(await long(logged, `${JSON.stringify(text)} heard by the handler`));
    assert.ok(message !== undefined);
    return message;
  }

  /** Says `text` on the platform and waits until the handler hears it. */
  async talk(text: string): Promise<HeardMessage> {
    await this.platform.say({ text });
    return this.hears(text);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.gateway[Symbol.asyncDispose]();
  }
}

/** What works without Node's permission model may not work under it, and under it is how gateways run. */
function assertConfined(hostPid: number): void {
  let commandLine: string;
  try {
    commandLine = readFileSync(`/proc/${hostPid}/cmdline`, "utf8").replaceAll("\0", " ");
  } catch {
    // It has ended since.
    return;
  }
  // Empty while a process ends.
  if (commandLine === "") return;
  assert.ok(commandLine.includes(" --permission "), `the adapter's host is not confined: ${commandLine}`);
}

/** With patience for processes that start. */
function long<Value>(promise: Promise<Value>, what: string): Promise<Value> {
  return patience.run(patience.getStore() ?? processDeadlineMs, () => within(promise, what));
}

function configOf(platform: EmulatedPlatform, { bindings = "", supervisor = "" }: GatewayBenchOptions): string {
  return (
    `[gateway]\nlog_level = "debug"\n[[consumers]]\nname = "main"\nmodule = "./handler.mjs"\n${bindings}\n` +
    `[messaging.${platform.platform}]\n${platform.toml}\n` +
    `[messaging.${platform.platform}.supervisor]\nisolation = "process"\n${supervisor}\n`
  );
}

function changeIn(line: LogLine): StateChange {
  return line as unknown as StateChange;
}

function heardIn(line: LogLine): readonly HeardMessage[] {
  return line.event === "conformance-heard" ? [line["message"] as HeardMessage] : [];
}
