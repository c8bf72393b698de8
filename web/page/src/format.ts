// Numbers and files for people, and CSV both ways.

/** A number in four significant digits, as `superalign measure` shows it. */
export function digits(x: number | null | undefined): string {
  if (x === null || x === undefined || Number.isNaN(x)) return '–';
  if (!Number.isFinite(x)) return x > 0 ? '∞' : '−∞';
  if (Math.abs(x) < 1e-12) return '0';
  if (Number.isInteger(x) && Math.abs(x) < 1e9) return thousands(x);
  const size = Math.abs(x);
  const text = size < 1e-3 || size >= 1e6 ? x.toExponential(3) : size >= 100 ? x.toFixed(1) : x.toFixed(4);
  return text.replace('-', '−');
}

/** A p-value: small ones say only that they are small. */
export const chance = (p: number): string => (p < 1e-4 ? '< 0.0001' : p.toFixed(4));

/** A whole number with thin spaces. */
export const thousands = (n: number): string => String(n).replace('-', '−').replace(/\B(?=(\d{3})+$)/g, '\u202f');

/** "3 rows", "1 row". */
export const plural = (n: number, one: string, many = `${one}s`): string => `${thousands(n)} ${n === 1 ? one : many}`;

/** A time span. */
export function duration(seconds: number): string {
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 90) return `${seconds.toFixed(1)} s`;
  return seconds < 5400 ? `${Math.round(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`;
}

/** A day and time, from seconds since 1970. */
export function moment(seconds: number): string {
  const at = new Date(seconds * 1000);
  return Number.isNaN(at.getTime()) ? '' : at.toISOString().slice(0, 16).replace('T', ' ');
}

/** Rows of cells as CSV. */
export function toCsv(columns: readonly string[], rows: Iterable<readonly unknown[]>): string {
  const cell = (value: unknown): string => {
    const text = value === null || value === undefined || (typeof value === 'number' && Number.isNaN(value)) ? '' : String(value);
    return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  const lines = [columns.map(cell).join(',')];
  for (const row of rows) lines.push(row.map(cell).join(','));
  return `${lines.join('\n')}\n`;
}

/** The records of a CSV file (RFC 4180) under its header. */
export function fromCsv(text: string): Record<string, string>[] {
  const rows: string[][] = [];
  let row: string[] = [];
  let cell = '';
  let quoted = false;
  const end = () => { row.push(cell); cell = ''; };
  for (let i = 0; i < text.length; i++) {
    const c = text[i]!;
    if (quoted) {
      if (c !== '"') cell += c;
      else if (text[i + 1] === '"') { cell += '"'; i++; } else quoted = false;
    } else if (c === '"') quoted = true;
    else if (c === ',') end();
    else if (c === '\n') { end(); rows.push(row); row = []; } else if (c !== '\r') cell += c;
  }
  if (cell !== '' || row.length > 0) { end(); rows.push(row); }
  const [header, ...body] = rows;
  return body.filter((cells) => cells.length > 1 || cells[0] !== '').map((cells) => Object.fromEntries((header ?? []).map((name, i) => [name, cells[i] ?? ''])));
}

/** A name for a file, made of words. */
export const slug = (text: string): string => text.toLowerCase().replace(/[^a-z0-9]+/g, '-').replace(/^-|-$/g, '').slice(0, 60) || 'superalign';
