/** Which commands each adapter offers: those of the consumers that its bindings can reach. */
import type { CommandDeclaration } from "../contract/command.ts";
import { parseCommands } from "../contract/parse-commands.ts";
import type { RouterSpec } from "../contract/spec.ts";

const none: readonly CommandDeclaration[] = [];
const scope = "commands";

/** Where the commands are kept, by consumer, for the next start of the gateway. */
export type CommandStore = {
  load(scope: string): Promise<Readonly<Record<string, string>>>;
  put(scope: string, key: string, value: string | null): void;
};

/** What a {@link CommandDirectory} is started with. */
export type CommandDirectoryOptions = {
  readonly router: RouterSpec;
  /** The configured ones, by name; of others nothing is remembered. */
  readonly consumers: ReadonlySet<string>;
  readonly store: CommandStore;
  /** Some answer may be another one now. */
  readonly onChange: () => void;
};

/**
 * Kept by consumer, read by runtime key. An answer is the same array for as long as nothing in it changes. What consumers
 * declared is remembered over a restart: an adapter that starts before them would else take every command back.
 */
export class CommandDirectory {
  readonly #store: CommandStore;
  readonly #onChange: () => void;
  readonly #byConsumer: Map<string, readonly CommandDeclaration[]>;
  readonly #answers = new Map<string, readonly CommandDeclaration[]>();
  readonly #fresh = new Set<string>();
  #router: RouterSpec;

  private constructor(options: CommandDirectoryOptions, remembered: Map<string, readonly CommandDeclaration[]>) {
    this.#router = options.router;
    this.#store = options.store;
    this.#onChange = options.onChange;
    this.#byConsumer = remembered;
  }

  /** With what the consumers declared when the gateway last ran. @throws {GatewayError} what the store rejects with. */
  static async start(options: CommandDirectoryOptions): Promise<CommandDirectory> {
    const remembered = new Map<string, readonly CommandDeclaration[]>();
    for (const [consumer, json] of Object.entries(await options.store.load(scope))) {
      if (options.consumers.has(consumer)) remembered.set(consumer, parseStored(json));
      else options.store.put(scope, consumer, null);
    }
    return new CommandDirectory(options, remembered);
  }

  /** What the live generation of a consumer declares; `[]` for one that is gone. */
  set(consumer: string, commands: readonly CommandDeclaration[]): void {
    if (isSame(this.#byConsumer.get(consumer) ?? none, commands)) return;
    const isEmpty = commands.length === 0;
    if (isEmpty) this.#byConsumer.delete(consumer);
    else this.#byConsumer.set(consumer, commands);
    this.#store.put(scope, consumer, isEmpty ? null : JSON.stringify(commands));
    this.#forget();
  }

  /** Other bindings, or another default consumer. */
  applyRouter(router: RouterSpec): void {
    this.#router = router;
    this.#forget();
  }

  /** The commands of `key`: its first binding's consumer comes first, and of two with one name the first one counts. */
  of(key: string): readonly CommandDeclaration[] {
    const known = this.#answers.get(key) ?? none;
    if (this.#fresh.has(key)) return known;
    const found = union(reachable(key, this.#router).map((consumer) => this.#byConsumer.get(consumer) ?? none));
    const answer = isSame(known, found) ? known : found;
    this.#answers.set(key, answer);
    this.#fresh.add(key);
    return answer;
  }

  #forget(): void {
    this.#fresh.clear();
    this.#onChange();
  }
}

/** Consumers that the messages of `key` can come to: of its bindings in their order, without any the default one. */
function reachable(key: string, { bindings, defaultConsumer }: RouterSpec): readonly string[] {
  const own = bindings.filter(({ channel, adapter }) => (adapter === null ? channel : `${channel}:${adapter}`) === key);
  return own.length === 0 ? [defaultConsumer] : [...new Set(own.map(({ consumer }) => consumer))];
}

function union(lists: readonly (readonly CommandDeclaration[])[]): readonly CommandDeclaration[] {
  const byName = new Map<string, CommandDeclaration>();
  for (const command of lists.flat()) if (!byName.has(command.name)) byName.set(command.name, command);
  return [...byName.values()];
}

function parseStored(json: string): readonly CommandDeclaration[] {
  try {
    return parseCommands(JSON.parse(json)).commands;
  } catch {
    // Written by nobody we know; its consumer declares them again in a moment.
    return none;
  }
}

function isSame(left: readonly CommandDeclaration[], right: readonly CommandDeclaration[]): boolean {
  return left === right || JSON.stringify(left) === JSON.stringify(right);
}
