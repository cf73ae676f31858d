/**
 * What the scripts say: the server writes it into the page, in the reader's language.
 *
 * @param {string} key
 * @returns {string}
 */
export const word = (key) => document.querySelector(`[data-word="${key}"]`)?.textContent ?? "";
