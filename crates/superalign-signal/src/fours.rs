//! Passes over tables of numbers `(items, columns)` that look at four rows at a time, each in a lane of a vector.
//!
//! What is computed of the rows lives with the metrics, and in `probabilities`.

use pulp::{Simd, cast, f64x4, m64x4, u64x4};

/// How many rows are looked at side by side.
pub(crate) const LANES: usize = 4;

/// Vectors of four numbers: those of the processor, or four numbers.
///
/// The widest ones gain nothing: these passes wait for memory.
pub(crate) trait Fours: Simd<f64s = f64x4, m64s = m64x4, u64s = u64x4> {
    /// Two columns of four rows.
    fn columns(self, rows: [[f64; 2]; LANES]) -> [f64x4; 2];
}

impl Fours for pulp::Scalar256b {
    #[inline(always)]
    fn columns(self, [a, b, c, d]: [[f64; 2]; LANES]) -> [f64x4; 2] {
        [f64x4(a[0], b[0], c[0], d[0]), f64x4(a[1], b[1], c[1], d[1])]
    }
}

#[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
impl Fours for pulp::x86::V3 {
    #[inline(always)]
    fn columns(self, [a, b, c, d]: [[f64; 2]; LANES]) -> [f64x4; 2] {
        // Two numbers of a row are loaded at once, and exchanged with those of the next row within halves.
        let (even, odd) = (cast([a, c]), cast([b, d]));
        [cast(self.avx._mm256_unpacklo_pd(even, odd)), cast(self.avx._mm256_unpackhi_pd(even, odd))]
    }
}

/// What is computed of four rows; every function is to be `#[inline(always)]`, or it is without the vectors.
pub(crate) trait Pass<P> {
    /// What is known of the rows after some of their columns.
    type State;

    fn start<S: Fours>(&self, simd: S) -> Self::State;

    /// Looks at the next column.
    fn column<S: Fours>(&self, simd: S, state: &mut Self::State, values: f64x4);

    /// Looks at the whole: `count` rows from number `first` on; in the lanes behind them the last is repeated. Says
    /// whether to go on.
    fn finish<S: Fours>(
        &mut self,
        simd: S,
        first: usize,
        count: usize,
        rows: &[P],
        state: Self::State,
    ) -> bool;
}

/// Takes a pass over a table of so many columns, at least one. Says whether it came to the end.
pub(crate) fn each_four<P: Copy + Into<f64>>(table: &[P], columns: usize, pass: &mut impl Pass<P>) -> bool {
    #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
    if let Some(simd) = pulp::x86::V3::try_new() {
        return simd.vectorize(Walk { simd, table, columns, pass });
    }
    pulp::NullaryFnOnce::call(Walk { simd: pulp::Scalar256b, table, columns, pass })
}

/// A type, since a closure would not surely be inlined where the vectors of the processor are known.
struct Walk<'a, S, P, T> {
    simd: S,
    table: &'a [P],
    columns: usize,
    pass: &'a mut T,
}

impl<S: Fours, P: Copy + Into<f64>, T: Pass<P>> pulp::NullaryFnOnce for Walk<'_, S, P, T> {
    type Output = bool;

    #[inline(always)]
    fn call(self) -> bool {
        let Self { simd, table, columns, pass } = self;
        let groups = table.chunks_exact(LANES * columns);
        let rest = groups.remainder();
        let mut first = 0;
        for rows in groups {
            let state = look(simd, pass, rows, columns);
            if !pass.finish(simd, first, LANES, rows, state) {
                return false;
            }
            first += LANES;
        }
        if rest.is_empty() {
            return true;
        }
        let mut rows = rest.to_vec();
        let last = rest.len() - columns;
        while rows.len() < LANES * columns {
            rows.extend_from_slice(&rest[last..]);
        }
        let state = look(simd, pass, &rows, columns);
        pass.finish(simd, first, rest.len() / columns, rest, state)
    }
}

/// Looks at all columns of four rows.
#[inline(always)]
fn look<S: Fours, P: Copy + Into<f64>, T: Pass<P>>(
    simd: S,
    pass: &T,
    rows: &[P],
    columns: usize,
) -> T::State {
    let (a, rest) = rows.split_at(columns);
    let (b, rest) = rest.split_at(columns);
    let (c, d) = rest.split_at(columns);
    let ((a, a_last), (b, b_last)) = (a.as_chunks(), b.as_chunks());
    let ((c, c_last), (d, d_last)) = (c.as_chunks(), d.as_chunks());
    let mut state = pass.start(simd);
    for (((a, b), c), d) in a.iter().zip(b).zip(c).zip(d) {
        let [even, odd] = simd.columns([wide(a), wide(b), wide(c), wide(d)]);
        pass.column(simd, &mut state, even);
        pass.column(simd, &mut state, odd);
    }
    if let ([a], [b], [c], [d]) = (a_last, b_last, c_last, d_last) {
        pass.column(simd, &mut state, cast([(*a).into(), (*b).into(), (*c).into(), (*d).into()]));
    }
    state
}

#[inline(always)]
fn wide<P: Copy + Into<f64>>(&[left, right]: &[P; 2]) -> [f64; 2] {
    [left.into(), right.into()]
}

/// Whether a condition holds in all lanes.
#[inline(always)]
pub(crate) fn all<S: Fours>(simd: S, holds: m64x4) -> bool {
    let fails: [u64; LANES] = cast(simd.select_u64s(holds, simd.splat_u64s(0), simd.splat_u64s(1)));
    fails == [0; LANES]
}
