/** What people do on an emulated platform beside writing, as far as the platform has it and tells its adapter. */

/**
 * Each is left out where the platform has nothing like it, and the cases about it with it. What resolves with an id does so
 * once the platform has the event; the id is for the platform's `repeat` and `acknowledged`.
 */
export interface EmulatedPeople {
  /** Whoever wrote message `id` changes it. */
  edit?(id: string, text: string): Promise<string>;
  /** Whoever wrote message `id` takes it away. */
  remove?(id: string): Promise<string>;
  /** The emulator's one user puts an emoji to message `id`, or takes it off again. */
  react?(id: string, reaction: HeardReaction): Promise<string>;
  /**
   * The emulator's one user presses what is called `label` below the shown message `messageId`, a button or a menu's option.
   * What the platform makes of it is what the adapter had put there. Rejects where there is no such thing.
   */
  press?(messageId: string, label: string): Promise<string>;
  /** The emulator's one user gives the command `name`, with one word for each of its options. */
  command?(name: string, options: Readonly<Record<string, string>>): Promise<string>;
  /**
   * Resolves once the adapter has given press or command `id` the first sign that its user waits for: Slack's
   * acknowledgement, Discord's deferral, an answered query. At once where nobody waits for one.
   */
  answered?(id: string): Promise<void>;
  /** Resolves when people are offered these commands and no others, by the names they are declared with. */
  offered?(names: readonly string[]): Promise<void>;
}

/** A reaction as it comes in. */
export type HeardReaction = { readonly emoji: string; readonly isTaken: boolean };
