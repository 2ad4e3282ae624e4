/**
 * An element of the page that must be there.
 *
 * @template {HTMLElement} [E=HTMLElement]
 * @param {string} selector
 * @param {ParentNode} [root]
 * @returns {E}
 */
export function find(selector, root = document) {
  const element = root.querySelector(selector);
  if (!element) throw new Error(`no ${selector} in the page`);
  return /** @type {E} */ (element);
}

/** @param {ParentNode} root @param {string} name */
export const part = (root, name) => find(`[data-part="${name}"]`, root);

/**
 * A new element from a template of the page.
 *
 * @param {string} id
 * @returns {HTMLElement}
 */
export function fromTemplate(id) {
  const { content } = /** @type {HTMLTemplateElement} */ (find(`template#${id}`));
  return /** @type {HTMLElement} */ (content.firstElementChild?.cloneNode(true));
}

/** Says in a status line how something went. @param {string} selector @param {string} text */
export function say(selector, text, failed = false) {
  const line = find(selector);
  line.textContent = text;
  line.classList.toggle("failed", failed);
}

/** @param {unknown} error */
export const textOf = (error) => (error instanceof Error ? error.message : String(error));
