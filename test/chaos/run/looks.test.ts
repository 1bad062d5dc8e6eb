import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { leaks, type Holdings, type HostHoldings, type Look, type ServiceHoldings } from "./looks.ts";

type Parts = {
  readonly life?: number;
  readonly coordinator?: Partial<Holdings>;
  readonly host?: Partial<HostHoldings>;
  readonly slack?: Partial<ServiceHoldings>;
};

function look({ life = 1, coordinator, host, slack }: Parts = {}): Look {
  const own = {
    rssBytes: 1,
    threads: 12,
    descriptors: 40,
    sockets: 8,
    timers: 20,
    hosts: 2,
    strays: 0,
    ...coordinator,
  };
  return {
    life,
    atMs: 40_000,
    coordinator: own,
    host: { pid: 7, keys: ["slack", "discord"], threads: 20, descriptors: 60, ...host },
    services: { slack: { live: 1, openSockets: 2, ...slack } },
  };
}

describe("leaks()", () => {
  it("has nothing against two quiet moments of one life that differ by little", () => {
    assert.deepEqual(leaks([look(), look({ coordinator: { descriptors: 43 }, slack: { openSockets: 6 } })]), []);
  });

  it("finds what a life held more of at its end than at its start", () => {
    const grown = look({
      coordinator: { threads: 13, descriptors: 44, sockets: 12, timers: 24, strays: 1 },
      host: { threads: 23, descriptors: 73 },
    });
    assert.deepEqual(leaks([look(), grown]), [
      "leaked: the coordinator's threads were 12 and are 13",
      "leaked: the coordinator's descriptors were 40 and are 44",
      "leaked: the coordinator's sockets were 8 and are 12",
      "leaked: the coordinator's timers were 20 and are 24",
      "leaked: the coordinator's strays were 0 and are 1",
      "leaked: the shared host's threads were 20 and are 23",
      "leaked: the shared host's descriptors were 60 and are 73",
    ]);
  });

  it("compares lives with themselves only, and grants a host of its own to who is in quarantine", () => {
    const other = { threads: 40, descriptors: 90 };
    const second = { life: 2, coordinator: other, host: { ...other, pid: 8 } };
    assert.deepEqual(leaks([look(), look(), look(second), look(second)]), []);
    assert.deepEqual(leaks([look(), look({ coordinator: { hosts: 3, descriptors: 48 } })]), []);
  });

  it("is not content with lives that were looked at once", () => {
    assert.deepEqual(leaks([look(), look({ life: 2, host: { pid: 8 } })]), [
      "not measured: no life of the coordinator had two quiet moments",
      "not measured: no life of the shared host had two quiet moments",
    ]);
    assert.deepEqual(leaks([look(), look({ host: { keys: ["slack"] } })]), [
      "not measured: no life of the shared host had two quiet moments",
    ]);
  });

  it("finds connections that an adapter should not hold, or should, at every quiet moment", () => {
    const moments = [look(), look({ slack: { live: 2, openSockets: 7 } }), look({ slack: { live: 0 } }), look()];
    assert.deepEqual(leaks(moments), [
      "held: slack had 1 connections and has 2 at 40.0 s",
      "leaked: slack had 2 sockets and has 7 at 40.0 s",
      "held: slack had 1 connections and has 0 at 40.0 s",
    ]);
  });
});
