/** How long messages took, kept until the metrics fetch them. */

/** Most samples of each kind between two fetches; later ones are left out. */
const sampleLimit = 16_384;

/** Milliseconds. `accept`: from a frame's arrival to its commit. `delivery`: from then to the hand-over of its messages. */
export type LatencySamples = { readonly accept: readonly number[]; readonly delivery: readonly number[] };

/** The samples since the last fetch. */
export class Latencies {
  #accept: number[] = [];
  #delivery: number[] = [];

  /** One frame was committed. */
  addAccept(elapsedMs: number): void {
    if (this.#accept.length < sampleLimit) this.#accept.push(elapsedMs);
  }

  /** One message was handed to its consumer for the first time. */
  addDelivery(elapsedMs: number): void {
    if (this.#delivery.length < sampleLimit) this.#delivery.push(elapsedMs);
  }

  /** What was gathered, which is then forgotten. */
  drain(): LatencySamples {
    const samples = { accept: this.#accept, delivery: this.#delivery };
    this.#accept = [];
    this.#delivery = [];
    return samples;
  }
}
