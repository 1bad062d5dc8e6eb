/** What a generation tells whoever owns it. */
import type { GatewayError } from "../contract/errors.ts";
import type { Frame } from "../contract/frame.ts";
import type { Evacuation, HostGone } from "../contract/host.ts";
import type { ExitedMeta, ThreadSample } from "../contract/protocol.ts";
import type { GenerationLife } from "./generation-life.ts";

/** How a generation came to its end. `unopened`: there never was a thread. */
export type LifeEnd =
  | { readonly kind: "exited"; readonly exit: ExitedMeta }
  | { readonly kind: "host_gone"; readonly gone: HostGone }
  | { readonly kind: "unopened"; readonly error: GatewayError };

/** Who is told. Nothing comes after `onGone`. */
export interface LifeOwner {
  /** It has its slot: the time for its start runs from here. Again where a dead host's successor has to wait: from `delayMs` on. */
  onOpening(life: GenerationLife, delayMs: number): void;
  onStarted(life: GenerationLife): void;
  onStartRejected(life: GenerationLife, error: GatewayError): void;
  onFrame(life: GenerationLife, frame: Frame): void;
  onSample(life: GenerationLife, sample: ThreadSample): void;
  onEvacuate(life: GenerationLife, evacuation: Evacuation): void;
  /** `stop` was answered (`null`), or why not. */
  onStopSettled(life: GenerationLife, error: GatewayError | null): void;
  onGone(life: GenerationLife, end: LifeEnd): void;
}
