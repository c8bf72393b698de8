//! Gauss-Hermite quadrature: nodes and weights for averages over a standard normal variable.

/// `n` nodes in rising order, symmetric about 0, and their weights, which sum to 1: a polynomial of degree up to
/// 2n - 1 in a standard normal variable has its mean as the weighted sum.
///
/// The nodes are the eigenvalues of the Jacobi matrix of the Hermite polynomials (Golub and Welsch 1969), found by
/// bisection on the number of those below a point; a weight is one over the sum of the squares of the orthonormal
/// polynomials at its node.
pub(super) fn nodes_and_weights(n: usize) -> (Vec<f64>, Vec<f64>) {
    let mut nodes = vec![0.0; n];
    for rank in n.div_ceil(2)..n {
        let (mut low, mut high) = (0.0, 2.0 * (n as f64).sqrt());
        loop {
            let middle = 0.5 * (low + high);
            if middle <= low || middle >= high {
                break;
            }
            if below(n, middle) > rank { high = middle } else { low = middle }
        }
        nodes[rank] = low;
        nodes[n - 1 - rank] = -low;
    }
    let mut weights: Vec<f64> = nodes.iter().map(|&x| weight(n, x)).collect();
    let sum: f64 = weights.iter().sum();
    weights.iter_mut().for_each(|weight| *weight /= sum);
    (nodes, weights)
}

/// Number of eigenvalues below `x` (Sturm's sequence).
fn below(n: usize, x: f64) -> usize {
    let mut pivot = -x;
    let mut count = usize::from(pivot < 0.0);
    for k in 1..n {
        let divisor = if pivot == 0.0 { f64::MIN_POSITIVE } else { pivot };
        pivot = -x - k as f64 / divisor;
        count += usize::from(pivot < 0.0);
    }
    count
}

fn weight(n: usize, x: f64) -> f64 {
    let (mut before, mut here, mut squares) = (0.0, 1.0_f64, 1.0);
    for k in 1..n {
        let next = (x * here - ((k - 1) as f64).sqrt() * before) / (k as f64).sqrt();
        (before, here) = (here, next);
        squares += here * here;
    }
    1.0 / squares
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_nodes_are_those_of_the_textbook() {
        let (nodes, weights) = nodes_and_weights(3);
        for (found, expected) in nodes.iter().zip([-(3.0_f64.sqrt()), 0.0, 3.0_f64.sqrt()]) {
            assert!((found - expected).abs() < 1e-14);
        }
        for (found, expected) in weights.iter().zip([1.0 / 6.0, 2.0 / 3.0, 1.0 / 6.0]) {
            assert!((found - expected).abs() < 1e-14);
        }
    }

    #[test]
    fn moments_of_the_normal_are_exact() {
        for n in [1, 2, 8, 61, 200] {
            let (nodes, weights) = nodes_and_weights(n);
            assert!(nodes.windows(2).all(|pair| pair[0] < pair[1]), "{n}");
            let moment = |k: i32| -> f64 { nodes.iter().zip(&weights).map(|(x, w)| w * x.powi(k)).sum() };
            for (k, expected) in [(0, 1.0), (1, 0.0), (2, 1.0), (3, 0.0), (4, 3.0), (6, 15.0), (8, 105.0)] {
                if k < 2 * n as i32 {
                    assert!((moment(k) - expected).abs() < 1e-10 * expected.max(1.0), "{n} {k}");
                }
            }
        }
    }
}
