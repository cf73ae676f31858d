/**
 * The keyboard on the mapping page: j and k move, Enter takes the first suggestion, / looks for
 * another code. After a decision the next group that needs a person is there already.
 */
const main = /** @type {HTMLElement} */ (document.getElementById("main"));

/** @returns {HTMLElement[]} */
const groups = () => Array.from(main.querySelectorAll("[data-group]"));

/** @returns {HTMLElement | undefined} the group that holds the focus */
const current = () => groups().find((group) => group.contains(document.activeElement));

/** @param {HTMLElement | undefined} group */
function enter(group) {
  group?.focus({ preventScroll: true });
  group?.scrollIntoView({ block: "nearest" });
}

/** @param {number} by */
function move(by) {
  const all = groups();
  const here = current();
  enter(here ? all[all.indexOf(here) + by] : all[0]);
}

/** @param {HTMLElement} group */
function takeFirst(group) {
  /** @type {HTMLElement | null} */ (group.querySelector("[data-first]"))?.click();
}

/** @param {HTMLElement} group */
function look(group) {
  /** @type {HTMLElement | null} */ (group.querySelector("input[type=search]"))?.focus();
}

document.addEventListener("keydown", (event) => {
  const target = /** @type {HTMLElement} */ (event.target);
  if (!main.querySelector("[data-review]") || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "Escape" && target.closest("[data-group]")) return enter(current());
  if (target.closest("input, select, textarea")) return;
  const here = current();
  if (event.key === "j") move(1);
  else if (event.key === "k") move(-1);
  else if (event.key === "Enter" && here && target === here) takeFirst(here);
  else if (event.key === "/" && here) {
    event.preventDefault();
    look(here);
  }
});

document.body.addEventListener("htmx:afterSwap", (event) => {
  const decided = /** @type {CustomEvent} */ (event).detail.elt;
  if (!(decided instanceof HTMLElement) || !decided.matches("[data-group]")) return;
  const all = groups();
  const next = all.slice(all.indexOf(decided) + 1).find((group) => !group.classList.contains("mapped"));
  enter(next ?? decided);
});
