// Colours that people with any colour vision tell apart (after Okabe and Ito), as variables of the style sheet, with a
// symbol and a dash for each, so that colour is never the only sign.

export const COLOURS = Array.from({ length: 8 }, (_, i) => `var(--c${i})`);
export const SYMBOLS = ['circle', 'square', 'triangle', 'diamond', 'star', 'cross', 'wye', 'hexagon'] as const;
export const DASHES = ['none', '6 3', '2 2', '8 3 2 3', '4 4', '1 3', '10 4', '6 2 2 2'];

/** An entry of a legend. */
export interface Key { name: string; colour: string; symbol: (typeof SYMBOLS)[number]; dash: string }

/** A sign for each name, in their order; after eight they begin again. */
export const keys = (names: readonly string[]): Key[] => names.map((name, i) => ({
  name, colour: COLOURS[i % 8]!, symbol: SYMBOLS[i % 8]!, dash: DASHES[Math.floor(i / 8) > 0 ? (i + 1) % 8 : i % 8]!,
}));

/** Value of a custom property as it stands for the present theme. */
export const resolved = (name: string): string => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

const rgb = (hex: string): [number, number, number] => [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16)) as [number, number, number];
const hex = (channels: readonly number[]): string => `#${channels.map((c) => Math.round(c).toString(16).padStart(2, '0')).join('')}`;

function blend(stops: readonly string[], share: number): string {
  const place = Math.min(Math.max(share, 0), 1) * (stops.length - 1);
  const i = Math.min(Math.floor(place), stops.length - 2);
  const [from, to] = [rgb(stops[i]!), rgb(stops[i + 1]!)];
  return hex(from.map((c, channel) => c + (to[channel]! - c) * (place - i)));
}

export const isDark = (): boolean => document.documentElement.dataset.theme
  ? document.documentElement.dataset.theme === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches;

/** From little to much. The low end stays off the background in either theme. */
export const sequential = (share: number): string => blend(isDark()
  ? ['#27405e', '#2c6a94', '#3a97b4', '#74c7b8', '#d3f0b0'] : ['#e8f1f8', '#a9cfe5', '#5aa3cc', '#1f6ea8', '#0b3c6f'], share);

/** From below through nothing to above: orange, neutral, blue. */
export const diverging = (share: number): string => blend(isDark()
  ? ['#f08c4a', '#8a5a38', '#3a3f45', '#2f6d93', '#6dc0f2'] : ['#b34a00', '#e8a876', '#f2f0ee', '#85b7d9', '#00568f'], share);

/** Black or white, whichever is read more easily on the colour. */
export function ink(colour: string): string {
  const linear = rgb(colour).map((c) => { const x = c / 255; return x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4; });
  const light = 0.2126 * linear[0]! + 0.7152 * linear[1]! + 0.0722 * linear[2]!;
  return (light + 0.05) / 0.05 > 1.05 / (light + 0.05) ? '#000000' : '#ffffff';
}
