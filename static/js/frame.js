/** The frame: shows what Procore has open, sends the bearer with every htmx request. */
import { followPanel, host } from "./host.js";
import { authorization, forget, resume, signedIn, signIn, signOut } from "./session.js";

const data = document.body.dataset;
const main = /** @type {HTMLElement} */ (document.getElementById("main"));
const busy = /** @type {HTMLElement} */ (document.querySelector("[data-busy]"));
const who = /** @type {HTMLElement} */ (document.querySelector("[data-who]"));
const welcome = /** @type {HTMLTemplateElement} */ (document.querySelector("template[data-welcome]"));

let context = { project: data.project ?? "", view: data.view ?? "", record: data.resource ?? "" };
let visible = true;

/** @param {string} address */
function show(address) {
  void window.htmx.ajax("GET", address, { target: "#main", swap: "innerHTML" });
}

/** Opens what Procore has open: the record in the panel, the project, or all projects. */
function load() {
  if (data.panel && context.project && context.record) {
    show(`${data.base}panel/${context.project}/${encodeURIComponent(context.view)}/${context.record}/`);
  } else if (context.project) {
    show(`${data.base}projects/${context.project}/`);
  } else {
    show(data.homeUrl ?? "");
  }
}

/** @param {string} text */
function tell(text) {
  (document.querySelector("[data-problem]") ?? busy).textContent = text;
}

/** @param {import("./session.js").Session} session */
function begin(session) {
  greet([session.viewer, session.company].filter(Boolean).join(" · "));
  load();
}

/** @param {string} text who is signed in; empty for nobody */
function greet(text) {
  /** @type {HTMLElement} */ (who.querySelector("[data-who-name]")).textContent = text;
  who.hidden = text === "";
}

/**
 * Shows the code that the pop-up asks for when it cannot reach this frame.
 *
 * @param {string} code
 * @param {string} address of the sign-in, for a browser that opens no window
 */
function pair(code, address) {
  const place = /** @type {HTMLElement | null} */ (document.querySelector("[data-pairing]"));
  if (!place) return;
  /** @type {HTMLElement} */ (place.querySelector("[data-pairing-code]")).textContent = code;
  /** @type {HTMLAnchorElement} */ (place.querySelector("[data-sign-in-link]")).href = address;
  place.hidden = false;
}

const listener = { tell, pair, begin };

async function leave() {
  greet("");
  main.replaceChildren(welcome.content.cloneNode(true));
  await signOut();
}

const actions = {
  signIn: () => signIn(listener),
  signOut: () => void leave(),
  home: () => signedIn() && show(data.homeUrl ?? ""),
  settings: () => signedIn() && show(data.settingsUrl ?? ""),
  retry: () => signedIn() && load(),
};

document.addEventListener("click", (event) => {
  const target = /** @type {HTMLElement} */ (event.target).closest("button");
  for (const [name, act] of Object.entries(actions)) {
    if (target && name in target.dataset) act();
  }
});

document.body.addEventListener("htmx:configRequest", (event) => {
  const headers = /** @type {CustomEvent} */ (event).detail.headers;
  headers["Authorization"] = authorization();
  if (host) headers["Tieback-Host"] = host;
});
document.body.addEventListener("htmx:beforeRequest", (event) => {
  if (!visible || !signedIn()) event.preventDefault();
  else if (/** @type {CustomEvent} */ (event).detail.target === main) busy.textContent = "Loading…";
});
document.body.addEventListener("htmx:afterRequest", () => {
  busy.textContent = "";
});
// A refusal comes with words of its own: they are shown in place of the page.
document.body.addEventListener("htmx:beforeSwap", (event) => {
  const detail = /** @type {CustomEvent} */ (event).detail;
  if (!signedIn()) {
    detail.shouldSwap = false; // asked before the sign-out, answered after it
  } else if (detail.xhr.status >= 400) {
    detail.shouldSwap = true;
    detail.isError = false;
    detail.target = main;
    detail.swapOverride = "innerHTML";
  }
});
document.body.addEventListener("htmx:sendError", () => {
  busy.textContent = "Tieback cannot be reached at the moment.";
});
document.body.addEventListener("htmx:afterSettle", (event) => {
  const detail = /** @type {CustomEvent} */ (event).detail;
  // What came by itself must not move the reader.
  if (detail.target === main && detail.requestConfig?.triggeringEvent?.type === "click") {
    window.scrollTo(0, 0);
    main.focus({ preventScroll: true });
  }
});

if (data.panel) {
  followPanel({
    setup: (opened) => {
      context = opened;
      if (signedIn()) load();
    },
    visible: () => {
      visible = true;
      if (signedIn()) load();
    },
    hidden: () => {
      visible = false;
    },
    destroy: forget,
  });
}

void resume(listener);
