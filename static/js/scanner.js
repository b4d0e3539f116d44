// The scanner of an event: puts camera, keys, names and the answers together.

import { Camera, readsByItself, rememberCamera, rememberedCamera } from "./camera.js";
import { Door, local } from "./door.js";
import { listenForTyping } from "./keys.js";
import { named } from "./roster.js";
import { keepShell } from "./shell.js";
import { allowSound, signal } from "./signal.js";
import { Store } from "./store.js";
import { Repetition, ticketIn, ticketTyped } from "./ticket.js";
import { clock, part, View } from "./view.js";

const page = part("scanner");
const { number, detector, wasm } = page.dataset;
/** @type {Record<string, {tone: "ok" | "warn" | "bad", icon: string, word: string, sentence: string}>} */
const words = JSON.parse(page.dataset.words);
const origins = [page.dataset.origin, location.origin];
/** Answers of the device after which something waits to be sent. */
const NOTED = new Set(["recorded", "walk_in_recorded", "not_in_roster", "undone", "set_absent"]);
const view = new View();
const store = await Store.open();
const repetition = new Repetition();
let readAt = 0;
let begun = false;

const door = new Door(store, number, { changed: draw, answered });

/**
 * @param {import("./sync.js").Result} result
 * @param {boolean} offline the device answers by itself
 */
function answered(result, offline) {
  const usual = words[result.outcome] ?? { ...words.not_in_roster, ...door.roster?.words?.[result.outcome] };
  const recorded = usual.tone === "ok" || result.outcome === "already_recorded";
  view.answer({
    tone: usual.tone,
    icon: usual.icon,
    word: result.word || usual.word,
    name: result.name,
    details: [result.organisation, recorded ? result.session : ""].filter(Boolean).join(" · "),
    sentence: result.outcome === "recorded" ? "" : result.sentence || usual.sentence,
    note: offline && NOTED.has(result.outcome) ? "Ohne Netz erfasst, noch nicht gesendet." : "",
  });
  signal(usual.tone);
  if (readAt) performance.measure("frame-to-answer", { start: readAt, end: performance.now() });
  readAt = 0;
}

/**
 * @param {string | null} ticket
 * @param {number} seenAt
 */
function read(ticket, seenAt) {
  readAt = seenAt;
  if (ticket) door.seen(ticket);
  else answered(local("not_a_ticket"), true);
}

function draw() {
  const { roster, session } = door;
  view.sessions(roster?.sessions ?? [], session);
  const { missing } = door;
  part("fehlende-zahl").textContent = String(missing.length);
  view.people("fehlende", missing, session?.id, press);
  part("fehlende-leer").hidden = missing.length > 0 || !roster?.people.length;
  part("alle").hidden = !missing.some((attendee) => !attendee.entries[session?.id ?? 0]);
  drawFound();
  part("rueckgaengig").hidden = !door.canUndo;
  part("rueckgaengig").querySelector("span").textContent = door.lastLabel;
  part("suche").hidden = !roster?.people.length;
  // Nobody is missing as long as it is not said where.
  part("namen").hidden = part("suche").hidden || !session;
  drawQueue();
}

function drawFound() {
  const typed = part("name").value.trim();
  const found = door.roster ? named(door.roster, typed).slice(0, 20) : [];
  view.people("gefunden", found, door.session?.id, press);
  part("gefunden-leer").hidden = !typed || found.length > 0;
}

/** What has not reached the server, and why. */
function drawQueue() {
  const own = door.kept.filter((kept) => kept.person.id === door.roster?.person.id || !door.roster);
  const others = door.kept.filter((kept) => kept.state === "waiting" && !own.includes(kept));
  const waiting = own.filter((kept) => kept.state === "waiting");
  const unread = own.filter((kept) => kept.state !== "waiting");
  part("ungesendet").hidden = waiting.length === 0;
  part("ungesendet-zahl").textContent = `${waiting.length} noch nicht gesendet`;
  view.recordings("ungesendet-liste", waiting, (kept) => `${clock(kept.recording.at)} Uhr, ${kept.event}`);
  part("abgelehnt").hidden = unread.length === 0;
  view.recordings("abgelehnt-liste", unread, (kept) =>
    `${clock(kept.recording.at)} Uhr: ${kept.answer?.word}. ${kept.answer?.sentence}`, (kept) => door.dismiss(kept), words);
  drawNotices(waiting.length, others);
}

/**
 * @param {number} waiting
 * @param {import("./store.js").Kept[]} others
 */
