// What a code says. A ticket is an address of this application, `BASE_URL/t/TICKET`.

const TICKET = /^[A-Z0-9]{12}$/;

/**
 * Returns the ticket in what a camera or a hardware scanner read; null for anything else.
 *
 * @param {string} text
 * @param {string[]} origins addresses under which this application is reached
 * @returns {string | null}
 */
export function ticketIn(text, origins) {
  const trimmed = text.trim();
  const origin = origins.find((known) => trimmed.startsWith(`${known}/t/`));
  if (origin === undefined) return null;
  const code = trimmed.slice(origin.length + 3).toUpperCase();
  return TICKET.test(code) ? code : null;
}

/**
 * Returns the ticket in what somebody typed: „abcd-efgh jkmn“, or the whole address.
 *
 * @param {string} text
 * @param {string[]} origins
 * @returns {string | null}
 */
export function ticketTyped(text, origins) {
  const letters = text.toUpperCase().replace(/[\s-]/g, "");
  return TICKET.test(letters) ? letters : ticketIn(text, origins);
}

/**
 * Returns what the roster holds instead of a ticket.
 *
 * @param {string} salt of the event
 * @param {string} ticket
 * @returns {Promise<string>} hexadecimal SHA-256
 */
export async function hashOf(salt, ticket) {
  const bytes = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(`${salt}:${ticket}`));
  return Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Lets the same code pass once in three seconds: a camera sees it many times. */
export class Repetition {
  static #PAUSE = 3000;
  #seen = new Map();

  /**
   * @param {string} text what was read
   * @param {number} now milliseconds
   * @returns {boolean} whether it was read a moment ago
   */
  repeats(text, now) {
    const last = this.#seen.get(text);
    for (const [known, at] of this.#seen) if (now - at > Repetition.#PAUSE) this.#seen.delete(known);
    this.#seen.set(text, now);
    return last !== undefined && now - last <= Repetition.#PAUSE;
  }
}
