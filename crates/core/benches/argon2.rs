//! What the work areas of [`PasswordHasher`] gain over fresh memory, and what its queue costs over bare Argon2.
#![expect(clippy::expect_used, reason = "a benchmark that cannot run may stop")]

use argon2::{Argon2, Block};
use countersign_core::hashing::{HashParams, PasswordHasher};
use criterion::{BenchmarkGroup, Criterion, SamplingMode, Throughput, measurement::WallTime};
use secrecy::SecretString;
use std::hint::black_box;
use tokio::runtime::Runtime;

const PASSWORD: &str = "correct horse battery staple";
const SALT: [u8; 16] = [7; 16];
const THREADS: usize = 2;
const HASHES_OF_EACH: usize = 16;

fn main() {
    let mut criterion = Criterion::default().sample_size(20).configure_from_args();
    let runtime = Runtime::new().expect("a runtime");
    let budget = u64::from(HashParams::default().memory_kib) * 1024 * 2;
    let hasher = PasswordHasher::new(HashParams::default(), budget).expect("the default parameters");

    let mut group = criterion.benchmark_group("one hash");
    group.sampling_mode(SamplingMode::Flat);
    fresh_memory(&mut group);
    reused_memory(&mut group);
    group.bench_function("the service", |bencher| {
        bencher.iter(|| runtime.block_on(hash(hasher.clone())));
    });
    group.finish();

    let mut group = criterion.benchmark_group("two threads");
    group.sampling_mode(SamplingMode::Flat);
    group.throughput(Throughput::Elements((THREADS * HASHES_OF_EACH).try_into().expect("a small number")));
    bare_threads(&mut group);
    group.bench_function("the service", |bencher| {
        bencher.iter(|| {
            runtime.block_on(async {
                let tasks: Vec<_> = (0..THREADS * HASHES_OF_EACH).map(|_| tokio::spawn(hash(hasher.clone()))).collect();
                for task in tasks {
                    task.await.expect("a hash");
                }
            });
        });
    });
    group.finish();
    criterion.final_summary();
}

fn fresh_memory(group: &mut BenchmarkGroup<'_, WallTime>) {
    group.bench_function("fresh memory", |bencher| {
        bencher.iter(|| {
            let mut tag = [0; 32];
            Argon2::default().hash_password_into(PASSWORD.as_bytes(), &SALT, &mut tag).expect("a hash");
            black_box(tag)
        });
    });
}

fn reused_memory(group: &mut BenchmarkGroup<'_, WallTime>) {
    let mut area = work_area();
    group.bench_function("reused memory", |bencher| bencher.iter(|| bare(&mut area)));
}

fn bare_threads(group: &mut BenchmarkGroup<'_, WallTime>) {
    let mut areas: [_; THREADS] = std::array::from_fn(|_| work_area());
    group.bench_function("bare argon2, reused memory", |bencher| {
        bencher.iter(|| {
            std::thread::scope(|scope| {
                for area in &mut areas {
                    scope.spawn(|| {
                        for _ in 0..HASHES_OF_EACH {
                            bare(area);
                        }
                    });
                }
            });
        });
    });
}

async fn hash(hasher: PasswordHasher) -> String {
    hasher.hash(&SecretString::from(PASSWORD), SALT).await.expect("a hash")
}

fn bare(area: &mut [Block]) -> [u8; 32] {
    let mut tag = [0; 32];
    Argon2::default().hash_password_into_with_memory(PASSWORD.as_bytes(), &SALT, &mut tag, area).expect("a hash");
    black_box(tag)
}

fn work_area() -> Vec<Block> {
    vec![Block::new(); Argon2::default().params().block_count()]
}
