//! Rotary positions (Su et al. 2021): pairs of dimensions turned by an angle that grows with the position.

/// `x cos + turned(x) sin`, where `turned` swaps the halves of `x` and negates the one that comes first.
pub(super) fn rotate<'a>(vectors: impl Iterator<Item = Rotated<'a>>) {
    struct Here<I>(I);
    impl<'a, I: Iterator<Item = Rotated<'a>>> pulp::NullaryFnOnce for Here<I> {
        type Output = ();
        #[inline(always)]
        fn call(self) {
            self.0.for_each(|vector| rotate_one(vector));
        }
    }
    pulp::Arch::new().dispatch(Here(vectors));
}

/// A vector, the cosines and sines of its angles, and what comes out: all of one even length.
pub(super) struct Rotated<'a> {
    pub(super) vector: &'a [f32],
    pub(super) cos: &'a [f32],
    pub(super) sin: &'a [f32],
    pub(super) out: &'a mut [f32],
}

#[inline(always)]
fn rotate_one(Rotated { vector, cos, sin, out }: Rotated<'_>) {
    let (low, high) = vector.split_at(vector.len() / 2);
    let ((low_cos, high_cos), (low_sin, high_sin)) = (cos.split_at(low.len()), sin.split_at(low.len()));
    let (low_out, high_out) = out.split_at_mut(low.len());
    let halves = low.iter().zip(high);
    for (((out, (low, high)), cos), sin) in low_out.iter_mut().zip(halves.clone()).zip(low_cos).zip(low_sin) {
        *out = low * cos - high * sin;
    }
    for (((out, (low, high)), cos), sin) in high_out.iter_mut().zip(halves).zip(high_cos).zip(high_sin) {
        *out = high * cos + low * sin;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quarter_turn_swaps_the_halves() {
        let mut out = [0.0; 4];
        let (cos, sin) = ([0.0, 1.0, 0.0, 0.5], [1.0, 0.0, 1.0, 2.0]);
        rotate([Rotated { vector: &[1.0, 2.0, 3.0, 4.0], cos: &cos, sin: &sin, out: &mut out }].into_iter());
        assert_eq!(out, [-3.0, 2.0, 1.0, 6.0]);
    }
}
