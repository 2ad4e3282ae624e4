/** The page of one entry, which the address names: `/page.html?account=1&user=7&session=browser#vue`. */
const PAGES: Record<string, () => Promise<unknown>> = {
  react: () => import("./pages/react.js"),
  vue: () => import("./pages/vue.js"),
  svelte: () => import("./pages/svelte.js"),
  inbox: () => import("./pages/inbox.js"),
  order: () => import("./pages/order.js"),
};

void PAGES[location.hash.slice(1)]?.();
