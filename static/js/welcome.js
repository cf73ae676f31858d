/** The last page of a sign-in: in a pop-up, gives the one-time code to the frame that opened it. */
const code = document.body.dataset.code;
if (code && window.opener) {
  // Only to a window of our own origin; the library never posts to "*" here.
  window.ProcoreIframeHelpers.initialize().authentication.notifySuccess({ code }, window.location.origin);
  window.close();
}
