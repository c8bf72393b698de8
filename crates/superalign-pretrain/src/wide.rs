//! Loops compiled for every width of vectors, the widest that the processor has chosen at run time.

/// Declares a function whose body runs with the widest vectors of this processor (AVX-512, AVX2 or the baseline).
///
/// What the body calls must be marked `#[inline(always)]`. A closure would not do: it cannot carry that mark, and
/// then keeps the baseline's instructions. The result has the same bits for every width: additions keep their
/// order, and none is fused with a product.
macro_rules! wide {
    (@output) => { () };
    (@output $output:ty) => { $output };
    (
        $(#[$meta:meta])*
        $visibility:vis fn $name:ident<$a:lifetime, $T:ident>($($argument:ident: $type:ty),* $(,)?)
        $(-> $output:ty)?
        $body:block
    ) => {
        $(#[$meta])*
        $visibility fn $name<$a, $T: $crate::real::Real>($($argument: $type),*) $(-> $output)? {
            struct Loop<$a, $T> { $($argument: $type),* }
            impl<$a, $T: $crate::real::Real> pulp::NullaryFnOnce for Loop<$a, $T> {
                type Output = $crate::wide::wide!(@output $($output)?);
                #[inline(always)]
                fn call(self) -> $crate::wide::wide!(@output $($output)?) {
                    let Self { $($argument),* } = self;
                    $body
                }
            }
            pulp::Arch::new().dispatch(Loop { $($argument),* })
        }
    };
}

pub(crate) use wide;
