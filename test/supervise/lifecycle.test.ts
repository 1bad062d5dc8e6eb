import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as fc from "fast-check";
import { adapterStates } from "../../src/contract/status.ts";
import { failure } from "../../src/supervise/failure.ts";
import type { Lifecycle, LifecycleEvent } from "../../src/supervise/lifecycle-event.ts";
import { hasThread, initialLifecycle, transition } from "../../src/supervise/lifecycle.ts";

const crashed = failure("crashed", "boom");
const hung = failure("hung", "still");
const died = failure("host_died", "SIGKILL");

const events = {
  newSpec: { kind: "run", reason: "config_changed" },
  restart: { kind: "run", reason: "operator" },
  pause: { kind: "pause" },
  resume: { kind: "resume" },
  remove: { kind: "remove" },
  invalidate: { kind: "invalidate", message: "port: wrong" },
  started: { kind: "started" },
  reconnecting: { kind: "reconnecting", message: "lost" },
  connected: { kind: "connected" },
  failed: { kind: "failed", failure: crashed, by: "ask" },
  hung: { kind: "failed", failure: hung, by: "terminate" },
  recycle: { kind: "recycle", reason: "max_age", message: "old" },
  stopSettled: { kind: "stop_settled" },
  deadline: { kind: "deadline" },
  crashed: { kind: "gone", failure: crashed, isCounted: true },
  hostDied: { kind: "gone", failure: died, isCounted: false },
  retryPlanned: { kind: "retry_planned", atMs: 99, needsAttention: false },
  attentionPlanned: { kind: "retry_planned", atMs: 99, needsAttention: true },
  retryDue: { kind: "retry_due" },
} as const satisfies Record<string, LifecycleEvent>;
type EventName = keyof typeof events;

function at(state: Lifecycle["state"], changes: Partial<Lifecycle> = {}): Lifecycle {
  return { ...initialLifecycle(0), state, ...changes };
}

const ask = { step: "ask", failure: null } as const;
const terminating = { step: "terminate", failure: null } as const;

/** Every state with every event: `-` changes nothing, else the state (with what is wanted, unless it is to run) and the effects. */
const table: Readonly<Record<string, { readonly from: Lifecycle; readonly to: Readonly<Record<EventName, string>> }>> =
  {
    starting: {
      from: at("starting"),
      to: row({
        newSpec: "stopping: clear_streak ask",
        restart: "stopping: clear_streak ask",
        pause: "stopping/pause: ask",
        remove: "stopping/remove: ask",
        recycle: "stopping: ask",
        started: "running",
        reconnecting: "starting",
        connected: "starting",
        failed: "stopping: ask",
        hung: "stopping: terminate",
        deadline: "stopping: ask",
        crashed: "backing_off: plan_retry",
        hostDied: "starting: open",
      }),
    },
    running: {
      from: at("running"),
      to: row({
        newSpec: "stopping: clear_streak ask",
        restart: "stopping: clear_streak ask",
        pause: "stopping/pause: ask",
        remove: "stopping/remove: ask",
        recycle: "stopping: ask",
        reconnecting: "reconnecting",
        failed: "stopping: ask",
        hung: "stopping: terminate",
        crashed: "backing_off: plan_retry",
        hostDied: "starting: open",
      }),
    },
    reconnecting: {
      from: at("reconnecting"),
      to: row({
        newSpec: "stopping: clear_streak ask",
        restart: "stopping: clear_streak ask",
        pause: "stopping/pause: ask",
        remove: "stopping/remove: ask",
        recycle: "stopping: ask",
        reconnecting: "reconnecting",
        connected: "running",
        failed: "stopping: ask",
        hung: "stopping: terminate",
        crashed: "backing_off: plan_retry",
        hostDied: "starting: open",
      }),
    },
    "stopping, asked": {
      from: at("stopping", { ending: ask }),
      to: row({
        newSpec: "stopping: clear_streak",
        restart: "stopping: clear_streak",
        pause: "stopping/pause",
        remove: "stopping/remove",
        hung: "stopping: terminate",
        stopSettled: "stopping: terminate",
        deadline: "stopping: terminate",
        crashed: "starting: open",
        hostDied: "starting: open",
      }),
    },
    "stopping, terminating after a failure": {
      from: at("stopping", { ending: { step: "terminate", failure: hung } }),
      to: row({
        newSpec: "stopping: clear_streak",
        restart: "stopping: clear_streak",
        pause: "stopping/pause",
        remove: "stopping/remove",
        deadline: "unkillable: condemn",
        crashed: "backing_off: plan_retry",
        hostDied: "backing_off: plan_retry",
      }),
    },
    "stopping for a pause": {
      from: at("stopping", { ending: terminating, wanted: "pause" }),
      to: row({
        restart: "stopping: clear_streak",
        resume: "stopping: clear_streak",
        pause: "stopping/pause",
        remove: "stopping/remove",
        deadline: "unkillable/pause: condemn",
        crashed: "paused/pause",
        hostDied: "paused/pause",
      }),
    },
    "stopping for a removal": {
      from: at("stopping", { ending: ask, wanted: "remove" }),
      to: row({
        newSpec: "stopping: clear_streak",
        restart: "stopping: clear_streak",
        remove: "stopping/remove",
        hung: "stopping/remove: terminate",
        stopSettled: "stopping/remove: terminate",
        deadline: "stopping/remove: terminate",
        crashed: "stopped/remove",
        hostDied: "stopped/remove",
      }),
    },
    unkillable: {
      from: at("unkillable", { ending: terminating }),
      to: row({
        newSpec: "unkillable: clear_streak",
        restart: "unkillable: clear_streak",
        pause: "unkillable/pause",
        remove: "unkillable/remove",
        crashed: "starting: open",
        hostDied: "starting: open",
      }),
    },
    backing_off: {
      from: at("backing_off"),
      to: row({
        newSpec: "starting: clear_streak open",
        restart: "starting: clear_streak open",
        pause: "paused/pause",
        remove: "stopped/remove",
        retryDue: "starting: open",
        retryPlanned: "backing_off: await_retry",
        attentionPlanned: "needs_attention: await_retry",
      }),
    },
    needs_attention: {
      from: at("needs_attention"),
      to: row({
        newSpec: "starting: clear_streak open",
        restart: "starting: clear_streak open",
        pause: "paused/pause",
        remove: "stopped/remove",
        retryDue: "starting: open",
        retryPlanned: "backing_off: await_retry",
        attentionPlanned: "needs_attention: await_retry",
      }),
    },
    stopped: {
      from: at("stopped"),
      to: row({
        newSpec: "starting: open",
        restart: "starting: open",
        remove: "stopped/remove",
        invalidate: "invalid",
      }),
    },
    paused: {
      from: at("paused"),
      to: row({
        restart: "starting: clear_streak open",
        resume: "starting: clear_streak open",
        remove: "stopped/remove",
      }),
    },
    invalid: {
      from: at("invalid"),
      to: row({
        newSpec: "starting: open",
        restart: "starting: open",
        remove: "stopped/remove",
        invalidate: "invalid",
      }),
    },
  };

