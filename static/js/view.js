// What the scanner's page shows. All words stand in the page or come from the server as text.

/**
 * @param {string} name
 * @returns {any}
 */
export function part(name) {
  return document.getElementById(name);
}

const TONES = ["tr-ok", "tr-warn", "tr-bad"];

export class View {
  #sprite = document.querySelector("#scanner").dataset.sprite;
  #drawn = new Map();

  /**
   * Shows an answer, large.
   *
   * @param {{tone: string, icon: string, word: string, name?: string, details?: string, sentence?: string, note?: string}} answer
   */
  answer({ tone, icon, word, name = "", details = "", sentence = "", note = "" }) {
    const box = part("antwort");
    box.classList.remove(...TONES, "tr-none");
    box.classList.add(`tr-${tone}`);
    box.querySelector("use").setAttribute("href", `${this.#sprite}#${icon}`);
    const texts = { word, name, details, sentence, note };
    for (const [key, text] of Object.entries(texts)) {
      const line = box.querySelector(`[data-line="${key}"]`);
      line.textContent = text;
      line.hidden = !text;
    }
  }

  /**
   * Says what to do as long as nothing has been read.
   *
   * @param {string} sentence
   */
  waitFor(sentence) {
    const box = part("antwort");
    if (box.classList.contains("tr-none")) box.querySelector('[data-line="sentence"]').textContent = sentence;
  }

  /**
   * @param {import("./roster.js").Session[]} sessions
   * @param {import("./roster.js").Session | null} chosen
   */
  sessions(sessions, chosen) {
    part("termin-satz").textContent = chosen
      ? `Erfasst wird: ${sessionWords(chosen)}.`
      : "Heute ist kein Termin. Bitte wählen Sie, für welchen Termin Sie erfassen.";
    // A list that is open just now would close.
    if (!this.#isNew("termin", [sessions, chosen?.id])) return;
    const options = sessions.map((session) =>
      new Option(sessionChoice(session), String(session.id), false, session.id === chosen?.id));
    if (!chosen) options.unshift(new Option("Bitte wählen", "", true, true));
    part("termin").replaceChildren(...options);
  }

  /**
   * Says whether something is not shown yet.
   *
   * @param {string} name
   * @param {unknown} content
   */
  #isNew(name, content) {
    const signature = JSON.stringify(content);
    if (this.#drawn.get(name) === signature) return false;
    this.#drawn.set(name, signature);
    return true;
  }

  /**
   * Fills a list with names and what can be done with them.
   *
   * @param {string} name of the list
   * @param {import("./roster.js").Attendee[]} people
   * @param {number | undefined} sessionId
   * @param {(attendee: import("./roster.js").Attendee, mark: string) => void} press
   */
  people(name, people, sessionId, press) {
    const marks = people.map((attendee) => [attendee.id, attendee.name, attendee.entries[sessionId ?? 0]?.mark]);
    if (!this.#isNew(name, marks)) return;
    const rows = people.map((attendee) => {
      const row = part("zeile-person").content.firstElementChild.cloneNode(true);
      const mark = attendee.entries[sessionId ?? 0]?.mark;
      row.querySelector("b").textContent = attendee.name;
      row.querySelector("small").textContent = { absent: "fehlt", excused: "entschuldigt", present: "da" }[mark] ?? "nicht erfasst";
      row.querySelector("[role=group]").setAttribute("aria-label", attendee.name);
      for (const button of row.querySelectorAll("button")) {
        button.setAttribute("aria-label", `${button.textContent}: ${attendee.name}`);
        button.setAttribute("aria-pressed", String(button.value === mark));
        button.addEventListener("click", () => press(attendee, button.value));
      }
      return row;
    });
    this.#replace(part(name), rows, 2);
  }

  /**
   * Pressing a button redraws its list: the focus stays where it was, or on who comes next.
   *
   * @param {HTMLElement} list
   * @param {HTMLElement[]} rows
   * @param {number} each so many buttons has a row
   */
  #replace(list, rows, each) {
    const focused = [...list.querySelectorAll("button")].indexOf(/** @type {any} */ (document.activeElement));
    list.replaceChildren(...rows);
    if (focused < 0) return;
    const buttons = list.querySelectorAll("button");
    (buttons[Math.min(focused, buttons.length - each + (focused % each))] ?? part("antwort")).focus();
  }

  /** Gives the focus to the answer: the button that was pressed is not there any more. */
  focusAnswer() {
    part("antwort").focus();
  }

  /** Brings the answer into view, for what was typed further down. */
  showAnswer() {
    part("antwort").scrollIntoView({ block: "nearest" });
  }

  /**
   * Fills a list of recordings.
   *
   * @param {string} name of the list
   * @param {import("./store.js").Kept[]} items
   * @param {(kept: import("./store.js").Kept) => string} words
   * @param {(kept: import("./store.js").Kept) => void} [done] behind a button
   * @param {Record<string, {tone: string, icon: string, sentence: string}>} [settled] words for what the office has made of it
   */
  recordings(name, items, words, done, settled = {}) {
    if (!this.#isNew(name, items.map((kept) => [kept.recording.key, kept.label, words(kept), kept.settled]))) return;
    const rows = items.map((kept) => {
      const row = part("zeile-erfassung").content.firstElementChild.cloneNode(true);
      row.querySelector("b").textContent = kept.label;
      row.querySelector("small").textContent = words(kept);
      this.#settled(row.querySelector(".tr-state"), kept.settled, settled);
      const button = row.querySelector("button");
      button.setAttribute("aria-label", `${button.textContent}: ${kept.label}`);
      if (done) button.addEventListener("click", () => done(kept));
      else button.remove();
      return row;
    });
    this.#replace(part(name), rows, 1);
  }

  /**
   * @param {HTMLElement} line
   * @param {import("./roster.js").Settled | undefined} how
   * @param {Record<string, {tone: string, icon: string, sentence: string}>} words
   */
  #settled(line, how, words) {
    line.hidden = !how;
    if (!how) return;
    const { tone, icon, sentence } = words[how.outcome];
    line.classList.add(`tr-${tone}`);
    line.querySelector("use").setAttribute("href", `${this.#sprite}#${icon}`);
    line.querySelector("b").textContent = `${shortDay(how.day)}: ${sentence}`;
  }

  /**
   * Shows or hides a notice.
   *
   * @param {string} name
   * @param {string} text empty: hidden
   * @param {string} [url] of its link
   */
  notice(name, text, url) {
    const box = part(name);
    box.hidden = !text;
    const line = box.querySelector("[data-line]");
    if (line.textContent !== text) line.textContent = text;
    const link = box.querySelector("a");
    if (link) {
      link.hidden = !url;
      if (url) link.href = url;
    }
  }
}

/** @param {import("./roster.js").Session} session */
function sessionWords(session) {
  // Within one day the name itself says the time.
  const time = session.name.includes(session.begins) ? "" : `, ${session.begins}–${session.ends} Uhr`;
  return `${session.name}, ${session.day_name}${time}`;
}

/**
 * Short enough for a phone's width; the sentence above says the rest.
 *
 * @param {import("./roster.js").Session} session
 */
function sessionChoice(session) {
  return session.name.includes(session.begins) ? session.name : `${session.name}, ${shortDay(session.day)}`;
}

/** @param {string} iso such as 2026-03-12 */
function shortDay(iso) {
  const [, month, day] = iso.split("-");
  return `${day}.${month}.`;
}

/** @param {string} instant */
export function clock(instant) {
  return new Intl.DateTimeFormat("de-DE", { timeZone: "Europe/Berlin", hour: "2-digit", minute: "2-digit" }).format(new Date(instant));
}
