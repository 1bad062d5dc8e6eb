/** Adapters that start, crash, hang, are told and told otherwise, in any order, against the little that must always hold. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as fc from "fast-check";
import { GatewayError } from "../../src/contract/errors.ts";
import { adapterSpec } from "../support/adapter-spec.ts";
import { supervisorDefaults } from "../support/config-fixture.ts";
import type { FakeBehaviour, FakeGeneration } from "../support/fake-hosts.ts";
import { supervisionRig, type Rig } from "../support/supervision-rig.ts";
import { areAllWanted } from "../support/wall-tests.ts";

const keys = ["a", "b"] as const;
/** The longest wait of all, for what needs attention, and a slow retry after it. */
const longestRetryMs = supervisorDefaults.attentionRetryMs + supervisorDefaults.slowRetryMs;
/** Nothing ever happens to it. */
const calm = "calm";

/** What each key was last told to be. */
type Wanted = { is: "running" | "paused" | "gone"; isInvalid: boolean; connection: string; desiredGeneration: number };
type Model = { readonly wanted: Map<string, Wanted>; generation: number; frames: number };
type Life = { readonly rig: Rig; next: FakeBehaviour };

const behaviours: readonly FakeBehaviour[] = [
  {},
  {},
  { start: new GatewayError("platform_unavailable", "503") },
  { start: new GatewayError("unauthorized", "401") },
  { start: "hangs" },
  { module: "hangs", stop: "hangs" },
  { open: "hangs" },
  { open: "is_stuck" },
  { open: new GatewayError("adapter_unavailable", "no host") },
  { stop: "hangs" },
  { stop: new GatewayError("internal", "cannot log out") },
  { start: "late" },
  { stop: "late" },
  { start: "late", stop: "late" },
  { updatePolicy: "hangs" },
  { updatePolicy: new GatewayError("invalid_request", "cannot swap") },
  { stop: "hangs", terminate: "survives" },
  { stop: "hangs", terminate: "survives", hostKind: "inline" },
  { stop: "hangs", terminate: "survives", hostKind: "inline", started: { overlap: true } },
  { started: { canUpdatePolicy: false } },
  { started: { canProbe: true }, probe: "hangs" },
];

/** Its thread does not end, its process cannot end for it, and its successor does not wait. */
function isGivenUp(rig: Rig, { behaviour, request, terminateCount }: FakeGeneration): boolean {
  return (
    behaviour.hostKind === "inline" && terminateCount > 0 && request.generation !== rig.fleet.generation(request.key)
  );
}

/** All that is told of the fleet. */
function seen(rig: Rig): string {
  return JSON.stringify(rig.fleet.statuses().map((status) => ({ ...status, conditions: [] })));
}

/** The threads of `key` that are still reckoned with. */
function present(rig: Rig, key: string): readonly FakeGeneration[] {
  return rig.hosts.live(key).filter((generation) => !isGivenUp(rig, generation));
}

/** What happens to a thread. */
const faults = {
  crash: (generation: FakeGeneration) => generation.exit(),
  hostDies: (generation: FakeGeneration) => generation.hostGone(),
  evacuate: (generation: FakeGeneration) => generation.listener.onEvacuate({ cause: "unkillable", keys: [] }),
  tooLarge: (generation: FakeGeneration) => generation.listener.onEvacuate({ cause: "too_large", keys: [] }),
  streamEnds: (generation: FakeGeneration) => generation.emitEvent({ event: "closed", error: null }),
  refused: (generation: FakeGeneration) =>
    generation.emitEvent({ event: "closed", error: new GatewayError("unauthorized", "revoked").toReport() }),
  reconnects: (generation: FakeGeneration) => generation.emitEvent({ event: "reconnecting", reason: "lost" }),
  connects: (generation: FakeGeneration) => generation.emitEvent({ event: "connected" }),
  hangs: (generation: FakeGeneration) => {
    for (let ageMs = 0; ageMs <= 11_000; ageMs += 250) generation.sample({ utilization: 1, heartbeatAgeMs: ageMs });
  },
  leaks: (generation: FakeGeneration) =>
    generation.sample({ memory: { heapBytes: 400_000_000, externalBytes: 0, arrayBufferBytes: 0 } }),
} as const;
type Fault = keyof typeof faults;

