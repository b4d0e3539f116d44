// What the roster on the device says: the same answers as the server's, as far as it knows.

/** @typedef {{mark: string, late: number, early: number}} Entry */
/** @typedef {{id: number, name: string, hash: string | null, walk_in: boolean, entries: Record<string, Entry>}} Attendee */
/** @typedef {{id: number, name: string, day: string, day_name: string, begins: string, ends: string, begins_at: string, ends_at: string}} Session */
/** @typedef {{outcome: "taken_over" | "dismissed", day: string}} Settled */
/**
 * @typedef {object} Roster
 * @property {{number: string, title: string, place: string, kind: string}} event
 * @property {{id: number, name: string}} person
 * @property {string} csrf
 * @property {string} now
 * @property {string} stand
 * @property {boolean} offline
 * @property {string} expires_at
 * @property {boolean} closed
 * @property {string} salt
 * @property {Session[]} sessions
 * @property {Attendee[]} people
 * @property {{hash: string, answer: string}[]} void
 * @property {({key: string} & Settled)[]} settled what the office has made of what was refused here
 * @property {Record<string, {word: string, sentence: string}>} [words]
 * @property {number} [ahead] milliseconds by which the server's clock was ahead when it was fetched
 */

const PRESENT = { mark: "present", late: 0, early: 0 };

/**
 * Returns the session that runs now or comes next today, after the last one that one.
 *
 * @param {Session[]} sessions in order of time
 * @param {number} now milliseconds, by the server's clock
 * @returns {Session | null}
 */
export function sessionOfToday(sessions, now) {
  const day = berlinDay(now);
  const today = sessions.filter((session) => session.day === day);
  return today.find((session) => now < Date.parse(session.ends_at)) ?? today.at(-1) ?? null;
}

/** @param {number} now */
function berlinDay(now) {
  return new Intl.DateTimeFormat("sv-SE", { timeZone: "Europe/Berlin" }).format(new Date(now));
}

/**
 * Says without a network what a ticket answers.
 *
 * @param {Roster} roster
 * @param {string} hash of the ticket
 * @param {Session} session
 * @returns {{outcome: string, attendee: Attendee | null}}
 */
export function answerFor(roster, hash, session) {
  const attendee = roster.people.find((known) => known.hash === hash) ?? null;
  if (roster.closed) return { outcome: "attendance_closed", attendee };
  if (attendee) {
    const present = attendee.entries[session.id]?.mark === "present";
    return { outcome: present ? "already_recorded" : "recorded", attendee };
  }
  const spent = roster.void.find((known) => known.hash === hash);
  return { outcome: spent ? spent.answer : "not_in_roster", attendee: null };
}

/**
 * Records on the device what was recorded for somebody.
 *
 * @param {Attendee} attendee
 * @param {number} sessionId
 * @param {Entry | null | undefined} entry null or without a mark: nothing is recorded any more
 */
export function enter(attendee, sessionId, entry) {
  if (entry?.mark && entry.mark !== "open") attendee.entries[sessionId] = entry;
  else delete attendee.entries[sessionId];
}

/**
 * Does to the roster what the recordings that wait to be sent will do on the server.
 *
 * @param {Roster} roster
 * @param {{recording: Record<string, any>}[]} waiting in their order
 */
export function replay(roster, waiting) {
  const before = new Map();
  for (const { recording } of waiting) {
    const attendee = roster.people.find((known) =>
      recording.registration ? known.id === recording.registration : known.hash !== null && known.hash === recording.hash);
    if (!attendee) continue;
    before.set(recording.key, attendee.entries[recording.session] ?? null);
    if (recording.kind === "undo") {
      if (before.has(recording.undoes)) enter(attendee, recording.session, before.get(recording.undoes));
    } else if (recording.kind === "set") {
      enter(attendee, recording.session, { mark: recording.mark, late: recording.late, early: recording.early });
    } else if (recording.kind === "fill" && !attendee.entries[recording.session]) {
      enter(attendee, recording.session, PRESENT);
    } else if (recording.kind === "seen" && attendee.entries[recording.session]?.mark !== "present") {
      enter(attendee, recording.session, PRESENT);
    }
  }
}

/**
 * Returns those who are not there, by name.
 *
 * @param {Roster} roster
 * @param {Session | null} session
 * @returns {Attendee[]}
 */
export function missing(roster, session) {
  if (!session) return [];
  return roster.people.filter((attendee) => attendee.entries[session.id]?.mark !== "present");
}

/**
 * Returns those whose name holds all the words, in any order, whatever their accents.
 *
 * @param {Roster} roster
 * @param {string} words
 * @returns {Attendee[]}
 */
export function named(roster, words) {
  const wanted = plain(words).split(/[\s,]+/).filter(Boolean);
  if (wanted.length === 0) return [];
  return roster.people.filter((attendee) => {
    const name = plain(attendee.name);
    return wanted.every((word) => name.includes(word));
  });
}

const LETTERS = { ß: "ss", ł: "l", ø: "o", đ: "d", ı: "i", æ: "ae", œ: "oe" };

/** @param {string} text */
function plain(text) {
  return text.toLowerCase().normalize("NFD").replace(/\p{M}/gu, "").replace(/[ßłøđıæœ]/g, (sign) => LETTERS[sign]);
}

/** @param {Roster} roster @param {number} now */
export function hasExpired(roster, now) {
  return now + (roster.ahead ?? 0) >= Date.parse(roster.expires_at);
}
