//! Rotary positions in Hugging Face's convention: within a head, component j turns with component j + head/2.

use crate::model::{Documents, ROPE_THETA, Shape};
use crate::real::Real;
use crate::wide::wide;

/// Cosines and sines, (positions, head / 2).
#[derive(Clone, Debug)]
pub(crate) struct Rope<T> {
    half: usize,
    cosines: Vec<T>,
    sines: Vec<T>,
}

/// Which way to turn.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Turn {
    /// By the position's angle: the forward pass.
    Forth,
    /// By its negative: the gradient.
    Back,
}

impl<T: Real> Rope<T> {
    /// Tables for every position. Frequencies and angles are rounded to f32, as the Python implementation does
    /// it, also when T is f64.
    pub(crate) fn new(shape: &Shape) -> Self {
        let half = shape.head() / 2;
        let mut cosines = Vec::with_capacity(shape.positions * half);
        let mut sines = Vec::with_capacity(shape.positions * half);
        for position in 0..shape.positions {
            for j in 0..half {
                let frequency = ROPE_THETA.powf(-(j as f64) / half as f64) as f32;
                let angle = f64::from(frequency * position as f32);
                cosines.push(T::of(angle.cos()));
                sines.push(T::of(angle.sin()));
            }
        }
        Self { half, cosines, sines }
    }

    /// Turns queries and keys, the first two thirds of every row of `qkv` (tokens, 3 width).
    pub(crate) fn apply(&self, batch: &Documents<'_>, qkv: &mut [T], width: usize, turn: Turn) {
        let sign = match turn {
            Turn::Forth => T::ONE,
            Turn::Back => -T::ONE,
        };
        for (start, len) in batch.spans() {
            let rows = &mut qkv[start * 3 * width..(start + len) * 3 * width];
            rotate(rows, &self.cosines, &self.sines, width, self.half, sign);
        }
    }
}

wide! {
    /// Turns one document's rows.
    fn rotate<'a, T>(
        rows: &'a mut [T],
        cosines: &'a [T],
        sines: &'a [T],
        width: usize,
        half: usize,
        sign: T,
    ) {
        let tables = cosines.chunks_exact(half).zip(sines.chunks_exact(half));
        for (row, (cosines, sines)) in rows.chunks_exact_mut(3 * width).zip(tables) {
            for head in row[..2 * width].chunks_exact_mut(2 * half) {
                let (a, b) = head.split_at_mut(half);
                for (((a, b), &c), &s) in a.iter_mut().zip(b).zip(cosines).zip(sines) {
                    let (x, y, s) = (*a, *b, sign * s);
                    *a = x * c - y * s;
                    *b = y * c + x * s;
                }
            }
        }
    }
}
