/** One thing that every adapter must do, or must not. */
import type { EmulatedPlatform } from "./emulated-platform.ts";

/** A case. It gets a platform of its own and leaves it to its caller to dispose of. */
export type ConformanceCase = {
  /** In the present tense, with the adapter as its subject. */
  readonly title: string;
  /** Why it does not apply to this platform; left out or `null`: it does. */
  readonly unless?: (platform: EmulatedPlatform) => string | null;
  /** Rejects where the adapter does not conform. */
  readonly run: (platform: EmulatedPlatform) => Promise<void>;
};

/** For `unless`: there is no service whose faults an adapter could meet. */
export function calledByClients({ traits }: EmulatedPlatform): string | null {
  return traits.isPull ? "its clients call the adapter: it calls nobody" : null;
}

/** For `unless`: nothing stays open that could be lost. */
export function withoutConnection({ traits }: EmulatedPlatform): string | null {
  return traits.keepsConnection ? null : "it keeps no connection";
}

/** For `unless`: the first of these reasons that holds. */
export function either(
  ...reasons: readonly ((platform: EmulatedPlatform) => string | null)[]
): (platform: EmulatedPlatform) => string | null {
  return (platform) => {
    for (const reason of reasons) {
      const found = reason(platform);
      if (found !== null) return found;
    }
    return null;
  };
}
