/** Query strings that a person can read. */

export type Query = Record<string, string | number | undefined>;

/** Encodes a query; `undefined` is left out. */
export function queryString(query: Query): string {
  const parts: string[] = [];
  for (const [key, value] of Object.entries(query)) {
    if (value !== undefined) parts.push(`${key}=${encodeReadable(String(value))}`);
  }
  return parts.join('&');
}

/** `/`, `:` and `,` stay as they are: they mean nothing special in a query. */
export function encodeReadable(text: string): string {
  return encodeURIComponent(text).replace(/%2F/g, '/').replace(/%3A/g, ':').replace(/%2C/g, ',').replace(/%20/g, '+');
}
