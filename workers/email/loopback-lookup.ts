/** Names that may be spoken to in the clear, looked up once more when it happens: a name that means this machine today may mean another one tomorrow. */
import { lookup as systemLookup, type LookupAddress } from "node:dns";
import type { LookupFunction } from "node:net";
import { isLoopback } from "../../src/support/loopback.ts";

type Lookup = (
  hostname: string,
  options: { readonly all: true },
  callback: (error: Error | null, addresses: LookupAddress[]) => void,
) => void;

/** For a socket's `lookup`: gives the addresses of this machine, and fails as soon as one of another is among them. */
export function loopbackLookup(lookup: Lookup = systemLookup): LookupFunction {
  return (hostname, options, callback) => {
    lookup(hostname, { all: true }, (error, addresses) => {
      const foreign = addresses?.find(({ address }) => !isLoopback(address));
      const [first] = addresses ?? [];
      if (error !== null) callback(error, "");
      else if (foreign !== undefined) callback(new NotLoopbackError(hostname, foreign.address), "");
      else if (options.all === true) callback(null, addresses);
      else callback(null, first?.address ?? "", first?.family);
    });
  };
}

/** A name that should have been this machine. */
export class NotLoopbackError extends Error {
  override readonly name = "NotLoopbackError";

  constructor(hostname: string, address: string) {
    super(`${hostname} is ${address}, expected an address of this machine: nothing is sent in the clear to others`);
  }
}
