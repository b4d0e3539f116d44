// A hardware scanner types: signs in quick succession, then Enter, wherever the focus is.

const SLOWEST = 100;
const SHORTEST = 8;

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
    } else if (event.key === "Enter" && typed.length >= SHORTEST) {
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

/** Takes what the scanner has typed out of the field that had the focus by chance. */
function takeBack(target, text) {
  if (target instanceof HTMLInputElement && target.value.endsWith(text)) {
    target.value = target.value.slice(0, -text.length);
    target.dispatchEvent(new Event("input", { bubbles: true }));
  }
}
