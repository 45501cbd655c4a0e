//! The scoring function in Rust, without its standard library.
//!
//!     rustc --target wasm32-unknown-unknown --crate-type cdylib -O -C panic=abort -o scoring.wasm scoring.rs
//!
//! Debian's rustc has no linker for it (apt install rustc libstd-rust-dev-wasm32 lld-19):
//!
//!     rustc --target wasm32-unknown-unknown --crate-type lib --emit=obj -O -C panic=abort -o scoring.o scoring.rs
//!     wasm-ld-19 --no-entry --export=score -s -o scoring.wasm scoring.o
#![no_std]

static RATES: [f64; 4] = [1.0, 1.05, 1.1, 1.25];

#[no_mangle]
pub extern "C" fn score(price: f64, quantity: f64, bonus: i32) -> f64 {
    let (mut sum, mut weight) = (0.0, 1.0);
    for i in 0..=bonus.max(0).min(20) {
        sum += price * quantity * weight * RATES[(i % 4) as usize];
        weight /= 2.0;
    }
    if sum > 100.0 { sum } else { sum / 2.0 }
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    core::arch::wasm32::unreachable()
}
