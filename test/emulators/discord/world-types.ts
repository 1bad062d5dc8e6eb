/** What there is in the emulated guild. */
import type { Fields } from "./fields.ts";

/** An account. */
export type User = {
  readonly id: string;
  readonly username: string;
  readonly global_name: string | null;
  readonly bot?: boolean;
};

/** A channel, thread or direct conversation. */
export type WorldChannel = {
  readonly id: string;
  readonly type: number;
  readonly guild_id?: string;
  readonly name?: string;
  readonly parent_id?: string;
  readonly recipients?: readonly User[];
  last_message_id: string | null;
};

/** A message as the API gives it. */
export type WorldMessage = {
  readonly id: string;
  readonly channel_id: string;
  readonly author: User;
  readonly [field: string]: unknown;
};

/** A dispatch of the gateway. */
export type WorldEvent = { readonly type: string; readonly data: Fields };
