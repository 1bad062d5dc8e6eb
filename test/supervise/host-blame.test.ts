import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as fc from "fast-check";
import { HostBlame, type BlamedAdapter } from "../../src/supervise/host-blame.ts";

class FakeAdapter implements BlamedAdapter {
  readonly key: string;
  group = "";
  isMovable = true;
  suspectedOf: string | null = null;

  constructor(key: string) {
    this.key = key;
  }

  suspicion(): string | null {
    return this.suspectedOf;
  }

  moveTo(group: string): void {
    this.group = group;
  }

  rejoin(): void {
    this.group = "";
  }
}

function gateway(count: number): { readonly blame: HostBlame; readonly adapters: readonly FakeAdapter[] } {
  const blame = new HostBlame();
  const adapters = Array.from({ length: count }, (_, index) => new FakeAdapter(`a${index}`));
  for (const adapter of adapters) blame.join(adapter);
  return { blame, adapters };
}

function residentsOf(adapters: readonly FakeAdapter[], group: string): readonly string[] {
  return adapters.filter((adapter) => adapter.group === group).map(({ key }) => key);
}

describe("HostBlame", () => {
  it("has whoever takes its host down alone after log2(n) deaths, whoever it is and however many there are", () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 100 }), fc.nat(), (count, pick) => {
        const { blame, adapters } = gateway(count);
        const culprit = adapters[pick % count];
        assert.ok(culprit !== undefined);
        let deaths = 0;
        for (; residentsOf(adapters, culprit.group).length > 1; deaths += 1)
          assert.equal(blame.judge({ keys: residentsOf(adapters, culprit.group) }).kind, "split");
        assert.ok(deaths <= Math.ceil(Math.log2(count)), `${deaths} deaths for ${count}`);
        const end = { keys: residentsOf(adapters, culprit.group) };
        assert.deepEqual(blame.judge(end), { kind: "alone", isSplitOff: true });
      }),
    );
  });

  it("decides once for all who tell of the same end", () => {
    const { blame, adapters } = gateway(4);
    const end = { keys: adapters.map(({ key }) => key) };
    const verdicts = adapters.map(() => blame.judge(end));
    assert.equal(new Set(verdicts).size, 1);
    assert.deepEqual(residentsOf(adapters, ""), ["a2", "a3"]);
  });

  it("splits nobody while something speaks against one of them", () => {
    const { blame, adapters } = gateway(4);
    const [first] = adapters;
    assert.ok(first !== undefined);
    first.suspectedOf = "it was starting";
    assert.deepEqual(blame.judge({ keys: ["a0", "a1", "a2", "a3"] }), { kind: "suspects" });
    assert.equal(residentsOf(adapters, "").length, 4);
  });

  it("leaves in the common host who must live there", () => {
    const { blame, adapters } = gateway(4);
    for (const adapter of adapters.slice(0, 3)) adapter.isMovable = false;
    blame.judge({ keys: ["a0", "a1", "a2", "a3"] });
    assert.deepEqual(residentsOf(adapters, ""), ["a0", "a1", "a2"]);
  });

  it("names no part like one that is there already", () => {
    const { blame, adapters } = gateway(8);
    blame.judge({ keys: residentsOf(adapters, "") });
    blame.judge({ keys: residentsOf(adapters, "") });
    blame.judge({ keys: residentsOf(adapters, "1") });
    assert.deepEqual(
      ["", "1", "2", "3"].map((group) => residentsOf(adapters, group).length),
      [2, 2, 2, 2],
    );
  });

  it("counts an adapter with a spare thread once, and none that is gone", () => {
    const { blame, adapters } = gateway(2);
    blame.leave("a1");
    assert.deepEqual(blame.judge({ keys: ["a0", "a0", "a1"] }), { kind: "alone", isSplitOff: false });
    assert.equal(residentsOf(adapters, "").length, 2);
  });

  it("keeps nobody apart any longer once the culprit is known", () => {
    const { blame, adapters } = gateway(8);
    blame.judge({ keys: residentsOf(adapters, "") });
    blame.absolveOthers("a0");
    assert.deepEqual(residentsOf(adapters, "1"), ["a0"]);
  });
});