/** Steps of a run. Each leaves the model as the fleet must become. */
abstract class Step implements fc.AsyncCommand<Model, Life> {
  readonly key: string;

  constructor(key: string) {
    this.key = key;
  }

  check(_model: Readonly<Model>): boolean {
    return true;
  }

  async run(model: Model, life: Life): Promise<void> {
    await this.do(model, life);
    await life.rig.settle();
    assertSound(model, life);
  }

  toString(): string {
    return `${this.constructor.name}${JSON.stringify(this)}`;
  }

  protected abstract do(model: Model, life: Life): void | Promise<void>;
}

class Apply extends Step {
  readonly connection: string;
  readonly policy: string;

  constructor(key: string, connection: number, policy: number) {
    super(key);
    this.connection = `c${connection}`;
    this.policy = `p${policy}`;
  }

  protected do(model: Model, { rig }: Life): void {
    const desiredGeneration = (model.generation += 1);
    const before = model.wanted.get(this.key);
    rig.fleet.apply(
      adapterSpec({ key: this.key, connection: this.connection, policyFingerprint: this.policy }),
      desiredGeneration,
    );
    const is = before?.is === "paused" ? "paused" : "running";
    model.wanted.set(this.key, { is, isInvalid: false, connection: this.connection, desiredGeneration });
  }
}

class Invalidate extends Step {
  protected do(model: Model, { rig }: Life): void {
    const desiredGeneration = (model.generation += 1);
    const errors = [{ path: `messaging.${this.key}.port`, message: "wrong", line: 1 }];
    rig.fleet.markInvalid({ key: this.key, platform: "webhook", errors }, desiredGeneration);
    const before = model.wanted.get(this.key);
    if (before === undefined || before.is === "gone")
      model.wanted.set(this.key, { is: "gone", isInvalid: true, connection: "", desiredGeneration });
    else Object.assign(before, { isInvalid: true, desiredGeneration });
  }
}

class Remove extends Step {
  protected do(model: Model, { rig }: Life): void {
    rig.fleet.stop(this.key, (model.generation += 1));
    const before = model.wanted.get(this.key);
    if (before !== undefined) Object.assign(before, { is: "gone", isInvalid: false });
  }
}

class Order extends Step {
  readonly order: "pause" | "resume" | "restart";

  constructor(key: string, order: Order["order"]) {
    super(key);
    this.order = order;
  }

  override check({ wanted }: Readonly<Model>): boolean {
    const is = wanted.get(this.key)?.is;
    return is === "running" || is === "paused";
  }

  protected do({ wanted }: Model, { rig }: Life): void {
    if (this.order === "restart") rig.fleet.restart(this.key, { shared: false });
    else rig.fleet[this.order](this.key);
    const told = wanted.get(this.key);
    if (told !== undefined) told.is = this.order === "pause" ? "paused" : "running";
  }
}

class Befall extends Step {
  readonly fault: Fault;

  constructor(key: string, fault: Fault) {
    super(key);
    this.fault = fault;
  }

  protected do(_model: Model, { rig }: Life): void {
    const [generation] = present(rig, this.key);
    if (generation !== undefined) faults[this.fault](generation);
  }
}

/** One host takes down all that live in it. */
class HostDies extends Step {
  protected do(_model: Model, { rig }: Life): void {
    const all = keys.flatMap((key) => present(rig, key));
    const gone = { cause: "died", detail: "SIGKILL", keys: all.map(({ request }) => request.key) } as const;
    for (const generation of all) generation.hostGone(gone);
  }
}

class Emit extends Step {
  protected do(model: Model, { rig }: Life): void {
    const [generation] = present(rig, this.key);
    const isHeard = generation !== undefined && generation.request.generation === rig.fleet.generation(this.key);
    generation?.emitData();
    if (isHeard) model.frames += 1;
  }
}

/** Signs of a generation that is long gone, or of one that was given up while its host was still at it. */
class SpeakFromTheGrave extends Step {
  readonly fault: Fault;
  readonly which: number;

  constructor(key: string, fault: Fault, which: number) {
    super(key);
    this.fault = fault;
    this.which = which;
  }

