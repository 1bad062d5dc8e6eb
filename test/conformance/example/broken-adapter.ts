/** For a gateway, which loads a file: the adapter with the defect that its settings name. */
import { z } from "zod";
import { defineAdapter } from "../../../src/library.ts";
import acme, { acmeSettings } from "./acme-adapter.ts";
import { defects } from "./defects.ts";

export default defineAdapter({
  ...acme,
  settings: acmeSettings.extend({ defect: z.string() }),
  async start({ settings: { defect, ...settings }, ...context }) {
    const found = defects.find(({ does }) => does === defect);
    if (found === undefined) throw new TypeError(`There is no defect ${defect}`);
    return found.module.start({ ...context, settings });
  },
});
