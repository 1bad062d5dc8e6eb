/** The ways in which a program fills its memory. V8 meets its limit differently in each: cleanly, or by ending the process. */

/** `fast`: without ever letting go of the loop; `slow`: a piece every 50 ms. */
type Pace = "fast" | "slow";

/** Allocates a little more, about a megabyte or two, and keeps it. What is of one piece comes whole when it is fast. */
type Grow = () => void;

type Cell = { readonly next: Cell | null; readonly value: number };

const text = "x".repeat(1_000);
const record = {
  name: "somebody",
  items: Array.from({ length: 200 }, (_, index) => ({ index, text: `item ${index}` })),
};
/** What `new Array(1e8)` is for: V8 gives no memory for it before it is filled. */
const hugeLength = 100_000_000;
/** Not far from V8's own limit, 2 ** 29 characters: beyond it an error is thrown, which is no question of memory. */
const longestString = 500_000_000;
/** Objects of one text: 15 MB of it, from which twenty times as much is made. */
const hugeObjects = 5_000_000;

/** By name; each call starts from nothing. */
export const allocationShapes = {
  "many small objects": (): Grow => {
    const kept: object[] = [];
    return () => {
      for (let index = 0; index < 20_000; index += 1) kept.push({ index, text: `object ${index}` });
    };
  },
  "a linked list": (): Grow => {
    let head: Cell | null = null;
    return () => {
      for (let value = 0; value < 30_000; value += 1) head = { next: head, value };
      if (head === null) throw new Error("never");
    };
  },
  "copies by JSON.stringify": (): Grow => {
    const kept: string[] = [];
    return () => {
      for (let index = 0; index < 100; index += 1) kept.push(JSON.stringify({ ...record, index }));
    };
  },
  "an array of numbers": (): Grow => {
    const kept: number[] = [];
    return () => {
      for (let index = 0; index < 150_000; index += 1) kept.push(index + 0.5);
    };
  },
  "arrays in an array": (): Grow => {
    const kept: number[][] = [];
    return () => {
      for (let index = 0; index < 150; index += 1) kept.push(Array.from({ length: 1_000 }, (_, item) => item + index));
    };
  },
  "a Map": (): Grow => {
    const kept = new Map<number, object>();
    return () => {
      for (let index = 0; index < 20_000; index += 1) kept.set(kept.size, { index });
    };
  },
  "a Set": (): Grow => {
    const kept = new Set<string>();
    return () => {
      for (let index = 0; index < 20_000; index += 1) kept.add(`member ${kept.size}`);
    };
  },
  "a dictionary object": (): Grow => {
    const kept: Record<string, number> = {};
    let size = 0;
    return () => {
      for (let index = 0; index < 20_000; index += 1) kept[`key ${(size += 1)}`] = index;
    };
  },
  "a large array, filled": (): Grow => {
    // oxlint-disable-next-line unicorn/no-new-array -- this, and no other way to make one, is the shape
    const kept = new Array<number>(hugeLength);
    let size = 0;
    return () => {
      for (const end = size + 30_000; size < end; size += 1) kept[size % hugeLength] = size + 0.5;
    };
  },
  "a growing string": (): Grow => {
    const full: string[] = [];
    let kept = "";
    return () => {
      if (kept.length > longestString) {
        full.push(kept);
        kept = "";
      }
      for (let index = 0; index < 1_500; index += 1) kept += `${text}${index}`;
      // A rope becomes a string when it is looked into.
      if (kept.codePointAt(kept.length - 1) === undefined) throw new Error("never");
    };
  },
  "objects by JSON.parse": (pace: Pace): Grow => {
    const kept: unknown[] = [];
    const many = `[${"{},".repeat(pace === "fast" ? hugeObjects : 20_000)}{}]`;
    return () => {
      kept.push(JSON.parse(many));
    };
  },
  "a tower of structuredClone": (): Grow => {
    let kept: unknown = null;
    const floors: unknown[] = [];
    return () => {
      // Each floor is a copy of the whole tower below it.
      kept = structuredClone({ floor: floors.length, record, below: kept });
      floors.push(kept);
    };
  },
  "pending promises": (): Grow => {
    const kept: Promise<void>[] = [];
    return () => {
      for (let index = 0; index < 10_000; index += 1) kept.push(new Promise<void>((resolve) => void resolve.name));
    };
  },
  "an array of strings": (): Grow => {
    const kept: string[] = [];
    return () => {
      for (let index = 0; index < 15_000; index += 1) kept.push(`a string of some length, number ${kept.length}`);
    };
  },
  Buffers: (): Grow => {
    const kept: Buffer[] = [];
    return () => {
      kept.push(Buffer.alloc(2_000_000, 1));
    };
  },
} as const satisfies Readonly<Record<string, (pace: Pace) => Grow>>;

/** One of {@link allocationShapes}. */
export type AllocationShape = keyof typeof allocationShapes;

/** Begins to allocate. */
export function allocate(shape: AllocationShape, pace: Pace): void {
  const grow = allocationShapes[shape](pace);
  if (pace === "slow") setInterval(grow, 50);
  else
    setImmediate(() => {
      for (;;) grow();
    });
}
