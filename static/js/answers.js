// The questionnaire with a network that may break: what was typed is kept in this tab until it has
// arrived, and a submit that fails says so instead of losing the page. Without this script the form
// works as any other.

const form = () => document.querySelector("form[data-kept]");
const name = () => `answers ${form().dataset.kept}`;

// A browser may refuse to keep anything; then the page does without.
function kept(change) {
  try {
    return change(sessionStorage);
  } catch {
    return null;
  }
}

function keep() {
  const typed = [...new FormData(form())];
  kept((storage) => storage.setItem(name(), JSON.stringify(typed)));
}

function forget() {
  kept((storage) => storage.removeItem(name()));
}

function restore() {
  const typed = JSON.parse(kept((storage) => storage.getItem(name())) ?? "[]");
  for (const control of form().elements) {
    const values = typed.filter(([key]) => key === control.name).map(([, value]) => value);
    if (!control.name || !values.length) continue;
    if (["radio", "checkbox"].includes(control.type)) control.checked = values.includes(control.value);
    else control.value = values[0];
  }
}

function begin() {
  form()?.addEventListener("input", keep);
  form()?.addEventListener("submit", send);
}

// A page of the server in place of this one's content, as if the browser had loaded it.
function show(html) {
  const page = new DOMParser().parseFromString(html, "text/html");
  document.title = page.title;
  document.querySelector("main").replaceWith(page.querySelector("main"));
  begin();
  scrollTo(0, 0);
  (document.querySelector(".tr-summary") ?? document.querySelector("main")).focus();
}

function sayNotArrived() {
  document.querySelector("form[data-kept] .tr-alert")?.remove();
  const words = document.getElementById("nicht-angekommen").content.cloneNode(true);
  form().querySelector("button[type=submit]").parentElement.before(words);
}

async function send(event) {
  event.preventDefault();
  const sent = form();
  if (sent.ariaBusy === "true") return;
  sent.ariaBusy = "true";
  keep();
  try {
    const body = new URLSearchParams(new FormData(sent));
    const answer = await fetch(sent.action, { method: "POST", body, redirect: "manual", credentials: "omit" });
    if (answer.type === "opaqueredirect") {
      const next = sent.dataset.thanks;
      forget();
      // In place of the questionnaire: the button „back“ of a shared device does not lead there.
      location.replace(next);
    } else if ([404, 409, 410].includes(answer.status)) {
      forget();
      show(await answer.text());
    } else if (answer.status === 422) {
      show(await answer.text());
    } else {
      sayNotArrived();
    }
  } catch {
    sayNotArrived();
  }
  sent.ariaBusy = "false";
}

restore();
begin();
