/** Finds out what a message does not say itself: names, and who began its thread. */
import type { Identity } from "./api.ts";
import type { Directory, UserName } from "./directory.ts";
import { mentionedUsers } from "./message-text.ts";
import type { Details } from "./translate-post.ts";

/** What is asked about. `""` where there is none. */
export type DetailsRequest = {
  readonly teamId: string;
  readonly channel: string;
  readonly user: string;
  readonly threadTs: string;
  readonly threadAuthor: string;
  readonly text: string;
};

/** Further names stay ids. */
const mostMentions = 10;

/** The details of one message; a promise only where Slack had to be asked. Never rejects. */
export function findDetails(
  request: DetailsRequest,
  directory: Directory,
  identity: Identity,
): Details | Promise<Details> {
  const { threadTs } = request;
  const mentioned = mentionedUsers(request.text)
    .filter((id) => id !== identity.userId)
    .slice(0, mostMentions);
  const sender = request.user === "" ? null : directory.user(request.user);
  const channelName = request.channel === "" ? null : directory.channel(request.channel);
  const threadAuthor =
    threadTs === "" || request.threadAuthor !== ""
      ? request.threadAuthor || null
      : directory.threadAuthor(request.channel, threadTs);
  const names = mentioned.map((id) => directory.user(id));
  const assemble = (found: Found): Details => ({
    identity,
    teamId: request.teamId || identity.teamId,
    sender: found.sender,
    channelName: found.channelName,
    threadAuthor: found.threadAuthor,
    nameOf: (id) => found.names[mentioned.indexOf(id)]?.display ?? null,
  });
  const isKnown =
    !(sender instanceof Promise) &&
    !(channelName instanceof Promise) &&
    !(threadAuthor instanceof Promise) &&
    names.every((name) => !(name instanceof Promise));
  if (isKnown) return assemble({ sender, channelName, threadAuthor, names: names as readonly (UserName | null)[] });
  return settle({ sender, channelName, threadAuthor, names }).then(assemble);
}

type Found = {
  readonly sender: UserName | null;
  readonly channelName: string | null;
  readonly threadAuthor: string | null;
  readonly names: readonly (UserName | null)[];
};
type Sought = {
  readonly [Key in keyof Omit<Found, "names">]: Found[Key] | Promise<Found[Key]>;
} & { readonly names: readonly (UserName | null | Promise<UserName | null>)[] };

async function settle(sought: Sought): Promise<Found> {
  const [sender, channelName, threadAuthor, names] = await Promise.all([
    sought.sender,
    sought.channelName,
    sought.threadAuthor,
    Promise.all(sought.names.map(async (name) => name)),
  ]);
  return { sender, channelName, threadAuthor, names };
}
