/** What the vendored libraries put on the window. */
interface DrawnChart {
  destroy(): void;
}
interface ChartLibrary {
  new (canvas: HTMLCanvasElement, options: object): DrawnChart;
}
interface Window {
  Chart?: ChartLibrary;
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
