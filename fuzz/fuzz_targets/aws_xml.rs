#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| quell_fuzz::aws::xml(bytes));
