/**
 * `node:http` without importing it. An import reads every export of a built-in module, and one of this one's,
 * `WebSocket`, loads all of undici: 4 MB of each thread and 40 ms of each start.
 */
export const { createServer, get, request } = process.getBuiltinModule("node:http");
