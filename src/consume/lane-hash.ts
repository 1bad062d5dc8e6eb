/** Which of a consumer's threads a lane belongs to. */

/** Pure: 0 to `count` - 1, the same for the same lane. */
export function threadOfLane(key: string, conversation: string, count: number): number {
  if (count <= 1) return 0;
  return (hash(hash(2_166_136_261, key), conversation) >>> 0) % count;
}

/** FNV-1a over UTF-16 units: not for strangers to rely on, but quick and even. */
function hash(seed: number, text: string): number {
  let value = seed;
  for (let index = 0; index < text.length; index += 1) value = Math.imul(value ^ text.charCodeAt(index), 16_777_619);
  return value;
}
