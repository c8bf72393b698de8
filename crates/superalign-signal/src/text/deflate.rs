//! How many bytes zlib makes of its input, to the byte, without making them. Only text compression uses it.
//!
//! A deflate stream can be written in many ways, and the size of each compressor's is its own. This follows the
//! choices of zlib (levels 4 to 9: hash chains, lazy matching, blocks of 16,383 symbols, and for each block the
//! shortest of stored, fixed and dynamic codes), so that a ratio is the one that Python or any other user of zlib
//! finds, on every processor.

/// Bytes that a reference may go back: the window less what has to be ahead.
const REACH: usize = WINDOW - AHEAD;
const WINDOW: usize = 1 << 15;
const AHEAD: usize = LONGEST + 4;
const SHORTEST: usize = 3;
const LONGEST: usize = 258;
/// A match of three bytes from farther away than this costs more than three literals.
const FAR: usize = 4096;
const SYMBOLS: usize = (1 << 14) - 1;

const LENGTHS: usize = 286;
const DISTANCES: usize = 30;
const END: usize = 256;
/// Codes of the code lengths: 0 to 15, repeat the last one, repeat 0 up to 10 times, up to 138 times.
const META: usize = 19;
const META_EXTRA: [u32; META] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 3, 7];
const META_ORDER: [usize; META] = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

/// How hard a level looks for matches.
struct Effort {
    /// A match this long makes the search for a better one a quarter as long.
    good: usize,
    /// After a match this long no better one is looked for.
    lazy: usize,
    /// A match this long ends the search.
    nice: usize,
    /// Places looked at.
    chain: usize,
}

impl Effort {
    fn of(level: u8) -> Self {
        let (good, lazy, nice, chain) = match level {
            ..=4 => (4, 4, 16, 16),
            5 => (8, 16, 32, 32),
            6 => (8, 16, 128, 128),
            7 => (8, 32, 128, 256),
            8 => (32, 128, 258, 1024),
            9.. => (32, 258, 258, 4096),
        };
        Self { good, lazy, nice, chain }
    }
}

/// Size of the zlib stream of these bytes, of which there are fewer than 2^32, at a level from 4 to 9.
pub(super) fn zlib_size(bytes: &[u8], level: u8) -> usize {
    let effort = Effort::of(level);
    let mut chains = Chains { head: vec![0; WINDOW], prev: vec![0; WINDOW] };
    let mut block = Block::new();
    // What is in the window, as zlib fills it: `base` is its first place, where it finds no match.
    let (mut base, mut filled) = (0, 0);
    let (mut at, mut start) = (0, 0);
    let (mut length, mut from) = (SHORTEST - 1, 0);
    let mut pending = false;
    loop {
        if filled - at < AHEAD {
            while filled < bytes.len() && filled - at < AHEAD {
                if at - base >= WINDOW + REACH {
                    base += WINDOW;
                }
                filled = bytes.len().min(base + 2 * WINDOW);
            }
            if at == filled {
                break;
            }
        }
        let ahead = bytes.len() - at;
        let candidate = if ahead >= SHORTEST { chains.insert(bytes, at) } else { 0 };
        let (last_length, last_from) = (length, from);
        length = SHORTEST - 1;
        if candidate > base && last_length < effort.lazy && at - candidate <= REACH {
            (length, from) = chains.longest(bytes, at, candidate, base, last_length, from, &effort);
            if length == SHORTEST && at - from > FAR {
                length = SHORTEST - 1;
            }
        }
        let full;
        if last_length >= SHORTEST && length <= last_length {
            full = block.reference(last_length, at - 1 - last_from);
            let end = at - 1 + last_length;
            for place in at + 1..end {
                if place + SHORTEST <= bytes.len() {
                    chains.insert(bytes, place);
                }
            }
            at = end;
            pending = false;
            length = SHORTEST - 1;
            if full {
                block.flush(at - start, start >= base);
                start = at;
            }
        } else {
            if pending {
                full = block.literal(bytes[at - 1]);
                if full {
                    block.flush(at - start, start >= base);
                    start = at;
                }
            }
            pending = true;
            at += 1;
        }
    }
    if pending {
        block.literal(bytes[at - 1]);
    }
    block.flush(at - start, start >= base);
    // Two bytes of header, four of checksum.
    2 + block.bits.div_ceil(8) as usize + 4
}

/// Places with the same hash of three bytes, the latest first. Place 0 ends a chain, and so is never found.
struct Chains {
    head: Vec<u32>,
    prev: Vec<u32>,
}

