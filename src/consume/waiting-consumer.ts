/** A consumer whose way out is not open: its messages wait in the journal. */

/** Stands for a consumer of kind `url` or `stream`. Nothing is delivered, so nothing is lost and nothing times out. */
export class WaitingConsumer implements AsyncDisposable {
  readonly inFlight = 0;

  async stop(): Promise<void> {}

  async [Symbol.asyncDispose](): Promise<void> {}
}