  protected do(_model: Model, { rig }: Life): void {
    const dead = rig.hosts.opened.filter(
      (generation) =>
        generation.request.key === this.key &&
        (generation.isLive
          ? isGivenUp(rig, generation)
          : generation.request.generation !== rig.fleet.generation(this.key)),
    );
    const one = dead[this.which % Math.max(1, dead.length)];
    if (one === undefined) return;
    const [before, { isLive }] = [seen(rig), one];
    one.isLive = true;
    faults[this.fault](one);
    one.emitData();
    one.isLive &&= isLive;
    assert.equal(seen(rig), before, "the dead are not heard");
  }
}

/** A call that was made long ago is answered. What is still there may listen; a generation whose successor is there is not heard. */
class AnswerLate extends Step {
  readonly isRefusal: boolean;

  constructor(key: string, isRefusal: boolean) {
    super(key);
    this.isRefusal = isRefusal;
  }

  protected async do(_model: Model, { rig }: Life): Promise<void> {
    const waiting = rig.hosts.opened.filter(({ request, lateCalls }) => request.key === this.key && lateCalls > 0);
    const error = this.isRefusal ? new GatewayError("unauthorized", "refused long ago") : null;
    const isOver = (generation: FakeGeneration): boolean => !generation.isLive || isGivenUp(rig, generation);
    const before = seen(rig);
    for (const generation of waiting) if (isOver(generation)) generation.answerLate(error);
    await rig.settle();
    assert.equal(seen(rig), before, "a dead generation's late answer is not heard");
    for (const generation of waiting) generation.answerLate(error);
  }
}

class Behave extends Step {
  readonly behaviour: number;

  constructor(key: string, behaviour: number) {
    super(key);
    this.behaviour = behaviour;
  }

  protected do(_model: Model, life: Life): void {
    life.next = behaviours[this.behaviour] ?? {};
  }
}

class Wait extends Step {
  readonly ms: number;

  constructor(key: string, ms: number) {
    super(key);
    this.ms = ms;
  }

  protected async do(_model: Model, { rig }: Life): Promise<void> {
    await rig.advance(this.ms);
  }
}

/** What was stuck comes loose: opens are answered, hosts that had to go are gone. */
class ComeLoose extends Step {
  protected do(_model: Model, { rig }: Life): void {
    comeLoose(rig);
  }
}

/** The end of every run. */
class Rest extends Step {
  /** Nobody saves a config: what waits for a retry comes by itself or not at all. */
  readonly isLeftAlone: boolean;

  constructor(key: string, isLeftAlone: boolean) {
    super(key);
    this.isLeftAlone = isLeftAlone;
  }

  protected async do(model: Model, life: Life): Promise<void> {
    life.next = {};
    if (!this.isLeftAlone) applyLast(model, life);
    for (let round = 0; round < 3; round += 1) {
      await life.rig.advance(20_000);
      comeLoose(life.rig);
      await life.rig.settle();
    }
    if (this.isLeftAlone) {
      reconnect(life.rig);
      await life.rig.advance(longestRetryMs, 5_000);
    }
    assertConverged(model, life);
  }
}

/** A lost connection is its adapter's to restore. */
function reconnect(rig: Rig): void {
  for (const { key, state } of rig.fleet.statuses())
    if (state === "reconnecting") for (const generation of present(rig, key)) faults.connects(generation);
}

function comeLoose(rig: Rig): void {
  for (const generation of rig.hosts.opened) {
    generation.released.resolve();
    generation.answerLate();
    if (generation.condemnReason !== null && generation.isLive) generation.hostGone({ cause: "killed" });
    if (generation.behaviour.hostKind === "inline" && generation.terminateCount > 0) generation.exit();
  }
}

function assertSound(model: Model, { rig }: Life): void {
  for (const key of [...keys, calm]) {
    const live = present(rig, key);
    assert.ok(live.length <= 1, `two generations of ${key} live`);
    const status = rig.fleet.statuses().find((each) => each.key === key);
    if (status?.state === "running") assert.equal(live[0]?.request.generation, status.generation);
    if (status !== undefined && status.observedGeneration > status.desiredGeneration)
      assert.fail(`${key} obeys a config that there is not`);
    const told = model.wanted.get(key);
    if (status?.state === "running" && told?.is === "paused") assert.fail(`${key} runs though it is paused`);
    if (status?.state === "running" && told?.is === "gone") assert.fail(`${key} runs though it was removed`);
  }
  assert.deepEqual(rig.where(calm), ["running", "none"]);
  assert.equal(rig.hosts.opened.filter(({ request }) => request.key === calm).length, 1, "the calm one was touched");
  assert.equal(rig.frames.length, model.frames, "every frame of a live generation, and no other");
  const numbers = rig.hosts.opened.map(({ request }) => request.generation);
  assert.equal(new Set(numbers).size, numbers.length, "no number repeats");
}

