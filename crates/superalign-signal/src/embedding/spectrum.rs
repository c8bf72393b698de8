//! Effective numbers of a spectrum: of which order, and what is rounding. Where spectra come from is elsewhere.

use crate::SignalError;

/// Shares of a spectrum below this are rounding of the eigenvalues, and count as zero.
pub(crate) const CUT: f64 = 1e-12;
/// A spectrum whose sum is 1 and that has an eigenvalue below minus this is that of no kernel.
const NEGATIVE: f64 = 1e-6;

/// The order q of a Rényi entropy: 0 or more, infinity included.
pub(crate) fn check_order(order: f64) -> Result<(), SignalError> {
    // NaN is refused as well.
    if order >= 0.0 {
        return Ok(());
    }
    Err(SignalError::setting("order", order, "0 or more, infinity included"))
}

/// The shares of eigenvalues that should be non-negative: divided by their sum, rounding cut.
pub(crate) fn shares(values: &[f64], name: &'static str) -> Result<Vec<f64>, SignalError> {
    let sum: f64 = values.iter().sum();
    if !(sum > 0.0 && sum.is_finite()) {
        return Err(SignalError::undefined(name, "every eigenvalue is zero"));
    }
    if let Some(value) = values.iter().find(|value| **value < -NEGATIVE * sum) {
        return Err(SignalError::undefined(
            name,
            format!("the kernel has the negative eigenvalue {value:.3e}"),
        ));
    }
    Ok(values.iter().map(|value| value / sum).filter(|share| *share > CUT).collect())
}

/// The Hill number of order q of shares that sum to 1: the exponential of their Rényi entropy.
pub(crate) fn effective_number(shares: &[f64], order: f64) -> f64 {
    let largest = shares.iter().copied().fold(0.0, f64::max);
    if order == f64::INFINITY {
        1.0 / largest
    } else if order == 0.0 {
        shares.len() as f64
    } else if order == 1.0 {
        shares.iter().map(|p| -p * p.ln()).sum::<f64>().exp()
    } else if (order - 1.0).abs() < 0.5 {
        // sum p^q - 1, without the cancellation near q = 1.
        let excess: f64 = shares.iter().map(|p| p * ((order - 1.0) * p.ln()).exp_m1()).sum();
        (excess.ln_1p() / (1.0 - order)).exp()
    } else {
        // Relative to the largest share, so that nothing underflows at a high order.
        let sum: f64 = shares.iter().map(|p| (p / largest).powf(order)).sum();
        ((sum.ln() + order * largest.ln()) / (1.0 - order)).exp()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_meet_where_they_should() {
        let shares = [0.5, 0.25, 0.125, 0.125];
        let at = |order| effective_number(&shares, order);
        assert_eq!(at(0.0), 4.0);
        assert!((at(1.0) - 2.0_f64.powf(1.75)).abs() < 1e-12);
        assert!((at(2.0) - 1.0 / (0.25 + 0.0625 + 2.0 / 64.0)).abs() < 1e-12);
        assert_eq!(at(f64::INFINITY), 2.0);
        for (near, exact) in [(1.0 + 1e-9, 1.0), (1.0 - 1e-9, 1.0), (1e-9, 0.0), (1e4, f64::INFINITY)] {
            assert!((at(near) / at(exact) - 1.0).abs() < 1e-3, "{near}");
        }
        assert!((at(1.0 + 1e-9) - at(1.0)).abs() < 1e-8);
        assert!(
            (at(0.499_999_999) - at(0.500_000_001)).abs() < 1e-8
                && (at(1.499_999_999) - at(1.5)).abs() < 1e-8
        );
    }

    #[test]
    fn a_spectrum_of_no_kernel_is_refused() {
        let error = shares(&[-0.5, 2.0], "Vendi score").unwrap_err().to_string();
        assert_eq!(error, "Vendi score is undefined: the kernel has the negative eigenvalue -5.000e-1");
        let error = shares(&[0.0, 0.0], "Vendi score").unwrap_err().to_string();
        assert_eq!(error, "Vendi score is undefined: every eigenvalue is zero");
        assert_eq!(
            check_order(-1.0).unwrap_err().to_string(),
            "order = -1: expected 0 or more, infinity included"
        );
        assert!(check_order(f64::NAN).is_err() && check_order(f64::INFINITY).is_ok());
    }
}
