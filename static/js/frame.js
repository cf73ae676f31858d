/**
 * The frame: holds the bearer in memory, sends it with every htmx request, follows the side panel's
 * protocol. No cookie, no storage.
 */
const data = document.body.dataset;
const main = /** @type {HTMLElement} */ (document.getElementById("main"));
const busy = /** @type {HTMLElement} */ (document.querySelector("[data-busy]"));
const hosts = (data.hosts ?? "").split(" ");
const context = { project: data.project ?? "", view: data.view ?? "", record: data.resource ?? "" };
let bearer = "";
let nonce = "";
let visible = true;

const helpers = window.ProcoreIframeHelpers.initialize();

/** @returns {string} 256 bits that only this frame knows */
function randomText() {
  const bytes = crypto.getRandomValues(new Uint8Array(32));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** @param {string} text */
function tell(text) {
  const place = document.querySelector("[data-problem]") ?? busy;
  place.textContent = text;
}

function signIn() {
  nonce = randomText();
  const address = new URL(data.signInUrl ?? "", window.location.href);
  address.searchParams.set("company_id", data.company ?? "");
  address.searchParams.set("nonce", nonce);
  tell("A window for signing in has opened.");
  helpers.authentication.authenticate({
    url: address.toString(),
    onSuccess: (/** @type {{code: string}} */ payload) => void exchange(payload.code),
    onFailure: () => {
      if (!bearer) tell("The window was closed, or your browser blocked it. Allow pop-ups for Tieback and try again.");
    },
  });
}

/** @param {string} code */
async function exchange(code) {
  const answer = await fetch(data.sessionUrl ?? "", {
    method: "POST",
    body: new URLSearchParams({ code, nonce }),
    credentials: "omit",
  });
  if (!answer.ok) {
    tell("The sign-in could not be completed. Please try again.");
    return;
  }
  bearer = (await answer.json()).token;
  load();
}

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

document.addEventListener("click", (event) => {
  const target = /** @type {HTMLElement} */ (event.target).closest("[data-sign-in], [data-home], [data-retry]");
  if (!(target instanceof HTMLElement)) return;
  if ("signIn" in target.dataset) signIn();
  else if (!bearer) return;
  else if ("home" in target.dataset) show(data.homeUrl ?? "");
  else load();
});

document.body.addEventListener("htmx:configRequest", (event) => {
  /** @type {CustomEvent} */ (event).detail.headers["Authorization"] = `Bearer ${bearer}`;
});
document.body.addEventListener("htmx:beforeRequest", (event) => {
  if (!visible) event.preventDefault();
  else busy.textContent = "Loading…";
});
document.body.addEventListener("htmx:afterRequest", () => {
  busy.textContent = "";
});
// A refusal comes with words of its own: they are shown in place of the page.
document.body.addEventListener("htmx:beforeSwap", (event) => {
  const detail = /** @type {CustomEvent} */ (event).detail;
  if (detail.xhr.status >= 400) {
    detail.shouldSwap = true;
    detail.isError = false;
    detail.target = main;
  }
});
document.body.addEventListener("htmx:sendError", () => {
  busy.textContent = "Tieback cannot be reached. It tries again when you click.";
});
document.body.addEventListener("htmx:afterSettle", (event) => {
  if (/** @type {CustomEvent} */ (event).detail.target === main) {
    window.scrollTo(0, 0);
    main.focus({ preventScroll: true });
  }
});

if (data.panel) {
  window.addEventListener("message", (event) => {
    if (event.source !== window.parent || !hosts.includes(event.origin)) return;
    const message = event.data ?? {};
    if (message.type === "setup") {
      context.project = String(message.context.project_id ?? "");
      context.view = String(message.context.view ?? "");
      context.record = String(message.context.id ?? "");
      if (bearer) load();
    } else if (message.type === "sidepanel:app:hidden") visible = false;
    else if (message.type === "sidepanel:app:visible") {
      visible = true;
      if (bearer) load();
    } else if (message.type === "sidepanel:app:destroy") bearer = "";
  });
  const host = document.referrer ? new URL(document.referrer).origin : "";
  if (hosts.includes(host)) window.parent.postMessage({ type: "initialize" }, host);
}
