"""The host's half of the side panel protocol."""

from string import Template

PANEL_SCRIPT = Template("""
const context = $context;
const appOrigin = $origin;
const panel = document.getElementById("panel");
addEventListener("message", (event) => {
  if (event.origin !== appOrigin || event.source !== panel.contentWindow) return;
  if (event.data && event.data.type === "initialize") {
    panel.contentWindow.postMessage({ type: "setup", context }, appOrigin);
  }
});
for (const button of document.querySelectorAll("[data-view]")) {
  button.addEventListener("click", () => {
    Object.assign(context, { view: button.dataset.view, id: Number(button.dataset.id) || null });
    panel.contentWindow.postMessage({ type: "setup", context }, appOrigin);
  });
}
for (const button of document.querySelectorAll("[data-send]")) {
  button.addEventListener("click", () => {
    panel.contentWindow.postMessage({ type: button.dataset.send }, appOrigin);
  });
}
""")
