/** Has a fault of the schedule really happen, and lifts it in time. */
import { closeSync, ftruncateSync, openSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { sleep, withDeadline } from "../../../src/support/time.ts";
import type { GatewayStatus } from "../../../src/contract/status.ts";
import type { EmulatedPlatform } from "../../conformance/emulated-platform.ts";
import type { FaultCommand } from "../../support/fault-adapter.ts";
import { chaosConfig, faultKey, secretFile, secretsOf, type Variant } from "./chaos-config.ts";
import type { ChaosGateway } from "./chaos-gateway.ts";
import type { ChaosPlatform } from "./chaos-platforms.ts";
import type { Fault, Victim } from "./fault.ts";
import type { FaultModule } from "./fault-module.ts";
import type { Traffic } from "./traffic.ts";
import type { WallClock } from "./wall-clock.ts";

/** What faults happen to. */
export type World = {
  readonly gateway: ChaosGateway;
  readonly platforms: readonly ChaosPlatform[];
  readonly traffic: Traffic;
  readonly clock: WallClock;
  readonly faultModule: FaultModule;
  /** The state directory is a disk of its own, which may be filled; otherwise the journal is told that it is full. */
  readonly hasSmallDisk: boolean;
};

/** A call that the gateway does not take by then has met another fault. */
const callDeadlineMs = 5_000;
const emulatorDeadlineMs = 10_000;
/** A process that is told to stand still does so a moment later. */
const lookMs = 50;

/** Resolves when it is lifted. @throws {Error} when it could not be done, as when its victim is dead already. */
export async function inject(fault: Fault, world: World): Promise<void> {
  const { gateway, traffic } = world;
  switch (fault.kind) {
    case "service": {
      const { emulated } = find(world, fault.platform);
      emulated.setFault(fault.place, fault.fault);
      // Otherwise nobody would meet it on a connection that stands.
      if (fault.place === "connect") emulated.dropConnections();
      await sleep(fault.forMs);
      return emulated.liftFault(fault.place);
    }
    case "outage":
      return outage(find(world, fault.platform).emulated, fault.forMs);
    case "cut":
      return find(world, fault.platform).emulated.dropConnections();
    case "freeze":
      return find(world, fault.platform).emulated.freezeConnections();
    case "nonsense":
      return withDeadline(find(world, fault.platform).emulated.sayNonsense(), emulatorDeadlineMs, "The nonsense");
    case "repeat": {
      const platform = find(world, fault.platform);
      const old = traffic.oldMessage(platform);
      if (old === null) throw new Error("nothing of it is acknowledged yet");
      return withDeadline(platform.emulated.repeat(old.id), emulatorDeadlineMs, "The repetition");
    }
    case "kill":
      if (fault.victim === "coordinator") return gateway.kill();
      // What is acked by now must not come again to the next host.
      if (fault.victim === "handlers") await gateway.stand(lookMs);
      return kill(await hostOf(gateway, fault.victim), "SIGKILL");
    case "stop":
      return fault.victim === "coordinator" ? gateway.stand(fault.forMs) : stop(gateway, fault.victim, fault.forMs);
    case "restart":
      return gateway.restart();
    case "journal-thread":
      return gateway.callHooks();
    case "full-disk":
      return world.hasSmallDisk
        ? fillDisk(join(gateway.home.dir, "data"), fault.forMs)
        : withFile(gateway.fullDiskPath, () => sleep(fault.forMs));
    case "slow-disk":
      return withFile(gateway.slowDiskPath, async () => {
        await sleep(fault.forMs);
        if (fault.endsInKill) await gateway.kill();
      });
    case "clock":
      return world.clock.jump(fault.jumpSeconds);
    case "save":
      save(world, { what: fault.what, platform: fault.platform });
      await sleep(fault.forMs);
      return save(world, null);
    case "rotate-secret":
      return rotateSecret(world, fault.platform, fault.forMs);
    case "reload-storm":
      for (let count = 0; count < fault.saves; count += 1) {
        save(world, { what: count % 2 === 0 ? "settings" : "policy", platform: fault.platform });
        void reload(gateway).catch(() => {});
        await sleep(20);
      }
      save(world, null);
      return reload(gateway);
    case "adapter": {
      const { status } = await gateway.call("POST", "/v1/send", {
        body: { target: `${faultKey}/command`, text: JSON.stringify(placed(fault.command, world.faultModule)) },
        signal: AbortSignal.timeout(callDeadlineMs),
      });
      if (status !== 202) throw new Error(`the command was answered with ${status}`);
      return;
    }
  }
}

let saves = 0;

function save(world: World, variant: Omit<Variant, "turn"> | null): void {
  const { gateway, platforms, faultModule } = world;
  saves += 1;
  const config = chaosConfig(
    { platforms, faultModule: faultModule.path },
    variant === null ? null : { ...variant, turn: saves },
  );
  gateway.home.writeConfig(config);
}

/** The right secret comes back. The fault adapter takes any. */
async function rotateSecret({ gateway, platforms }: World, key: string, forMs: number): Promise<void> {
  const right = secretsOf(platforms).get(key) ?? "the first secret";
  saves += 1;
  gateway.home.writeFile(secretFile(key), `${right}${saves}\n`);
  try {
    await reload(gateway);
    await sleep(forMs);
  } finally {
    gateway.home.writeFile(secretFile(key), `${right}\n`);
  }
  await reload(gateway);
}

/** A FIFO has to be one that the adapter may read. */
function placed(command: FaultCommand, { fifoPath }: FaultModule): FaultCommand {
  return command.do === "fifo" || command.do === "pool-fifo" ? { ...command, path: fifoPath } : command;
}

/** While there is such a file, the debug hooks do what it stands for. */
async function withFile(path: string, happen: () => Promise<void>): Promise<void> {
  writeFileSync(path, "");
  try {
    await happen();
  } finally {
    // Two at once are over with the first.
    rmSync(path, { force: true });
  }
}

function find({ platforms }: World, key: string): ChaosPlatform {
  const platform = platforms.find((each) => each.key === key);
  if (platform === undefined) throw new Error(`there is no ${key}`);
  return platform;
}

async function outage(emulated: EmulatedPlatform, forMs: number): Promise<void> {
  const away = { kind: "drop", times: 1_000_000 } as const;
  for (const place of ["connect", "receive", "send"] as const) emulated.setFault(place, away);
  emulated.dropConnections();
  await sleep(forMs);
  for (const place of ["connect", "receive", "send"] as const) emulated.liftFault(place);
}

/** The process that most adapters live in, or the handlers'. */
async function hostOf(gateway: ChaosGateway, victim: Victim): Promise<number> {
  const over = AbortSignal.timeout(callDeadlineMs);
  for (;;) {
    const { hosts }: GatewayStatus = await gateway.status(over);
    const candidates = hosts.filter(({ keys }) => keys.includes("consumer:main") === (victim === "handlers"));
    const [largest] = candidates.toSorted((one, other) => other.keys.length - one.keys.length);
    if (largest !== undefined) return largest.pid;
    // Its successor is on its way.
    await sleep(lookMs, over);
  }
}

async function stop(gateway: ChaosGateway, victim: Victim, forMs: number): Promise<void> {
  if (victim === "handlers") await gateway.stand(lookMs);
  const pid = await hostOf(gateway, victim);
  kill(pid, "SIGSTOP");
  await sleep(forMs);
  try {
    kill(pid, "SIGCONT");
  } catch {
    // It was silent for too long and is gone, as it should be.
  }
}

function kill(pid: number, signal: NodeJS.Signals): void {
  process.kill(pid, signal);
}

async function reload(gateway: ChaosGateway): Promise<void> {
  await gateway.call("POST", "/v1/reload", { signal: AbortSignal.timeout(callDeadlineMs), isFinal: () => true });
}

/** A file takes all the room that there is. */
async function fillDisk(dir: string, forMs: number): Promise<void> {
  const path = join(dir, "filler");
  const file = openSync(path, "w");
  try {
    const chunk = Buffer.alloc(1_048_576);
    for (let isFull = false; !isFull;) {
      try {
        writeSync(file, chunk);
      } catch {
        isFull = true;
      }
    }
    await sleep(forMs);
  } finally {
    ftruncateSync(file, 0);
    closeSync(file);
    rmSync(path);
  }
}
