// Sound and vibration of an answer: one high tone for yes, two low ones for no.

const TONES = { ok: [[880, 0, 0.12]], warn: [[520, 0, 0.14], [520, 0.2, 0.14]], bad: [[220, 0, 0.25], [180, 0.3, 0.35]] };
const SHAKES = { ok: [80], warn: [80, 80, 80], bad: [300, 100, 300] };

/** @type {AudioContext | null} */
let audio = null;

/** Browsers allow sound after the first touch only. */
export function allowSound() {
  const wake = () => {
    audio ??= new AudioContext();
    audio.resume().catch(() => {});
  };
  for (const kind of ["pointerdown", "keydown"]) document.addEventListener(kind, wake, { once: true, capture: true });
}

/** @param {"ok" | "warn" | "bad"} tone */
export function signal(tone) {
  // Refused by browsers before the first touch, with a complaint in the console.
  if (navigator.userActivation?.hasBeenActive) navigator.vibrate?.(SHAKES[tone]);
  if (audio?.state !== "running") return;
  for (const [pitch, after, length] of TONES[tone]) {
    const begin = audio.currentTime + after;
    const loudness = new GainNode(audio, { gain: 0.25 });
    loudness.gain.setTargetAtTime(0, begin + length * 0.7, 0.03);
    const note = new OscillatorNode(audio, { frequency: pitch, type: tone === "ok" ? "sine" : "square" });
    note.connect(loudness).connect(audio.destination);
    note.start(begin);
    note.stop(begin + length + 0.1);
  }
}
