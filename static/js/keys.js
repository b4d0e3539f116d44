// A hardware scanner types: signs in quick succession, then Enter, wherever the focus is.

const SLOWEST = 300;
const SHORTEST = 8;
/** In a field people type names, too: there, only an address comes from a scanner. */
const ADDRESS = /^https?:/i;

/** @param {(text: string) => void} read */
export function listenForTyping(read) {
  let typed = "";
  let last = 0;
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.timeStamp - last > SLOWEST) typed = "";
    last = event.timeStamp;
    if (event.key.length === 1) {
      typed += event.key;
    } else if (event.key === "Enter" && typed.length >= SHORTEST && (ADDRESS.test(typed) || !isField(event.target))) {
      const text = typed;
      typed = "";
      event.preventDefault();
      takeBack(event.target, text);
      read(text);
    } else if (event.key !== "Shift") {
      typed = "";
    }
  }, { capture: true });
}

/** @param {EventTarget | null} target */
function isField(target) {
  return target instanceof HTMLInputElement;
}

/** Takes what the scanner has typed out of the field that had the focus by chance. */
function takeBack(target, text) {
  if (isField(target) && target.value.endsWith(text)) {
    target.value = target.value.slice(0, -text.length);
    target.dispatchEvent(new Event("input", { bubbles: true }));
  }
}
