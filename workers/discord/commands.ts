/** Keeps the slash commands that Discord offers as the consumers declare them. */
import { Routes } from "discord.js";
import type { AdapterLog, Policy } from "../../src/contract/adapter.ts";
import { GatewayError } from "../../src/contract/errors.ts";
import { sleep } from "../../src/support/time.ts";
import type { DiscordApi } from "./api.ts";
import { differenceOf, toRegistered, type RegisteredCommand } from "./command-difference.ts";
import type { ResumeKeeper } from "./resume-keeper.ts";

/** What commands are registered through. */
export type CommandsParts = {
  readonly api: DiscordApi;
  readonly keeper: ResumeKeeper;
  readonly log: AdapterLog;
  readonly signal: AbortSignal;
};

/** The commands of everywhere, among guilds' ids. */
const everywhere = "";
const mostTries = 5;
const firstRetryMs = 5_000;

/** One generation's registrations: one at a time, the latest wish counts. */
export class Commands {
  readonly #parts: CommandsParts;
  #wanted: Policy | null = null;
  #isRunning = false;
  /** The last wish that was fulfilled, so that a policy that changes nothing here costs nothing. */
  #done = "";

  constructor(parts: CommandsParts) {
    this.#parts = parts;
  }

  /** Brings Discord's list in line with `policy`, in the background. Where nothing is declared and nothing was, it is left alone. */
  sync(policy: Policy): void {
    this.#wanted = policy;
    if (this.#isRunning) return;
    this.#isRunning = true;
    void this.#run().finally(() => (this.#isRunning = false));
  }

  async #run(): Promise<void> {
    while (this.#wanted !== null && !this.#parts.signal.aborted) {
      const policy = this.#wanted;
      this.#wanted = null;
      const wish = JSON.stringify([policy.commands, policy.guildFilter]);
      if (wish === this.#done || !(await this.#tryUntilDone(policy))) continue;
      this.#done = wish;
    }
  }

  async #tryUntilDone(policy: Policy): Promise<boolean> {
    const { signal, log } = this.#parts;
    for (let tries = 1; this.#wanted === null; tries += 1) {
      try {
        await this.#register(policy);
        return true;
      } catch (reason) {
        if (signal.aborted) return false;
        const { code, message, retry } = GatewayError.from(reason);
        const isLast = retry.kind === "never" || tries === mostTries;
        log.warn("discord-commands-failed", { message, code, isLast });
        if (isLast) return false;
        const delayMs = retry.kind === "after" ? retry.delayMs : firstRetryMs * 2 ** (tries - 1);
        // Ended with the generation: there is nothing left to try.
        await sleep(delayMs, signal).catch(() => {});
      }
    }
    return false;
  }

  async #register(policy: Policy): Promise<void> {
    const { keeper, log } = this.#parts;
    const { wanted, refused } = toRegistered(policy.commands ?? []);
    if (refused.length > 0) log.warn("discord-commands-refused", { names: refused.slice(0, 20) });
    const scopes = wanted.length === 0 ? [] : (policy.guildFilter ?? [everywhere]);
    const before = keeper.commandScopes;
    // Written first: what is registered and then forgotten would stay for ever.
    if (scopes.some((scope) => !before.includes(scope))) keeper.commandScopes = [...new Set([...before, ...scopes])];
    for (const scope of scopes) await this.#registerIn(scope, wanted);
    // Only now, so that there is no moment without any.
    for (const scope of before.filter((each) => !scopes.includes(each))) await this.#registerIn(scope, []);
    if (before.length !== scopes.length || scopes.some((scope) => !before.includes(scope)))
      keeper.commandScopes = scopes;
  }

  async #registerIn(scope: string, wanted: readonly RegisteredCommand[]): Promise<void> {
    const { api, keeper, log } = this.#parts;
    const { applicationId } = keeper;
    const route =
      scope === everywhere
        ? Routes.applicationCommands(applicationId)
        : Routes.applicationGuildCommands(applicationId, scope);
    try {
      const existing = await api.list({ method: "GET", route, what: "read the registered commands" });
      const body = differenceOf(existing, wanted);
      if (body === null) return;
      await api.request({ method: "PUT", route, what: "register the commands", body });
      log.info("discord-commands-registered", { guildId: scope === everywhere ? null : scope, count: wanted.length });
    } catch (reason) {
      const { code, message } = GatewayError.from(reason);
      // A guild that the bot is not in has no commands; the others still get theirs.
      if (scope === everywhere || (code !== "forbidden" && code !== "not_found")) throw reason;
      log.warn("discord-commands-failed", { guildId: scope, message, code, isLast: true });
    }
  }
}
