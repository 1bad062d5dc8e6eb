/** One thing that every adapter must do, or must not. */
import type { EmulatedPlatform } from "./emulated-platform.ts";
import type { EmulatedPeople } from "./emulated-people.ts";

/** A case. It gets a platform of its own and leaves it to its caller to dispose of. */
export type ConformanceCase = {
  /** In the present tense, with the adapter as its subject. */
  readonly title: string;
  /** Why it does not apply to this platform; left out or `null`: it does. */
  readonly unless?: (platform: EmulatedPlatform) => string | null;
  /** It sets the clock of this process, so it cannot run beside others. @default false */
  readonly setsClock?: boolean;
  /** Rejects where the adapter does not conform. */
  readonly run: (platform: EmulatedPlatform) => Promise<void>;
};

/** People who can do what a case is about. */
export type PeopleWho<Can extends keyof EmulatedPeople> = EmulatedPeople & Required<Pick<EmulatedPeople, Can>>;

/** For `unless`: there is no service whose faults an adapter could meet. */
export function calledByClients({ traits }: EmulatedPlatform): string | null {
  return traits.isPull ? "its clients call the adapter: it calls nobody" : null;
}

/** For `unless`: nothing stays open that could be lost. */
export function withoutConnection({ traits }: EmulatedPlatform): string | null {
  return traits.keepsConnection ? null : "it keeps no connection";
}

/** For `unless`: an acknowledgement cannot come too early where there is none. */
export function withoutAcknowledgements({ traits }: EmulatedPlatform): string | null {
  return traits.acknowledges ? null : "the platform is told of no message";
}

/** For `unless`: what was missed is gone. */
export function withoutRecovery({ traits }: EmulatedPlatform): string | null {
  return traits.recoversMissed ? null : "the platform neither redelivers nor has a history";
}

/** For `unless`: `reason` where people cannot do all of this. */
export function unlessPeople(
  reason: string,
  ...can: readonly (keyof EmulatedPeople)[]
): (platform: EmulatedPlatform) => string | null {
  return ({ people }) => (areWho(people, can) ? null : reason);
}

/** The platform's people, for a case whose `unless` has looked. @throws {TypeError} where they cannot do all of this. */
export function peopleWho<Can extends keyof EmulatedPeople>(
  { people, title }: EmulatedPlatform,
  ...can: readonly Can[]
): PeopleWho<Can> {
  if (areWho(people, can)) return people;
  throw new TypeError(`Cannot run the case: on ${title} people cannot ${can.join(" and ")}`);
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

function areWho<Can extends keyof EmulatedPeople>(
  people: EmulatedPeople | undefined,
  can: readonly Can[],
): people is PeopleWho<Can> {
  return people !== undefined && can.every((name) => people[name] !== undefined);
}
