/**
 * Where the reader is, kept in the frame's own address: a reload, or a link, opens the same page.
 */
const data = document.body.dataset;
const base = data.base ?? "";
let here = "";

/**
 * An answer may name its place itself: one to a form, or one that has taken the place of another page.
 *
 * @param {{requestConfig?: {verb: string}, xhr: XMLHttpRequest}} detail of a page that was put into main
 */
export function remember(detail) {
  const place = detail.xhr.getResponseHeader("Tieback-Place");
  if (!place && (detail.requestConfig?.verb !== "get" || detail.xhr.status !== 200)) return;
  const address = place ? new URL(base + place, window.location.href) : new URL(detail.xhr.responseURL);
  if (!address.pathname.startsWith(base)) return;
  here = address.pathname.slice(base.length) + address.search;
  // The panel follows Procore, not its own past.
  if (!data.panel) history.replaceState(null, "", linkTo());
}

/** @returns {string} an address that opens this page, in the frame or in a tab of its own */
export function linkTo() {
  const address = new URL(base, window.location.href);
  address.searchParams.set("company_id", data.company ?? "");
  if (data.project) address.searchParams.set("project_id", data.project);
  if (here) address.searchParams.set("open", here);
  return address.toString();
}
