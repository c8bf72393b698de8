// What the page and its worker say to each other.

export interface Metric {
  family: string; name: string; about: string; needs: string; usual: string[];
  options: { key: string; kind: 'word' | 'number' | 'whole' | 'text'; words: string[]; default: string; about: string }[];
}

/** A row of results; of an array of numbers the values and the lengths of its levels stand apart. */
export interface Found {
  row: {
    family: string; metric: string; part?: string; params: Record<string, string | number>; value?: number | string | null;
    lo?: number; hi?: number; level?: number; note?: string; error?: string; n: number; of: string; unit?: string; over?: string[]; values?: unknown; detail: boolean;
  };
  values?: Float64Array; shape?: number[];
}

/** What a file holds. */
export interface Opened {
  columns: { name: string; kind: string; filled: number; first: string[] }[];
  understood?: {
    container: string; shape: string; rows: number; columns: Record<string, string[]>; ignored: string[]; notes: string[];
    items?: number; annotators?: string[]; categories?: string[]; votes?: number; missing?: number; candidates?: string[]; classes?: string[];
  };
  /** Why the columns say nothing yet. */
  error?: string;
}

export type ItemColumn = { name: string; kind: 'text'; distinct: string[]; codes: Uint32Array } | { name: string; kind: 'number'; values: Float64Array };
export interface Items { rows: number; columns: ItemColumn[] }

/** Names that repeat: each once, and for every row which it is. */
export interface Coded { distinct: string[]; codes: Uint32Array }

/** Which texts a run has; the texts themselves stay with the worker. */
export interface TextIndex { items: string[]; parts: Coded; groups: Coded; objectives: Coded; gold: Uint8Array }

/** A text, and the answer with which it ends, where the run holds it apart. */
export interface OneText { text: string; answer: string | undefined }

/** What the models of a run say of one item, row by row; its text where the run has kept it. */
export interface Said {
  rows: { model: string; signal: string; seed: number; part: string; gold: boolean; given: number; probability: number }[];
  text: string | undefined;
}

/** The rows nearest to one, the nearest first, with their cosines. */
export interface Nearest { rows: number[]; cosines: number[] }

/** What is compared under one name. */
export interface CellKey { model: string; signal: string; seed: number }

export type Ask =
  | { kind: 'catalogue' } | { kind: 'requests' } | { kind: 'projection' } | { kind: 'rows' }
  | { kind: 'open'; name: string; bytes: ArrayBuffer; shape: string | undefined; roles: string[] }
  | { kind: 'reread'; shape: string | undefined; roles: string[] }
  | { kind: 'reference'; name: string | undefined; bytes: ArrayBuffer | undefined }
  | { kind: 'measure'; names: string[]; draws: number; level: number; seed: number }
  | { kind: 'nearest'; row: number; k: number }
  | { kind: 'items'; url: string }
  | { kind: 'texts'; url: string }
  | { kind: 'texts-of'; url: string; rows: readonly number[] }
  | { kind: 'texts-with'; url: string; words: readonly string[] }
  | { kind: 'said'; items: string; texts: string | undefined; item: string }
  | { kind: 'compare'; first: Float64Array; second: Float64Array; groups: Uint32Array | undefined; draws: number; level: number; seed: number; cell: CellKey }
  | { kind: 'adjust'; p: Float64Array; method: string }
  | { kind: 'share'; right: Uint8Array; groups: Uint32Array | undefined; draws: number; level: number; seed: number };

export type Told = Found | { rows: number; of: number };
export type Answer = { id: number } & ({ value: unknown } | { error: string } | { told: Told });
