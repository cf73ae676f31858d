const words = /** @type {HTMLTemplateElement | null} */ (document.querySelector("template[data-words]"));

/**
 * What the scripts say: the server writes it into the page, in the reader's language.
 *
 * @param {string} key
 * @returns {string}
 */
export const word = (key) => words?.content.querySelector(`[data-word="${key}"]`)?.textContent ?? "";