impl Chains {
    /// Adds a place; gives the latest one before it that has its hash.
    fn insert(&mut self, bytes: &[u8], at: usize) -> usize {
        let byte = |k: usize| usize::from(bytes[at + k]);
        let hash = (byte(0) << 10 ^ byte(1) << 5 ^ byte(2)) % WINDOW;
        let last = std::mem::replace(&mut self.head[hash], at as u32);
        self.prev[at % WINDOW] = last;
        last as usize
    }

    /// Length and place of the longest match that is longer than `length`; else these as they are.
    #[expect(clippy::too_many_arguments, reason = "the state of the search, all of it numbers")]
    fn longest(
        &self,
        bytes: &[u8],
        at: usize,
        mut candidate: usize,
        base: usize,
        mut length: usize,
        mut from: usize,
        effort: &Effort,
    ) -> (usize, usize) {
        let scan = &bytes[at..bytes.len().min(at + LONGEST)];
        let ahead = bytes.len() - at;
        let nice = effort.nice.min(ahead);
        let limit = base.max(at.saturating_sub(REACH));
        let mut left = if length >= effort.good { effort.chain / 4 } else { effort.chain };
        loop {
            let other = &bytes[candidate..];
            // Beyond the end nothing can be longer. Most candidates differ in the last two bytes that have to agree.
            if length < scan.len() && other[length - 1..=length] == scan[length - 1..=length] {
                let found = common(scan, other);
                if found > length {
                    (length, from) = (found, candidate);
                    if found >= nice {
                        break;
                    }
                }
            }
            candidate = self.prev[candidate % WINDOW] as usize;
            left -= 1;
            if candidate <= limit || left == 0 {
                break;
            }
        }
        (length.min(ahead), from)
    }
}

/// With how many bytes two lists agree, eight at a time.
fn common(a: &[u8], b: &[u8]) -> usize {
    let word = |eight: &[u8]| u64::from_le_bytes(eight.try_into().unwrap_or_default());
    let mut agreed = 0;
    for (a, b) in a.chunks_exact(8).zip(b.chunks_exact(8)) {
        let differ = word(a) ^ word(b);
        if differ != 0 {
            return agreed + (differ.trailing_zeros() / 8) as usize;
        }
        agreed += 8;
    }
    agreed + a[agreed..].iter().zip(&b[agreed..]).take_while(|(a, b)| a == b).count()
}

/// The symbols of one block, counted, and the bits of all blocks before it.
struct Block {
    bits: u64,
    symbols: usize,
    lengths: [u32; LENGTHS],
    distances: [u32; DISTANCES],
}

impl Block {
    fn new() -> Self {
        let mut block = Self { bits: 0, symbols: 0, lengths: [0; LENGTHS], distances: [0; DISTANCES] };
        block.lengths[END] = 1;
        block
    }

    /// Whether the block is full.
    fn literal(&mut self, byte: u8) -> bool {
        self.lengths[usize::from(byte)] += 1;
        self.symbols += 1;
        self.symbols == SYMBOLS
    }

    /// Whether the block is full.
    fn reference(&mut self, length: usize, distance: usize) -> bool {
        // 258 has a code of its own.
        let length = if length == LONGEST { 28 } else { step(length - SHORTEST, 4) };
        self.lengths[END + 1 + length] += 1;
        self.distances[step(distance - 1, 2)] += 1;
        self.symbols += 1;
        self.symbols == SYMBOLS
    }

    /// Ends the block, which stands for that many bytes; those can be stored if they are still in the window.
    fn flush(&mut self, bytes: usize, kept: bool) {
        let length_extra: [u32; LENGTHS] = std::array::from_fn(|code| match code.checked_sub(END + 1) {
            Some(code) if code < 28 => extra(code, 4),
            _ => 0,
        });
        let distance_extra: [u32; DISTANCES] = std::array::from_fn(|code| extra(code, 2));
        let fixed_lengths = |code: usize| match code {
            0..144 => 8,
            144..256 => 9,
            256..280 => 7,
            _ => 8,
        };
        let fixed: u64 = (0..LENGTHS)
            .map(|code| u64::from(self.lengths[code]) * u64::from(fixed_lengths(code) + length_extra[code]))
            .chain(
                (0..DISTANCES)
                    .map(|code| u64::from(self.distances[code]) * u64::from(5 + distance_extra[code])),
            )
            .sum();
        let lengths = Code::new(&self.lengths, &length_extra, 15);
        let distances = Code::new(&self.distances, &distance_extra, 15);
        let mut meta = [0; META];
        lengths.describe(&mut meta);
        distances.describe(&mut meta);
        let meta = Code::new(&meta, &META_EXTRA, 7);
        let last = (3..META).rev().find(|&place| meta.lengths[META_ORDER[place]] > 0).unwrap_or(2);
        let dynamic = lengths.bits + distances.bits + meta.bits + 3 * (last as u64 + 1) + 5 + 5 + 4;
        let whole = |bits: u64| (bits + 3).div_ceil(8);
        let shortest = whole(fixed).min(whole(dynamic));
        self.bits += 3;
        if kept && bytes as u64 + 4 <= shortest {
            self.bits = self.bits.next_multiple_of(8) + 8 * (4 + bytes as u64);
        } else if whole(fixed) == shortest {
            self.bits += fixed;
        } else {
            self.bits += dynamic;
        }
        *self = Self { bits: self.bits, ..Self::new() };
    }
}

