/** The last page of a sign-in: in a pop-up, gives the one-time code to the frame that opened it. */
const code = document.body.dataset.code;
if (code && window.opener) {
  // Only to a window of our own origin; the library never posts to "*" here.
  window.ProcoreIframeHelpers.initialize().authentication.notifySuccess({ code }, window.location.origin);
  window.close();
} else if (code) {
  // A page on the way cut the opener: the code that the frame shows is typed here instead.
  /** @type {HTMLElement} */ (document.querySelector("[data-closing]")).hidden = true;
  /** @type {HTMLElement} */ (document.querySelector("[data-cut]")).hidden = false;
  /** @type {HTMLElement} */ (document.getElementById("typed")).focus();
}
