/**
 * Procore's window around ours: its origin, and the side panel's protocol.
 *
 * @typedef {{project: string, view: string, record: string}} Context
 */
import { allows } from "./origins.js";

const hosts = (document.body.dataset.hosts ?? "").split(" ");
const referrer = document.referrer ? new URL(document.referrer).origin : "";

/** The frame's origin when it is one of Procore's that we know, else empty. */
export const host = allows(hosts, referrer) ? referrer : "";

/**
 * Listens to Procore, then says that the panel is ready.
 *
 * @param {{setup: (context: Context) => void, visible: () => void, hidden: () => void, destroy: () => void}} on
 */
export function followPanel(on) {
  window.addEventListener("message", (event) => {
    if (event.source !== window.parent || !allows(hosts, event.origin)) return;
    const message = event.data ?? {};
    if (message.type === "setup") {
      on.setup({
        project: String(message.context?.project_id ?? ""),
        view: String(message.context?.view ?? ""),
        record: String(message.context?.id ?? ""),
      });
    } else if (message.type === "sidepanel:app:visible") on.visible();
    else if (message.type === "sidepanel:app:hidden") on.hidden();
    else if (message.type === "sidepanel:app:destroy") on.destroy();
  });
  if (host) window.parent.postMessage({ type: "initialize" }, host);
}