function row(changes: Partial<Record<EventName, string>>): Readonly<Record<EventName, string>> {
  const names = Object.keys(events) as EventName[];
  return Object.fromEntries(names.map((name) => [name, changes[name] ?? "-"])) as Record<EventName, string>;
}

function outcome(from: Lifecycle, event: LifecycleEvent): string {
  const { lifecycle, effects } = transition(from, event, 5);
  if (lifecycle === from && effects.length === 0) return "-";
  const wanted = lifecycle.wanted === "run" ? "" : `/${lifecycle.wanted}`;
  return [`${lifecycle.state}${wanted}`, effects.map(({ kind }) => kind).join(" ")].filter(Boolean).join(": ");
}

describe("transition()", () => {
  it("knows every state", () => {
    const states = new Set(Object.values(table).map(({ from }) => from.state));
    assert.deepEqual([...states].toSorted(), [...adapterStates].toSorted());
  });

  for (const [title, { from, to }] of Object.entries(table)) {
    for (const [name, event] of Object.entries(events)) {
      it(`${title}, on ${name}: ${to[name as EventName]}`, () => {
        assert.equal(outcome(from, event), to[name as EventName]);
      });
    }
  }

  it("shows the first cause of an end, not what came after it", () => {
    const asked = transition(at("running"), events.failed, 1).lifecycle;
    const terminated = transition(asked, events.hung, 2).lifecycle;
    const gone = transition(terminated, events.hostDied, 3);
    assert.equal(gone.lifecycle.reason, "crashed");
    assert.deepEqual(gone.effects, [{ kind: "plan_retry", failure: crashed }]);
  });

  it("counts no failure once a new spec has come while the failed generation still ends", () => {
    const ending = transition(at("running"), events.failed, 1).lifecycle;
    const respecified = transition(ending, events.newSpec, 2).lifecycle;
    assert.equal(outcome(respecified, events.crashed), "starting: open");
  });

  it("is reconnecting at once when the connection was lost before start was answered", () => {
    const lost = transition(at("starting"), events.reconnecting, 1).lifecycle;
    const running = transition(lost, events.started, 2).lifecycle;
    assert.deepEqual([running.state, running.message], ["reconnecting", "lost"]);
    const back = transition(lost, events.connected, 2).lifecycle;
    assert.equal(transition(back, events.started, 3).lifecycle.state, "running");
  });

  it("dates a state from its entry", () => {
    const running = transition(at("starting"), events.started, 7).lifecycle;
    assert.equal(running.sinceMs, 7);
    const reconnecting = transition(running, events.reconnecting, 9).lifecycle;
    assert.equal(transition(reconnecting, events.reconnecting, 11).lifecycle.sinceMs, 9);
  });

  it("never opens a generation while a thread of the key may exist", () => {
    const names = Object.keys(events) as EventName[];
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...names), { maxLength: 60 }), (order) => {
        let lifecycle = initialLifecycle(0);
        let isThreadThere = false;
        for (const name of order) {
          const event = events[name];
          // A thread that is not there cannot go.
          if (event.kind === "gone" && !isThreadThere) continue;
          if (event.kind === "gone") isThreadThere = false;
          const next = transition(lifecycle, event, 1);
          lifecycle = next.lifecycle;
          for (const { kind } of next.effects) {
            if (kind !== "open") continue;
            assert.equal(isThreadThere, false, `a second generation was opened by ${name}`);
            isThreadThere = true;
          }
          assert.equal(hasThread(lifecycle), isThreadThere, `${lifecycle.state} after ${name}`);
          assert.equal(lifecycle.ending !== null, ["stopping", "unkillable"].includes(lifecycle.state));
        }
      }),
      { numRuns: 2000 },
    );
  });
});
