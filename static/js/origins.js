/** Whether an origin is one of those that may frame us; core/frames.py decides alike. */
const LABEL = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

/**
 * @param {string[]} ancestors exact origins, and wildcards like https://*.procore.com
 * @param {string} origin as the browser writes it
 * @returns {boolean}
 */
export function allows(ancestors, origin) {
  return ancestors.some((one) => matches(one, origin));
}

/** @param {string} one @param {string} origin */
function matches(one, origin) {
  const star = one.indexOf("*.");
  if (star < 0) return one !== "" && one === origin;
  const [before, behind] = [one.slice(0, star), one.slice(star + 1)];
  if (!origin.startsWith(before) || !origin.endsWith(behind)) return false;
  return origin
    .slice(before.length, -behind.length)
    .split(".")
    .every((label) => LABEL.test(label));
}
