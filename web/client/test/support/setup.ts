import { countCryptoCalls } from "./clock.js";

countCryptoCalls();
