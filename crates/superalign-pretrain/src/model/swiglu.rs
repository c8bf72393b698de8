//! The gated activation silu(gate) * up, where silu(x) = x s(x) and s(x) = 1 / (1 + exp(-x)), and its gradient.

use crate::real::Real;
use crate::wide::wide;

/// Elements worked on together.
const CHUNK: usize = 16;

wide! {
    /// From rows of gate and up, (tokens, 2 width), to the activation (tokens, width).
    pub(super) fn forward<'a, T>(gate_up: &'a [T], activated: &'a mut [T], width: usize) {
        for (row, out) in gate_up.chunks_exact(2 * width).zip(activated.chunks_exact_mut(width)) {
            let (gate, up) = row.split_at(width);
            for ((out, &g), &u) in out.iter_mut().zip(gate).zip(up) {
                *out = g / (T::ONE + (-g).exp()) * u;
            }
        }
    }
}

wide! {
    /// Overwrites gate and up with their gradients: d up = dy g s(g); d gate = dy u s(g) (1 + g (1 - s(g))).
    pub(super) fn backward<'a, T>(gate_up: &'a mut [T], d_activated: &'a [T], width: usize) {
        for (row, dy) in gate_up.chunks_exact_mut(2 * width).zip(d_activated.chunks_exact(width)) {
            let (gate, up) = row.split_at_mut(width);
            let (gates, gate_tail) = gate.as_chunks_mut::<CHUNK>();
            let (ups, up_tail) = up.as_chunks_mut::<CHUNK>();
            let (dys, dy_tail) = dy.as_chunks::<CHUNK>();
            for ((g, u), dy) in gates.iter_mut().zip(ups).zip(dys) {
                // By value: the compiler cannot otherwise know that gate and up do not overlap.
                let (gs, us) = (*g, *u);
                for i in 0..CHUNK {
                    (g[i], u[i]) = gradient(gs[i], us[i], dy[i]);
                }
            }
            for ((g, u), &dy) in gate_tail.iter_mut().zip(up_tail).zip(dy_tail) {
                (*g, *u) = gradient(*g, *u, dy);
            }
        }
    }
}

#[inline(always)]
fn gradient<T: Real>(g: T, u: T, dy: T) -> (T, T) {
    let s = T::ONE / (T::ONE + (-g).exp());
    (dy * u * s * (T::ONE + g * (T::ONE - s)), dy * g * s)
}