/// The code of a value from 0, where codes grow by doubling steps, `fine` (2 or 4) codes a doubling.
fn step(value: usize, fine: usize) -> usize {
    if value < 2 * fine {
        return value;
    }
    let extra = (value.ilog2() - fine.ilog2()) as usize;
    extra * fine + (value >> extra)
}

/// How many bits more tell the values of such a code apart.
fn extra(code: usize, fine: usize) -> u32 {
    ((code / fine) as u32).saturating_sub(1)
}

/// A Huffman code: the length of every symbol's code, and the bits of all symbols with their extra bits.
struct Code {
    lengths: Vec<u8>,
    bits: u64,
}

impl Code {
    /// zlib's, which breaks ties by depth: other codes of the same cost have other lengths, which have to be described.
    fn new(counts: &[u32], extra: &[u32], longest: u8) -> Self {
        let symbols = counts.len();
        let mut tree = Tree { counts: counts.to_vec(), depths: vec![0; symbols], heap: vec![0] };
        tree.heap.extend((0..symbols).filter(|&symbol| counts[symbol] > 0));
        let mut last = tree.heap[tree.heap.len() - 1];
        // At least two symbols have a code; those added cost nothing, as they do not occur.
        while tree.heap.len() < 3 {
            let symbol = match tree.heap.len() {
                1 => 0,
                _ if last < 2 => last + 1,
                _ => 0,
            };
            tree.counts[symbol] = 1;
            tree.heap.push(symbol);
            last = last.max(symbol);
        }
        for place in (1..=(tree.heap.len() - 1) / 2).rev() {
            tree.sift(place);
        }
        let mut parents = vec![0; symbols];
        // Every node, children before their parents.
        let mut order = Vec::new();
        while tree.heap.len() > 2 {
            let a = tree.heap.swap_remove(1);
            tree.sift(1);
            let b = tree.heap[1];
            let node = tree.counts.len();
            tree.counts.push(tree.counts[a] + tree.counts[b]);
            tree.depths.push(tree.depths[a].max(tree.depths[b]) + 1);
            parents.push(0);
            (parents[a], parents[b]) = (node, node);
            order.extend([a, b]);
            tree.heap[1] = node;
            tree.sift(1);
        }
        let mut lengths = vec![0; tree.counts.len()];
        let mut of_length = vec![0_usize; usize::from(longest) + 1];
        let mut over = 0;
        for &node in order.iter().rev() {
            let length = lengths[parents[node]] + 1;
            over += i32::from(length > longest);
            lengths[node] = length.min(longest);
            if node < symbols {
                of_length[usize::from(lengths[node])] += 1;
            }
        }
        if over > 0 {
            while over > 0 {
                // One leaf moves down to make room for one that is too deep.
                let length =
                    (1..usize::from(longest)).rev().find(|&length| of_length[length] > 0).unwrap_or(1);
                of_length[length] -= 1;
                of_length[length + 1] += 2;
                of_length[usize::from(longest)] -= 1;
                over -= 2;
            }
            // The rarest symbols have the longest codes.
            let mut leaves = order.iter().filter(|&&node| node < symbols);
            for (length, &number) in of_length.iter().enumerate().rev() {
                leaves.by_ref().take(number).for_each(|&leaf| lengths[leaf] = length as u8);
            }
        }
        lengths.truncate(symbols);
        let bits =
            |symbol: usize| u64::from(counts[symbol]) * u64::from(u32::from(lengths[symbol]) + extra[symbol]);
        let bits = (0..symbols).map(bits).sum();
        // Up to the last symbol that has a code: what follows is not described.
        lengths.truncate(if longest == 7 { symbols } else { last + 1 });
        Self { lengths, bits }
    }

