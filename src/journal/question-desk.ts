/** Questions to the journal that wait for their answers. Reading changes nothing, so a new thread is simply asked again. */
import { GatewayError } from "../contract/errors.ts";
import type { JournalQueries, JournalQuery } from "../contract/journal-query.ts";
import { unpackAnswer, type FromJournalThread, type ToJournalThread } from "../contract/journal-wire.ts";
import { withDeadline } from "../support/time.ts";

/** How long a question may take, a journal in trouble included. Milliseconds. */
export const questionDeadlineMs = 10_000;

type Question = {
  readonly message: Extract<ToJournalThread, { readonly kind: "query" }>;
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: GatewayError) => void;
};

/** Asks through `ask`, as soon as there is a thread. */
export class QuestionDesk {
  readonly #open = new Map<number, Question>();
  #lastNumber = 0;

  /** @throws {GatewayError} `journal_unavailable` when it cannot be answered in time. */
  async ask<Name extends JournalQuery>(
    name: Name,
    args: JournalQueries[Name]["args"],
    post: (message: ToJournalThread) => void,
  ): Promise<JournalQueries[Name]["answer"]> {
    this.#lastNumber += 1;
    const number = this.#lastNumber;
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const message = { kind: "query", number, name, args } as const;
    this.#open.set(number, { message, resolve, reject });
    try {
      post(message);
      const answer = await withDeadline(promise, questionDeadlineMs, `The journal's answer to ${name}`);
      // The thread answers the question it was asked: the same build is on both sides.
      return answer as JournalQueries[Name]["answer"];
    } catch (reason) {
      throw reason instanceof GatewayError
        ? reason
        : new GatewayError("journal_unavailable", `Cannot read the journal: ${(reason as Error).message}`, {
            cause: reason,
          });
    } finally {
      this.#open.delete(number);
    }
  }

  /** A thread's answer; one that comes too late is nobody's. */
  settle(message: Extract<FromJournalThread, { readonly kind: "answer" | "unanswered" }>): void {
    const question = this.#open.get(message.number);
    if (question === undefined) return;
    if (message.kind === "unanswered") question.reject(GatewayError.fromReport(message.error));
    else question.resolve(unpackAnswer(question.message.name, message.answer, message.bytes));
  }

  /** Asks a new thread everything that is still open. */
  askAgain(post: (message: ToJournalThread) => void): void {
    for (const { message } of this.#open.values()) post(message);
  }

  /** Nobody will answer any more. */
  rejectAll(error: GatewayError): void {
    for (const question of this.#open.values()) question.reject(error);
  }
}
