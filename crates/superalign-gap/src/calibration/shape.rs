//! The shapes of gain against gamma, fitted by weighted least squares.

use std::fmt;

/// How the gain depends on gamma, from the simplest claim to the strongest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Shape {
    /// It does not.
    Flat,
    /// It rises throughout, or falls throughout.
    Monotone,
    /// It rises, then falls.
    Unimodal,
}

impl Shape {
    /// All shapes, the simplest first.
    pub const ALL: [Self; 3] = [Self::Flat, Self::Monotone, Self::Unimodal];
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Flat => "flat",
            Self::Monotone => "monotone",
            Self::Unimodal => "unimodal",
        })
    }
}

/// A fitted curve of the gain over z in [-1, 1], with gamma = centre + half z.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Curve {
    /// Middle of the measured range of gamma.
    pub centre: f64,
    /// Half of its length.
    pub half: f64,
    /// a: the level at the middle.
    pub level: f64,
    /// b: the slope in z there.
    pub slope: f64,
    /// The third parameter.
    pub bend: Bend,
}

/// What makes a [`Curve`] more than a line.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Bend {
    /// Nothing: a + b z.
    None,
    /// a + b (exp(k z) - 1) / k.
    Exponential(f64),
    /// a + b z + c z^2, c < 0.
    Quadratic(f64),
}

/// Where a curve is greatest.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Peak {
    /// At the least measured gamma.
    Low,
    /// At a gamma within the range.
    Inside(f64),
    /// At the greatest measured gamma.
    High,
    /// Everywhere.
    Anywhere,
}

/// Exponents k of the exponential: from nearly a step at one end of the range to one at the other.
const EXPONENTS: [f64; 16] =
    [-6.0, -5.0, -4.0, -3.25, -2.5, -1.75, -1.1, -0.5, 0.5, 1.1, 1.75, 2.5, 3.25, 4.0, 5.0, 6.0];
/// Relative size below which a determinant or a sum of squares is nothing but rounding.
const NOTHING: f64 = 1e-12;

/// A measured point.
#[derive(Clone, Copy)]
pub(super) struct Point {
    pub(super) z: f64,
    pub(super) gain: f64,
    pub(super) weight: f64,
    /// z on the scale of every exponential: computed once, used by every fold.
    bases: [f64; EXPONENTS.len()],
}

impl Point {
    pub(super) fn new(z: f64, gain: f64, weight: f64) -> Self {
        Self { z, gain, weight, bases: EXPONENTS.map(|k| basis(k, z)) }
    }
}

/// The measured range of gamma.
#[derive(Clone, Copy)]
pub(super) struct Range {
    pub(super) centre: f64,
    pub(super) half: f64,
}

impl Curve {
    /// The gain at a gamma. Outside the measured range it is an extrapolation of the formula.
    #[must_use]
    pub fn at(&self, gamma: f64) -> f64 {
        self.at_unit((gamma - self.centre) / self.half)
    }

    pub(super) fn at_unit(&self, z: f64) -> f64 {
        self.level
            + match self.bend {
                Bend::None => self.slope * z,
                Bend::Exponential(k) => self.slope * basis(k, z),
                Bend::Quadratic(c) => (self.slope + c * z) * z,
            }
    }

    /// Where it is greatest within the measured range.
    pub(super) fn peak(&self) -> Peak {
        let towards = match self.bend {
            Bend::Quadratic(c) => -self.slope / (2.0 * c),
            _ if self.slope > 0.0 => 1.0,
            _ if self.slope < 0.0 => -1.0,
            _ => return Peak::Anywhere,
        };
        if towards <= -1.0 {
            Peak::Low
        } else if towards >= 1.0 {
            Peak::High
        } else {
            Peak::Inside(self.centre + self.half * towards)
        }
    }

    /// The curve of that shape with the least weighted sum of squares. Where the points don't determine a parameter
    /// (too few of them at different gammas), it is left out.
    pub(super) fn fit(shape: Shape, points: &[Point], range: Range) -> Self {
        let flat =
            |level| Self { centre: range.centre, half: range.half, level, slope: 0.0, bend: Bend::None };
        match shape {
            Shape::Flat => flat(level(points)),
            Shape::Monotone => {
                let lines = (0..EXPONENTS.len()).filter_map(|place| line(points, range, Some(place)));
                let mut best = line(points, range, None).unwrap_or((flat(level(points)), f64::INFINITY));
                for found in lines {
                    if found.1 < best.1 {
                        best = found;
                    }
                }
                best.0
            }
            Shape::Unimodal => parabola(points, range)
                .or_else(|| line(points, range, None).map(|found| found.0))
                .unwrap_or_else(|| flat(level(points))),
        }
    }

    /// Weighted sum of squares.
    pub(super) fn misfit(&self, points: &[Point]) -> f64 {
        points.iter().map(|point| point.weight * (point.gain - self.at_unit(point.z)).powi(2)).sum()
    }
}

/// (exp(k z) - 1) / k: 0 with slope 1 at z = 0.
fn basis(k: f64, z: f64) -> f64 {
    (k * z).exp_m1() / k
}

fn level(points: &[Point]) -> f64 {
    let weight: f64 = points.iter().map(|point| point.weight).sum();
    points.iter().map(|point| point.weight * point.gain).sum::<f64>() / weight
}

