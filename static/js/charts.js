/**
 * Draws each canvas from the numbers that stand beside it as a table, in the colors of the page.
 *
 * @typedef {{name: string, values: (number | null)[]}} Series
 * @typedef {{kind: "bar" | "stacked" | "line", unit: string, currency: string, labels: string[], series: Series[]}} Data
 */
const COLORS = ["--chart-1", "--chart-2", "--chart-3", "--chart-4"];
const root = document.body.dataset;
/** @type {Map<HTMLCanvasElement, DrawnChart>} */
const drawn = new Map();

/** @returns {Promise<ChartLibrary>} */
async function library() {
  if (!window.Chart) await import(/** @type {string} */ (root.chartLibrary));
  return /** @type {ChartLibrary} */ (window.Chart);
}

/** @param {HTMLElement} place */
export async function draw(place) {
  const Chart = await library();
  for (const [canvas, chart] of drawn) {
    if (!canvas.isConnected) {
      chart.destroy();
      drawn.delete(canvas);
    }
  }
  for (const canvas of /** @type {NodeListOf<HTMLCanvasElement>} */ (place.querySelectorAll("canvas[data-chart]"))) {
    if (!drawn.has(canvas)) drawn.set(canvas, new Chart(canvas, options(JSON.parse(canvas.dataset.chart ?? "{}"))));
  }
}

/**
 * @param {string} slug
 * @returns {Promise<Blob>} the chart as it stands, on the page's own ground
 */
export async function picture(slug) {
  const canvas = /** @type {HTMLCanvasElement} */ (document.querySelector(`#figure-${slug} canvas`));
  const copy = document.createElement("canvas");
  copy.width = canvas.width;
  copy.height = canvas.height;
  const pen = /** @type {CanvasRenderingContext2D} */ (copy.getContext("2d"));
  pen.fillStyle = color("--paper");
  pen.fillRect(0, 0, copy.width, copy.height);
  pen.drawImage(canvas, 0, 0);
  return new Promise((resolve) => copy.toBlob((blob) => resolve(/** @type {Blob} */ (blob)), "image/png"));
}

/** @param {string} name @returns {string} the token's color as the page shows it now, light or dark */
function color(name) {
  const probe = document.createElement("span");
  probe.className = `probe ${name.slice(2)}`;
  document.body.append(probe);
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
}

/** @param {Data} data */
function options(data) {
  const line = data.kind === "line";
  const stacked = data.kind === "stacked";
  const figures = new Intl.NumberFormat(root.locale, notation(data));
  const ink = color("--ink-soft");
  const grid = color("--line");
  return {
    type: line ? "line" : "bar",
    data: {
      labels: data.labels,
      datasets: data.series.map((series, index) => ({
        label: series.name,
        data: series.values,
        backgroundColor: color(COLORS[index % COLORS.length]),
        borderColor: color(COLORS[index % COLORS.length]),
        borderWidth: line ? 2 : 0,
        borderDash: line && index ? [6, 4] : [],
        pointRadius: line && data.labels.length > 1 ? 0 : 4,
        maxBarThickness: 28,
      })),
    },
    options: {
      animation: false,
      responsive: true,
      maintainAspectRatio: false,
      interaction: { mode: "index", intersect: false },
      plugins: {
        legend: { position: "bottom", labels: { color: ink, boxWidth: 14 } },
        tooltip: {
          callbacks: { label: (/** @type {any} */ item) => `${item.dataset.label}: ${figures.format(item.raw ?? 0)}` },
        },
      },
      scales: {
        x: { stacked, ticks: { color: ink, maxRotation: 60 }, grid: { display: false } },
        y: {
          stacked,
          beginAtZero: true,
          ticks: { color: ink, precision: 0, callback: (/** @type {number} */ value) => figures.format(value) },
          grid: { color: grid },
        },
      },
    },
  };
}

/** @param {Data} data @returns {Intl.NumberFormatOptions} */
function notation(data) {
  if (data.unit !== "money") return { maximumFractionDigits: 1 };
  return { style: "currency", currency: data.currency, notation: "compact", maximumFractionDigits: 1 };
}
