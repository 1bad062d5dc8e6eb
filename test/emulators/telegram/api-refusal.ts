/** A call that Telegram refuses, in its words. */

/** What the answer says beside `ok: false`. */
export type RefusalParameters = { readonly retry_after?: number; readonly migrate_to_chat_id?: number };

/** Thrown by methods, answered as JSON. */
export class ApiRefusal extends Error {
  readonly status: number;
  readonly parameters: RefusalParameters | undefined;

  constructor(status: number, description: string, parameters?: RefusalParameters) {
    super(description);
    this.status = status;
    this.parameters = parameters;
  }
}

/** 400 with the server's prefix. */
export function badRequest(what: string, parameters?: RefusalParameters): ApiRefusal {
  return new ApiRefusal(400, `Bad Request: ${what}`, parameters);
}
