/** The frame: shows what Procore has open, sends the bearer with every htmx request. */
import { followPanel, host } from "./host.js";
import { linkTo, remember } from "./places.js";
import "./review.js";
import { authorization, forget, resume, signedIn, signIn, signOut } from "./session.js";
import { word } from "./words.js";

const data = document.body.dataset;
const main = /** @type {HTMLElement} */ (document.getElementById("main"));
const busy = /** @type {HTMLElement} */ (document.querySelector("[data-busy]"));
const who = /** @type {HTMLElement} */ (document.querySelector("[data-who]"));
const welcome = /** @type {HTMLTemplateElement} */ (document.querySelector("template[data-welcome]"));

let context = { project: data.project ?? "", view: data.view ?? "", record: data.resource ?? "" };
let visible = true;
let wanted = data.open ?? ""; // by a deep link, until it has been opened

/** @param {string} address */
function show(address) {
  void window.htmx.ajax("GET", address, { target: "#main", swap: "innerHTML" });
}

/** Opens what a link asks for, or what Procore has open: the record, the project, all projects. */
function load() {
  if (wanted) {
    show(`${data.base}${wanted}`);
    wanted = "";
  } else if (data.panel && context.project && context.view) {
    const record = context.record ? `${context.record}/` : "";
    show(`${data.base}panel/${context.project}/${encodeURIComponent(context.view)}/${record}`);
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
  help: () => signedIn() && show(data.helpUrl ?? ""),
  retry: () => signedIn() && load(),
};

/**
 * A file that needs the bearer: fetched, then given to the browser to keep.
 *
 * @param {string} address
 */
async function download(address) {
  busy.textContent = word("preparing");
  const answer = await fetch(address, { headers: { Authorization: authorization() }, credentials: "omit" });
  busy.textContent = answer.ok ? "" : word("no_file");
  if (!answer.ok) return;
  keep(await answer.blob(), /filename="([^"]+)"/.exec(answer.headers.get("Content-Disposition") ?? "")?.[1]);
}

/**
 * @param {Blob} content
 * @param {string} name
 */
function keep(content, name = "tieback") {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}

/** Charts come with their library when a page has any, and not before. */
async function drawCharts() {
  if (!main.querySelector("[data-chart]")) return;
  const { draw } = await import("./charts.js");
  await draw(main);
}

/** @param {string} slug */
async function keepPicture(slug) {
  const { picture } = await import("./charts.js");
  keep(await picture(slug), `${slug}.png`);
}

/** @param {HTMLElement} button */
async function copyLink(button) {
  const address = linkTo();
  const place = /** @type {HTMLInputElement} */ (button.nextElementSibling ?? button);
  place.value = address;
  place.hidden = false;
  place.select();
  // Procore decides whether a frame may write to the clipboard; the text is there to copy anyway.
  await navigator.clipboard.writeText(address).then(() => (busy.textContent = word("copied")), () => {});
}

document.addEventListener("click", (event) => {
  const target = /** @type {HTMLElement} */ (event.target).closest("button");
  if (target?.dataset.download && signedIn()) void download(target.dataset.download);
  if (target?.dataset.png) void keepPicture(target.dataset.png);
  if (target && "copyLink" in target.dataset) void copyLink(target);
  for (const [name, act] of Object.entries(actions)) {
    if (target && name in target.dataset) act();
  }
});

// A form that htmx does not send must not take the frame elsewhere.
document.addEventListener("submit", (event) => {
  const form = /** @type {HTMLFormElement} */ (event.target);
  const ours = form.hasAttribute("hx-post") || form.hasAttribute("hx-get") || form.method === "dialog";
  if (!ours) event.preventDefault();
});

// Browsers show no confirm() of a frame that comes from another origin.
const question = /** @type {HTMLDialogElement} */ (document.querySelector("dialog[data-question]"));
document.body.addEventListener("htmx:confirm", (event) => {
  const detail = /** @type {CustomEvent} */ (event).detail;
  if (!detail.question) return;
  event.preventDefault();
  /** @type {HTMLElement} */ (question.querySelector("p")).textContent = detail.question;
  question.addEventListener("close", () => question.returnValue === "yes" && detail.issueRequest(true), { once: true });
  question.returnValue = "";
  question.showModal();
});

document.body.addEventListener("htmx:configRequest", (event) => {
  const headers = /** @type {CustomEvent} */ (event).detail.headers;
  headers["Authorization"] = authorization();
  if (host) headers["Tieback-Host"] = host;
});
/** @returns {boolean} whether somebody has opened or is filling in something that a fresh page would take away */
function inUse() {
  const here = document.activeElement;
  return main.querySelector("details[open]") !== null || (here?.matches("input, select, textarea") ?? false);
}

document.body.addEventListener("htmx:beforeRequest", (event) => {
  const detail = /** @type {CustomEvent} */ (event).detail;
  const asked = detail.requestConfig?.triggeringEvent?.type;
  const covered = (!visible || document.hidden) && !("whileHidden" in detail.elt.dataset);
  if (asked === "synced" && inUse()) event.preventDefault();
  if (covered || !signedIn()) event.preventDefault();
  else if (detail.target === main) busy.textContent = word("loading");
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
  busy.textContent = word("unreachable");
});
document.body.addEventListener("htmx:afterSwap", (event) => {
  const detail = /** @type {CustomEvent} */ (event).detail;
  if (detail.target === main) remember(detail);
});
document.body.addEventListener("htmx:afterSettle", (event) => {
  const detail = /** @type {CustomEvent} */ (event).detail;
  if (detail.target === main) void drawCharts();
  // What came by itself must not move the reader.
  if (detail.target === main && detail.requestConfig?.triggeringEvent?.type === "click") {
    window.scrollTo(0, 0);
    main.focus({ preventScroll: true });
  }
  // Somebody has waited for this page, and what they had focused has gone.
  if (detail.target === main && detail.requestConfig?.target?.id === "reading-now" && document.activeElement === document.body) {
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
