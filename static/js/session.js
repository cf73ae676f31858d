/**
 * Who looks: sign-in through a pop-up, the bearer in memory alone, sign-out. No cookie.
 *
 * Where the browser lets a frame keep something for its tab, a secret that is used once brings the
 * session back after a reload; elsewhere it takes one click.
 *
 * @typedef {{token: string, renewal: string, viewer: string, company: string}} Session
 * @typedef {{tell: (text: string) => void, pair: (code: string, address: string) => void, begin: (session: Session) => void}} Listener
 */
import { word } from "./words.js";

const data = document.body.dataset;
const helpers = window.ProcoreIframeHelpers.initialize();
const RENEWAL = "tieback-renewal";
const LONGEST_HISTORY = 50; // entries, in Chromium and Firefox
const ASK_EVERY = 2000; // milliseconds, while a code waits to be typed into the pop-up
const ASK_FOR = 10 * 60 * 1000; // milliseconds

let bearer = "";
let renewal = "";
let nonce = "";
let pairing = 0;

/** @returns {boolean} */
export const signedIn = () => bearer !== "";

/** @returns {string} the value of the Authorization header */
export const authorization = () => `Bearer ${bearer}`;

/**
 * The tab's own storage, which a browser may deny to a frame altogether. It holds the secret only
 * from the moment when the page goes away to the next.
 */
const kept = {
  /**
   * The secret, if the person reloaded this very page. A reload leaves the history as long as it was;
   * any other way here makes it longer, and then somebody else may sit in front of the tab, signed in
   * to Procore under another name. At its longest the history tells nothing: that counts as another way.
   *
   * @returns {string}
   */
  take() {
    try {
      const [secret, length] = (sessionStorage.getItem(RENEWAL) ?? "").split(" ");
      sessionStorage.removeItem(RENEWAL);
      return Number(length) === history.length && history.length < LONGEST_HISTORY ? secret : "";
    } catch {
      return "";
    }
  },
  /** @param {string} value */
  put(value) {
    try {
      sessionStorage.setItem(RENEWAL, `${value} ${history.length}`);
    } catch {
      // Then a reload costs one click.
    }
  },
};

window.addEventListener("pagehide", () => {
  if (renewal) kept.put(renewal);
});

/** @returns {string} 256 bits that only this frame knows */
function randomText() {
  const bytes = crypto.getRandomValues(new Uint8Array(32));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** @param {Session} session @param {Listener} on */
function open(session, on) {
  window.clearInterval(pairing);
  bearer = session.token;
  renewal = session.renewal;
  on.begin(session);
}

/**
 * After a reload: goes on without a pop-up where that is possible.
 *
 * @param {Listener} on
 */
export async function resume(on) {
  const secret = kept.take();
  if (!secret) return;
  const answer = await post(data.renewalUrl ?? "", { renewal: secret });
  if (answer.ok && !bearer) open(await answer.json(), on);
}

/**
 * Opens Procore's sign-in in a pop-up.
 *
 * @param {Listener} on
 */
export function signIn(on) {
  nonce = randomText();
  const address = new URL(data.signInUrl ?? "", window.location.href);
  address.searchParams.set("company_id", data.company ?? "");
  address.searchParams.set("nonce", nonce);
  on.tell(word("waiting"));
  helpers.authentication.authenticate({
    url: address.toString(),
    onSuccess: (/** @type {{code: string}} */ payload) => void exchange(payload.code, on),
    onFailure: () => {
      if (!bearer) void offerCode(address.toString(), on);
    },
  });
}

/**
 * The window was closed, was never opened, or looks closed because a page on the way cut the opener.
 *
 * @param {string} address
 * @param {Listener} on
 */
async function offerCode(address, on) {
  const asked = nonce;
  on.tell(word("closed"));
  const answer = await post(data.pairingUrl ?? "", { nonce: asked });
  if (!answer.ok || bearer || asked !== nonce) return;
  on.pair((await answer.json()).code, address);
  const until = Date.now() + ASK_FOR;
  window.clearInterval(pairing);
  pairing = window.setInterval(() => {
    if (bearer || asked !== nonce || Date.now() > until) window.clearInterval(pairing);
    else void collect(asked, on);
  }, ASK_EVERY);
}

/** @param {string} asked @param {Listener} on */
async function collect(asked, on) {
  const answer = await post(data.pairingUrl ?? "", { nonce: asked, collect: "1" });
  if (answer.status === 200 && !bearer) open(await answer.json(), on);
}

/** @param {string} code @param {Listener} on */
async function exchange(code, on) {
  const answer = await post(data.sessionUrl ?? "", { code, nonce });
  if (answer.ok) open(await answer.json(), on);
  else on.tell(word("not_completed"));
}

export async function signOut() {
  const answer = post(data.signOutUrl ?? "", {});
  forget();
  await answer;
}

/** Forgets the bearer and what could renew it, for a panel that Procore closes. */
export function forget() {
  bearer = "";
  renewal = "";
}

/**
 * @param {string} address
 * @param {Record<string, string>} body
 */
function post(address, body) {
  const headers = bearer ? { Authorization: authorization() } : undefined;
  return fetch(address, { method: "POST", body: new URLSearchParams(body), headers, credentials: "omit" });
}