/** A save that every wanted key must take: a reason to start at once whatever has failed. */
function applyLast(model: Model, { rig }: Life): void {
  for (const key of keys) {
    const told = model.wanted.get(key);
    if (told?.is !== "running" && told?.is !== "paused") continue;
    rig.fleet.apply(adapterSpec({ key, connection: "the last" }), (model.generation += 1));
    told.isInvalid = false;
  }
}

/** All has been well for long enough: each key is what it was last told to be. */
function assertConverged(model: Model, { rig }: Life): void {
  for (const key of keys) {
    const told = model.wanted.get(key);
    const live = present(rig, key);
    if (told?.is === "running") {
      assert.equal(rig.status(key).state, "running", key);
      // The last good generation of an invalid table runs on, and obeys no newer config.
      if (!told.isInvalid) assert.equal(rig.status(key).observedGeneration, rig.status(key).desiredGeneration);
      assert.equal(live.length, 1);
      assert.equal(live[0]?.request.generation, rig.status(key).generation);
    } else assert.equal(live.length, 0, `${key} is ${told?.is ?? "unknown"} and has a thread`);
    if (told?.is === "paused") assert.equal(rig.status(key).state, "paused");
    if (told?.is === "gone" && told.isInvalid) assert.equal(rig.status(key).state, "invalid");
    if (told?.is === "gone" && !told.isInvalid)
      assert.ok(!rig.fleet.statuses().some((status) => status.key === key), `${key} is still listed`);
  }
}

const key = fc.constantFrom(...keys);
const fault = fc.constantFrom(...(Object.keys(faults) as Fault[]));
const steps: fc.Arbitrary<fc.AsyncCommand<Model, Life>>[] = [
  fc.tuple(key, fc.nat({ max: 2 }), fc.nat({ max: 2 })).map(([one, ...numbers]) => new Apply(one, ...numbers)),
  fc.tuple(key, fc.nat({ max: 2 }), fc.nat({ max: 2 })).map(([one, ...numbers]) => new Apply(one, ...numbers)),
  key.map((one) => new Invalidate(one)),
  key.map((one) => new Remove(one)),
  fc.tuple(key, fc.constantFrom("pause", "resume", "restart")).map(([one, order]) => new Order(one, order)),
  fc.tuple(key, fault).map(([one, which]) => new Befall(one, which)),
  fc.tuple(key, fault).map(([one, which]) => new Befall(one, which)),
  fc.tuple(key, fault, fc.nat()).map(([one, which, at]) => new SpeakFromTheGrave(one, which, at)),
  key.map((one) => new HostDies(one)),
  key.map((one) => new Emit(one)),
  fc.tuple(key, fc.nat({ max: behaviours.length - 1 })).map(([one, which]) => new Behave(one, which)),
  fc.tuple(key, fc.constantFrom(0, 1_500, 6_000, 40_000)).map(([one, ms]) => new Wait(one, ms)),
  key.map((one) => new ComeLoose(one)),
  fc.tuple(key, fc.boolean()).map(([one, isRefusal]) => new AnswerLate(one, isRefusal)),
];

describe("AdapterFleet", () => {
  it("never runs two generations of a key, hears no dead one, touches no other key, and comes to rest as it was told", async (t) => {
    await fc.assert(
      fc.asyncProperty(
        fc.commands(steps, { size: "large", maxCommands: 60 }),
        fc.boolean(),
        async (commands, isLeftAlone) => {
          await fc.asyncModelRun(async () => {
            const life: Life = { rig: await supervisionRig(t), next: {} };
            const model: Model = { wanted: new Map(), generation: 1, frames: 0 };
            life.rig.hosts.behave = (request) => (request.key === calm ? {} : life.next);
            life.rig.fleet.apply(adapterSpec({ key: calm }), 1);
            await life.rig.settle();
            return { model, real: life };
          }, [...commands, new Rest(keys[0], isLeftAlone)]);
        },
      ),
      { numRuns: areAllWanted ? 5_000 : 60 },
    );
  });
});