/// Weighted simple regression on z, or on the exponential of that place; with its weighted sum of squares.
fn line(points: &[Point], range: Range, exponential: Option<usize>) -> Option<(Curve, f64)> {
    let of = |point: &Point| exponential.map_or(point.z, |place| point.bases[place]);
    let (mut weight, mut mean, mut gain) = (0.0, 0.0, 0.0);
    for point in points {
        weight += point.weight;
        mean += point.weight * of(point);
        gain += point.weight * point.gain;
    }
    mean /= weight;
    gain /= weight;
    let (mut squares, mut products, mut all, mut scale) = (0.0, 0.0, 0.0, 0.0);
    for point in points {
        let (x, y) = (of(point) - mean, point.gain - gain);
        squares += point.weight * x * x;
        products += point.weight * x * y;
        all += point.weight * y * y;
        scale += point.weight * (1.0 + of(point).powi(2));
    }
    if squares <= NOTHING * scale {
        return None;
    }
    let slope = products / squares;
    let bend = exponential.map_or(Bend::None, |place| Bend::Exponential(EXPONENTS[place]));
    let curve = Curve { centre: range.centre, half: range.half, level: gain - slope * mean, slope, bend };
    Some((curve, all - slope * products))
}

/// Weighted quadratic regression with a curvature below 0; none where that is not the optimum.
fn parabola(points: &[Point], range: Range) -> Option<Curve> {
    // By orthogonal polynomials: z, then z^2 with what 1 and z explain taken off.
    let weight: f64 = points.iter().map(|point| point.weight).sum();
    let mean = |of: &dyn Fn(&Point) -> f64| {
        points.iter().map(|point| point.weight * of(point)).sum::<f64>() / weight
    };
    let centre = mean(&|point| point.z);
    let first = mean(&|point| (point.z - centre).powi(2));
    if first <= NOTHING {
        return None;
    }
    let skew = mean(&|point| (point.z - centre).powi(3)) / first;
    let second = |z: f64| (z - centre).powi(2) - skew * (z - centre) - first;
    let squares = mean(&|point| second(point.z).powi(2));
    if squares <= NOTHING {
        return None;
    }
    let bend = mean(&|point| second(point.z) * point.gain) / squares;
    if bend >= 0.0 {
        return None;
    }
    let slope = mean(&|point| (point.z - centre) * point.gain) / first;
    // level + slope (z - m) + bend ((z - m)^2 - skew (z - m) - first), in powers of z.
    let linear = slope - bend * skew;
    Some(Curve {
        centre: range.centre,
        half: range.half,
        level: level(points) - linear * centre + bend * (centre * centre - first),
        slope: linear - 2.0 * bend * centre,
        bend: Bend::Quadratic(bend),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points(gain: impl Fn(f64) -> f64) -> Vec<Point> {
        let weights = [1.0, 3.0, 0.5, 2.0, 1.5, 1.0, 4.0];
        let z = |i: usize| -1.0 + 2.0 * i as f64 / 6.0;
        (0..7).map(|i| Point::new(z(i), gain(z(i)), weights[i])).collect()
    }

    const RANGE: Range = Range { centre: 0.2, half: 0.1 };

    #[test]
    fn every_shape_finds_its_own_curve() {
        let wave = points(|z| 0.03 + 0.01 * z - 0.02 * z * z);
        let found = Curve::fit(Shape::Unimodal, &wave, RANGE);
        assert!((found.level - 0.03).abs() < 1e-12 && (found.slope - 0.01).abs() < 1e-12, "{found:?}");
        let Peak::Inside(gamma) = found.peak() else { panic!("{found:?}") };
        assert!((gamma - 0.225).abs() < 1e-12);
        let line = points(|z| 0.03 - 0.01 * z);
        for shape in [Shape::Monotone, Shape::Unimodal] {
            let found = Curve::fit(shape, &line, RANGE);
            assert!((found.at(0.3) - 0.02).abs() < 1e-9 && found.peak() == Peak::Low, "{found:?}");
        }
        let levelling = points(|z| 0.05 - 0.01 * (-2.5 * z).exp());
        let found = Curve::fit(Shape::Monotone, &levelling, RANGE);
        assert_eq!(found.bend, Bend::Exponential(-2.5));
        assert!(found.misfit(&levelling) < 1e-24 && found.peak() == Peak::High);
        let flat = Curve::fit(Shape::Flat, &wave, RANGE);
        assert_eq!(flat.peak(), Peak::Anywhere);
    }

    #[test]
    fn a_valley_is_no_peak() {
        let valley = points(|z| z * z + 0.1 * z);
        let found = Curve::fit(Shape::Unimodal, &valley, RANGE);
        assert_eq!(found.bend, Bend::None);
    }

    #[test]
    fn points_at_one_gamma_leave_only_the_level() {
        let same = vec![Point::new(0.3, 0.1, 1.0), Point::new(0.3, 0.3, 3.0)];
        for shape in Shape::ALL {
            let found = Curve::fit(shape, &same, RANGE);
            assert!((found.at(0.0) - 0.25).abs() < 1e-12, "{found:?}");
        }
    }
}
