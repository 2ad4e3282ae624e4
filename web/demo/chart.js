import { find } from "./dom.js";

/** What the chart shows, milliseconds. */
const WINDOW = 60_000;
const FRAME = 100;
const AXIS = 54;
const FOOT = 20;

/** The end-to-end latencies of the last minute: a dot for each message, in its session's colour. */
export class Chart {
  /** @type {{ at: number, latency: number, color: number }[]} */
  #points = [];
  #canvas = /** @type {HTMLCanvasElement} */ (find("#chart"));
  #drawing = false;

  constructor() {
    new ResizeObserver(() => this.#draw()).observe(this.#canvas);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#draw());
  }

  /** @param {number} latency milliseconds @param {number} color */
  add(latency, color) {
    this.#points.push({ at: Date.now(), latency, color });
    if (this.#drawing) return;
    this.#drawing = true;
    this.#run();
  }

  /** Draws while there are dots to move. */
  #run() {
    this.#forget();
    this.#tell();
    this.#draw();
    this.#drawing = this.#points.length > 0;
    if (this.#drawing) setTimeout(() => requestAnimationFrame(() => this.#run()), FRAME);
  }

  #forget() {
    const start = Date.now() - WINDOW;
    while (this.#points[0] && this.#points[0].at < start) this.#points.shift();
  }

  #tell() {
    const sorted = this.#points.map(({ latency }) => latency).sort((a, b) => a - b);
    const at = (/** @type {number} */ share) => sorted[Math.ceil(sorted.length * share) - 1];
    const figures = { last: this.#points.at(-1)?.latency, median: at(0.5), p95: at(0.95) };
    for (const [name, value] of Object.entries(figures)) {
      find(`[data-figure="${name}"]`).textContent = value === undefined ? "–" : milliseconds(value);
    }
    find('[data-figure="count"]').textContent = String(sorted.length);
  }

  #draw() {
    const { clientWidth: width, clientHeight: height } = this.#canvas;
    const context = this.#canvas.getContext("2d");
    if (!context || width === 0) return;
    this.#canvas.width = width * devicePixelRatio;
    this.#canvas.height = height * devicePixelRatio;
    context.scale(devicePixelRatio, devicePixelRatio);
    const style = getComputedStyle(this.#canvas);
    const top = ceiling(Math.max(50, ...this.#points.map(({ latency }) => latency)));
    const y = (/** @type {number} */ latency) => height - FOOT - ((height - FOOT - 10) * latency) / top;
    this.#grid(context, style, width, top, y);
    if (this.#points.length === 0) this.#invite(context, style, width, y(top / 4));
    for (const { at, latency, color } of this.#points) {
      const x = AXIS + (width - AXIS - 4) * (1 - (Date.now() - at) / WINDOW);
      context.fillStyle = style.getPropertyValue(`--color-${color}`);
      context.beginPath();
      context.arc(x, y(latency), 3, 0, 2 * Math.PI);
      context.fill();
    }
  }

  /**
   * @param {CanvasRenderingContext2D} context
   * @param {CSSStyleDeclaration} style
   * @param {number} width
   * @param {number} y
   */
  #invite(context, style, width, y) {
    context.fillStyle = style.getPropertyValue("--soft");
    context.textAlign = "center";
    context.textBaseline = "middle";
    context.fillText("No message in the last minute", AXIS + (width - AXIS) / 2, y);
  }

  /**
   * @param {CanvasRenderingContext2D} context
   * @param {CSSStyleDeclaration} style
   * @param {number} width
   * @param {number} top
   * @param {(latency: number) => number} y
   */
  #grid(context, style, width, top, y) {
    context.font = `12px ${style.fontFamily}`;
    context.textAlign = "right";
    context.textBaseline = "middle";
    for (const latency of [0, top / 2, top]) {
      context.fillStyle = style.getPropertyValue("--line");
      context.fillRect(AXIS, y(latency), width - AXIS, 1);
      context.fillStyle = style.getPropertyValue("--soft");
      context.fillText(latency === 0 ? "0" : milliseconds(latency), AXIS - 6, y(latency));
    }
    context.textBaseline = "bottom";
    context.fillText("now", width, this.#canvas.clientHeight);
    context.textAlign = "left";
    context.fillText("a minute ago", AXIS, this.#canvas.clientHeight);
  }
}

/** @param {number} value */
export function milliseconds(value) {
  return value < 1000 ? `${Math.round(value)} ms` : `${(value / 1000).toFixed(1)} s`;
}

/** The next round number. @param {number} value */
function ceiling(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  return power * ([1, 2, 3, 4, 6].find((factor) => value <= power * factor) ?? 10);
}
