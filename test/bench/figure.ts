/** What a benchmark comes to: values, each beside what it should be. */

/** Where a value should lie; in the figure's own unit. */
export type Target = { readonly below: number } | { readonly atMost: number } | { readonly atLeast: number };

/** One measured value. Literal: `{ section: "plan", name: "plan() for 1,000 adapters", value: 3.1, unit: "ms", target: { below: 50 } }` */
export type Figure = {
  readonly section: string;
  readonly name: string;
  readonly value: number;
  readonly unit: "ms" | "s" | "us" | "MB" | "messages/s" | "messages" | "ratio" | "%";
  /** Left out: told for information. */
  readonly target?: Target;
  /** How it was come by, where its name does not say. */
  readonly note?: string;
};

/** Whether the figure is where it should be; `null` without a target. */
export function isMet({ value, target }: Figure): boolean | null {
  if (target === undefined) return null;
  if ("below" in target) return value < target.below;
  if ("atMost" in target) return value <= target.atMost;
  return value >= target.atLeast;
}

/** The target as people write it, such as `< 50`. */
export function targetText(target: Target | undefined): string {
  if (target === undefined) return "";
  if ("below" in target) return `< ${target.below}`;
  if ("atMost" in target) return `<= ${target.atMost}`;
  return `>= ${target.atLeast}`;
}
