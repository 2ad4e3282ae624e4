import { setMaxListeners } from "node:events";
import { countCryptoCalls } from "./clock.js";

countCryptoCalls();

// A connection's signal ends its listeners to the page's events, 15 with those of economy. More would be a leak.
setMaxListeners(20);
process.on("warning", (warning) => {
  if (warning.name === "MaxListenersExceededWarning") throw warning;
});
