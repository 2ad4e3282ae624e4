/** The calculator: asks the page's server what a scenario costs a month, and shows it. */
import * as api from "./api.js";
import { find, say, textOf } from "./dom.js";

/** How long typing may pause before it counts, milliseconds. */
const PAUSE = 200;
const SETTINGS = {
  default: "with the client's defaults",
  slow: "with economy, hidden: slow",
  pause: "with economy, hidden: pause",
};

/** The last asked for: an earlier answer that comes later is not shown. */
let asked = 0;

/** Shows the first estimate, and another one whenever the form changes. */
export function showCosts() {
  /** @type {HTMLFormElement} */
  const form = find("#costs");
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  form.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(() => void update(form), PAUSE);
  });
  form.addEventListener("submit", (event) => event.preventDefault());
  void update(form);
}

/** @param {HTMLFormElement} form */
async function update(form) {
  const { history, receipts } = /** @type {Record<string, HTMLInputElement>} */ (
    /** @type {unknown} */ (form)
  );
  if (history && receipts) receipts.disabled = !history.checked;
  if (!form.checkValidity()) return say("#cost-problem", "A number is missing or out of its range.", true);
  const turn = ++asked;
  try {
    const scenario = scenarioOf(new FormData(form));
    const estimate = await api.cost(scenario);
    if (turn === asked) show(estimate, scenario.client);
  } catch (error) {
    if (turn === asked) say("#cost-problem", textOf(error), true);
  }
}

/** @param {FormData} fields @returns {import("./api.js").Scenario} */
function scenarioOf(fields) {
  const number = (/** @type {string} */ name) => Number(fields.get(name));
  const history = fields.has("history");
  return {
    users: number("users"),
    hours: number("hours"),
    messages: number("messages"),
    hidden: number("hidden") / 100,
    bytes: number("bytes"),
    history,
    receipts: fields.has("receipts"),
    publish: String(fields.get("publish")),
    client: String(fields.get("client")),
  };
}

/** @param {import("./api.js").Estimate} estimate @param {string} chosen the client's setting */
function show({ systems, settings, remarks, prices }, chosen) {
  const others = settings.filter(({ client }) => client !== chosen);
  const [own, ...peers] = systems.map((system) => row(system));
  const settingRows = others.map(({ client, ...sums }) => row({ name: SETTINGS[client], ...sums }, "other"));
  if (own) find("#cost-table tbody").replaceChildren(own, ...settingRows, ...peers);
  find("#cost-remarks").replaceChildren(...remarks.map(remark));
  say("#cost-problem", "");
  find("#cost-prices").textContent = `List prices ${prices}, without free tiers; docs/COST.md has the rules.`;
}

/** @param {string} text */
function remark(text) {
  const element = document.createElement("li");
  element.textContent = text;
  return element;
}

/** @param {{ name: string, dollars: number, withoutHistory: number }} sums @param {string} kind a class */
function row({ name, dollars, withoutHistory }, kind = "") {
  const element = document.createElement("tr");
  const head = document.createElement("th");
  head.scope = "row";
  head.className = kind;
  head.textContent = name;
  element.append(head, ...[dollars, withoutHistory].map(cell));
  return element;
}

/** @param {number} dollars */
function cell(dollars) {
  const element = document.createElement("td");
  const digits = { minimumFractionDigits: 2, maximumFractionDigits: 2 };
  element.textContent = dollars.toLocaleString("en-US", digits);
  return element;
}
