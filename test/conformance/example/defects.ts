/** The example's adapter, wrong in one way at a time: what the kit must catch. */
import type { AcmeVariant } from "./acme-platform.ts";
import { connectionDefects } from "./defects/connection-defects.ts";
import type { Defect } from "./defects/defect.ts";
import { deliveryDefects } from "./defects/delivery-defects.ts";
import { interactionDefects } from "./defects/interaction-defects.ts";
import { responseDefects } from "./defects/response-defects.ts";
import { sendDefects } from "./defects/send-defects.ts";
import { startDefects } from "./defects/start-defects.ts";
import { textDefects } from "./defects/text-defects.ts";

/** All of them. */
export const defects: readonly Defect[] = [
  ...startDefects,
  ...connectionDefects,
  ...deliveryDefects,
  ...interactionDefects,
  ...responseDefects,
  ...textDefects,
  ...sendDefects,
];

/** The adapter with this defect, as the emulator of its platform wants it. */
export function variantOf({ does, module }: Defect): AcmeVariant {
  return { module, modulePath: new URL("./broken-adapter.ts", import.meta.url), settings: { defect: does } };
}