    /// Counts the codes that describe the lengths.
    fn describe(&self, meta: &mut [u32; META]) {
        let mut before = None;
        let mut rest = &self.lengths[..];
        while let [length, ..] = *rest {
            let most = match length {
                0 => 138,
                _ if before == Some(length) => 6,
                _ => 7,
            };
            let run = rest.iter().take(most).take_while(|other| **other == length).count();
            match (length, run) {
                (0, 11..) => meta[18] += 1,
                (0, 3..) => meta[17] += 1,
                (_, 3..) if length > 0 && before == Some(length) => meta[16] += 1,
                (_, 4..) if length > 0 => {
                    meta[usize::from(length)] += 1;
                    meta[16] += 1;
                }
                _ => meta[usize::from(length)] += run as u32,
            }
            before = Some(length);
            rest = &rest[run..];
        }
    }
}

/// Nodes in a heap, the rarest first, from place 1.
struct Tree {
    counts: Vec<u32>,
    depths: Vec<u32>,
    heap: Vec<usize>,
}

impl Tree {
    fn sift(&mut self, mut place: usize) {
        let Some(&node) = self.heap.get(place) else { return };
        let key = |node: usize| (self.counts[node], self.depths[node]);
        let mut child = 2 * place;
        while child < self.heap.len() {
            if child + 1 < self.heap.len() && key(self.heap[child + 1]) <= key(self.heap[child]) {
                child += 1;
            }
            if key(node) <= key(self.heap[child]) {
                break;
            }
            self.heap[place] = self.heap[child];
            place = child;
            child *= 2;
        }
        self.heap[place] = node;
    }
}
#[cfg(test)]
mod tests {
    use super::*;

    /// Draws of a generator that another language can repeat: 31 bits each.
    fn draws(mut state: u64) -> impl FnMut(usize) -> usize {
        move |below| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as usize % below
        }
    }

    fn noise(seed: u64, length: usize, values: usize) -> Vec<u8> {
        let mut draw = draws(seed);
        (0..length).map(|_| draw(values) as u8).collect()
    }

    fn check(bytes: &[u8], sizes: [usize; 6]) {
        assert_eq!(std::array::from_fn(|level| zlib_size(bytes, level as u8 + 4)), sizes);
    }

    // The sizes below are those of Python 3.11's `zlib.compress` (zlib 1.2.13) at the levels 4 to 9.

    #[test]
    fn words_and_noise_are_as_long_as_zlib_makes_them() {
        let mut draw = draws(1);
        let words: Vec<String> =
            (0..20_000).map(|_| format!("w{}", draw(3000).min(draw(3000)).min(draw(3000)))).collect();
        check(words.join(" ").as_bytes(), [39524, 39219, 38222, 37758, 37390, 37360]);
        check(&noise(2, 70_000, 256), [70031, 70031, 70031, 70031, 70031, 70031]);
        check(&noise(3, 50_000, 4), [15353, 15175, 14987, 15067, 15234, 15234]);
    }

    #[test]
    fn codes_that_would_be_too_long_are_shortened_as_zlib_does() {
        // Counts that grow as Fibonacci's numbers make the deepest trees.
        let mut counts = (1, 1);
        let mut bytes = Vec::new();
        for symbol in 0..19 {
            bytes.extend(std::iter::repeat_n(symbol * 11, counts.0));
            counts = (counts.1, counts.0 + counts.1);
        }
        let mut draw = draws(1);
        for last in (1..bytes.len()).rev() {
            bytes.swap(last, draw(last + 1));
        }
        check(&bytes, [4479, 4408, 4403, 4410, 4411, 4411]);
        let counts: Vec<u32> = (0..20_u32).map(|n| 1.618_f64.powi(n as i32) as u32).collect();
        let code = Code::new(&counts, &[0; 20], 15);
        assert_eq!(code.lengths.iter().max(), Some(&15));
        let kraft: f64 = code.lengths.iter().map(|&length| 0.5_f64.powi(i32::from(length))).sum();
        assert_eq!(kraft, 1.0);
    }

    #[test]
    fn matches_reach_as_far_as_those_of_zlib() {
        check(&noise(5, 32_506, 256).repeat(3), [33740, 33740, 33740, 33740, 33740, 33740]);
        check(&noise(5, 32_507, 256).repeat(3), [97557, 97557, 97557, 97557, 97557, 97557]);
        check(&[0; 300_000], [313, 313, 313, 313, 313, 313]);
    }

    #[test]
    fn short_inputs_are_as_long_as_zlib_makes_them() {
        for (bytes, size) in [("", 8), ("a", 9), ("ab", 10), ("aaaaaaaaaa", 11), ("abcabcabcabc", 13)] {
            check(bytes.as_bytes(), [size; 6]);
        }
    }
}
