//! How many codes a core judges in a second: a window of three steps, with and without keying the HMAC anew.
//!
//! ```text
//! cargo bench -p countersign-otp
//! ```

use std::hint::black_box;

use countersign_otp::{Algorithm, Code, Digits, Drift, Period, Secret, Steps, TimeStep, Totp};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

const NOW: TimeStep = TimeStep::new(56_666_666);

fn verification(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("find_step");
    group.throughput(Throughput::Elements(1));
    for algorithm in Algorithm::ALL {
        let totp = Totp::with(&secret(), algorithm, Digits::Six, Period::DEFAULT);
        for (name, code) in [("match", totp.code_at(NOW)), ("no_match", code_of_no_step(&totp))] {
            group.bench_function(format!("{algorithm}/{name}"), |bencher| {
                bencher.iter(|| totp.find_step(black_box(&code), black_box(steps())));
            });
        }
    }
    group.finish();
}

/// What a logon pays, where the secret has just been unsealed.
fn keying_and_verification(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("new_and_find_step");
    group.throughput(Throughput::Elements(1));
    let secret = secret();
    let code = Totp::new(&secret).code_at(NOW);
    group.bench_function("SHA1/match", |bencher| {
        bencher.iter(|| Totp::new(black_box(&secret)).find_step(black_box(&code), black_box(steps())));
    });
    group.finish();
}

fn steps() -> Steps {
    Drift::NONE.steps_around(NOW, NOW.checked_sub(100))
}

fn secret() -> Secret {
    Secret::generate(|bytes| bytes.fill(0x5a))
}

fn code_of_no_step(totp: &Totp) -> Code {
    (0..1_000_000)
        .filter_map(|value| Code::new(value, totp.digits()))
        .find(|code| totp.find_step(code, steps()).is_none())
        .unwrap_or_else(|| totp.code_at(NOW))
}

criterion_group!(benches, verification, keying_and_verification);
criterion_main!(benches);
