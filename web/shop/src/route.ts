/** Where in the shop the page is; kept in the address after the `#`. */
export type Route =
  | { page: "home" }
  | { page: "category"; category: string }
  | { page: "product"; id: string }
  | { page: "search"; query: string }
  | { page: "cart" }
  | { page: "checkout" }
  | { page: "thanks"; order: string }
  | { page: "account" };

export function routeOf(hash: string): Route {
  const [page, rest = ""] = hash.replace(/^#\/?/, "").split("/", 2);
  const value = decoded(rest);
  switch (page) {
    case "category":
      return { page, category: value };
    case "product":
      return { page, id: value };
    case "search":
      return { page, query: value };
    case "thanks":
      return { page, order: value };
    case "cart":
    case "checkout":
    case "account":
      return { page };
    default:
      return { page: "home" };
  }
}

export function hashOf(page: Route["page"], value?: string): string {
  if (page === "home") return "#/";
  return value === undefined ? `#/${page}` : `#/${page}/${encodeURIComponent(value)}`;
}

/** The name of the page in page calls. */
export function nameOf(route: Route): string {
  switch (route.page) {
    case "category":
      return route.category;
    case "product":
      return `Product ${route.id}`;
    default:
      return route.page.charAt(0).toUpperCase() + route.page.slice(1);
  }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
