/** What the vendored libraries put on the window. */
interface Window {
  ProcoreIframeHelpers: {
    initialize(): {
      authentication: {
        authenticate(options: {
          url: string;
          onSuccess: (payload: { code: string }) => void;
          onFailure: (error: unknown) => void;
        }): void;
        notifySuccess(payload: { code: string }, origin: string): void;
      };
    };
  };
  htmx: { ajax(verb: string, path: string, context: { target: string; swap: string }): Promise<void> };
}