function drawNotices(waiting, others) {
  const { obstacle } = door.sync;
  const mine = waiting === 1 ? "Ihre Erfassung bleibt" : `Ihre ${waiting} Erfassungen bleiben`;
  const stay = waiting ? `; ${mine} auf diesem Gerät` : "";
  const texts = {
    offline: "Kein Netz. Der Scanner erfasst weiter und sendet, sobald das Netz wieder da ist.",
    login: `Bitte loggen Sie sich ein${stay}.`,
    refused: `${obstacle?.sentence || "Für diese Veranstaltung sind Sie nicht eingeteilt."} Bitte fragen Sie die Geschäftsstelle${stay}.`,
  };
  const offline = obstacle?.kind === "offline" && !door.roster
    ? "Kein Netz. Auf diesem Gerät gibt es keine Namen dieser Veranstaltung: Bitte öffnen Sie den Scanner einmal mit Netz."
    : obstacle && (texts[obstacle.kind] ?? texts.offline);
  view.notice("hindernis", offline ?? "", obstacle?.kind === "login" ? obstacle.url : undefined);
  const names = [...new Set(others.map((kept) => kept.person.name))].join(" und ");
  view.notice("fremde", others.length
    ? `Auf diesem Gerät ${others.length === 1 ? "wartet noch eine Erfassung" : `warten noch ${others.length} Erfassungen`} von ${names}. Gesendet wird, wenn ${names} hier eingeloggt ist.`
    : "");
  view.notice("fluechtig", store.volatile
    ? "Dieses Gerät speichert nichts: Der Speicher ist voll oder gesperrt. Der Scanner arbeitet nur mit Netz. Bitte schließen Sie die Seite erst, wenn alles gesendet ist."
    : "");
  view.notice("nur-netz", door.roster && !door.roster.offline
    ? "Für diese Veranstaltung bleiben keine Namen auf dem Gerät. Der Scanner arbeitet nur mit Netz; Namen finden Sie in der Liste."
    : "");
}

/**
 * @param {import("./roster.js").Attendee} attendee
 * @param {string} mark
 */
function press(attendee, mark) {
  door.set(attendee, mark);
}

const camera = new Camera(
  part("bild"),
  (text, seenAt) => {
    // A code that is held before the camera while the names are still on their way waits for them.
    if ((begun || door.roster) && isNew(text)) read(ticketIn(text, origins), seenAt);
  },
  async () => (await readsByItself())
    ? new BarcodeDetector({ formats: ["qr_code"] })
    : (await import(detector)).makeDetector(wasm),
);

/** @param {string} [deviceId] */
async function startCamera(deviceId) {
  view.notice("keine-kamera", "");
  try {
    await camera.start(deviceId);
    view.waitFor("Halten Sie den QR-Code der Eintrittskarte vor die Kamera.");
  } catch (error) {
    camera.stop();
    const refused = error?.name === "NotAllowedError";
    view.notice("keine-kamera", refused
      ? "Die Kamera ist nicht freigegeben. Erlauben Sie sie in den Einstellungen des Browsers."
      : "Die Kamera lässt sich nicht öffnen.");
    view.waitFor("Suchen Sie den Namen, oder tippen Sie den Code der Eintrittskarte ein. Ein Handscanner geht auch.");
  }
  part("bildflaeche").hidden = !part("keine-kamera").hidden;
  part("licht").hidden = !camera.hasTorch;
  showLight(false);
  const devices = await camera.choices().catch(() => []);
  part("kamera-wahl").hidden = devices.length < 2;
  part("kamera").replaceChildren(...devices.map((device, index) =>
    new Option(device.label || `Kamera ${index + 1}`, device.deviceId, false, device.deviceId === camera.deviceId)));
}

/** @param {boolean} on */
function showLight(on) {
  part("licht").setAttribute("aria-pressed", String(on));
  part("licht-stand").textContent = on ? "an" : "aus";
  view.notice("kein-licht", "");
}

/** @param {string} text that a scanner read, perhaps many times in a row */
function isNew(text) {
  return !repetition.repeats(text, Date.now());
}

/** @param {string} text typed by hand or by a hardware scanner */
function typed(text) {
  read(ticketTyped(text, origins), performance.now());
}

part("kamera").addEventListener("change", (event) => {
  rememberCamera(event.target.value);
  startCamera(event.target.value);
});
part("licht").addEventListener("click", async () => {
  const on = part("licht").getAttribute("aria-pressed") !== "true";
  try {
    await camera.light(on);
    showLight(on);
  } catch {
    view.notice("kein-licht", "Das Licht lässt sich gerade nicht schalten.");
  }
});
part("noch-einmal").addEventListener("click", () => startCamera(rememberedCamera()));
part("termin").addEventListener("change", (event) => door.choose(Number(event.target.value)));
part("name").addEventListener("input", drawFound);
part("alle").addEventListener("click", async () => {
  await door.fill();
  view.focusAnswer();
});
part("rueckgaengig").querySelector("button").addEventListener("click", async () => {
  await door.undo();
  view.focusAnswer();
});
part("senden").addEventListener("click", () => door.sync.soon());
part("code-form").addEventListener("submit", (event) => {
  event.preventDefault();
  typed(part("code").value);
  part("code").value = "";
  view.showAnswer();
});
part("ohne-form").addEventListener("submit", (event) => {
  event.preventDefault();
  const name = part("ohne-name").value.trim();
  if (!name) return;
  door.walkIn(name, part("ohne-organisation").value.trim());
  event.target.reset();
  view.showAnswer();
});
addEventListener("beforeunload", (event) => { if (store.atRisk) event.preventDefault(); });
document.addEventListener("visibilitychange", () => { if (document.hidden) camera.stop(); else startCamera(part("kamera").value || rememberedCamera()); });
new BroadcastChannel("einlass").addEventListener("message", () => door.leave());
listenForTyping((text) => { if (isNew(text)) typed(text); });
allowSound();
page.hidden = false;
startCamera(rememberedCamera());
await door.begin();
begun = true;
setInterval(() => {
  door.expire();
  draw();
}, 30_000);
if (door.roster?.offline) {
  const ownFiles = (await readsByItself()) ? [] : [detector, wasm];
  await keepShell(location.pathname, ownFiles);
}
page.dataset.ready = "";
