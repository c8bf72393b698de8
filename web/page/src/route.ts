// The address says all: which page, and what is chosen on it. It lies behind `#`, so that any file host serves it.

export interface Route { path: string[]; query: URLSearchParams }

/** Where we are. */
export function current(): Route {
  const text = location.hash.startsWith('#/') ? location.hash.slice(2) : '';
  const [path = '', query = ''] = text.split('?', 2);
  return { path: path.split('/').filter(Boolean).map(decodeURIComponent), query: new URLSearchParams(query) };
}

/** The address of a page. */
export function address(path: readonly string[], query: Record<string, string | undefined> | URLSearchParams = {}): string {
  const kept = query instanceof URLSearchParams ? query : new URLSearchParams(Object.entries(query).filter((pair): pair is [string, string] => !!pair[1]));
  const text = kept.toString();
  return `#/${path.map(encodeURIComponent).join('/')}${text ? `?${text}` : ''}`;
}

/** Goes to a page; the way back leads here. */
export function go(path: readonly string[], query: Record<string, string | undefined> | URLSearchParams = {}): void {
  history.pushState(null, '', address(path, query));
  window.dispatchEvent(new Event('route'));
}

/** Writes what is chosen into the address, without a step in the history: for sliders and filters. */
export function keep(changes: Record<string, string | undefined>): void {
  const { path, query } = current();
  for (const [key, value] of Object.entries(changes)) {
    if (value === undefined || value === '') query.delete(key);
    else query.set(key, value);
  }
  history.replaceState(null, '', address(path, query));
}
