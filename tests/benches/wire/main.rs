//! Figures of the wire, for `cargo xtask bench wire`: against a bare `exec` of the same engine,
//! through the same client, in one run.
#![allow(clippy::unwrap_used, reason = "a bench ends where its rig fails")]

mod rig;

use std::time::{Duration, Instant};

use mizzen_tests::figure::Figure;
use mizzen_wire::{Probe, StreamKind, Wire};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use rig::Rig;

const WARM_UP: usize = 500;
const ROUND_TRIPS: usize = 5000;
const MESSAGE: usize = 64;

const RUNS: usize = 7;
const BYTES: usize = 256 * 1024 * 1024;
const BLOCK: usize = 256 * 1024;

#[tokio::main]
async fn main() {
    let rig = Rig::start().await;
    let wire = rig.wire().await;
    round_trips(&rig, &wire).await;
    into_the_container(&rig, &wire).await;
    out_of_the_container(&rig, &wire).await;
}

async fn round_trips(rig: &Rig, wire: &Wire) {
    let bare = ping_pong(rig.exec(&["cat"]).await).await;
    let through = ping_pong(wire.open(StreamKind::Probe(Probe::Echo)).await.unwrap()).await;
    Figure::of_times("round trip, bare exec", "80-180 µs", &bare).print();
    Figure::of_times("round trip, wire", "≤ 2 x bare", &through).print();
    let ratio = median(&through) / median(&bare);
    Figure::new("round trip, wire / bare", "≤ 2", &[ratio], |n| {
        format!("{n:.2}")
    })
    .print();
}

async fn ping_pong(mut io: impl AsyncRead + AsyncWrite + Unpin) -> Vec<Duration> {
    let (message, mut back) = ([7; MESSAGE], [0; MESSAGE]);
    let mut times = Vec::with_capacity(ROUND_TRIPS);
    for round in 0..WARM_UP + ROUND_TRIPS {
        let started = Instant::now();
        io.write_all(&message).await.unwrap();
        io.flush().await.unwrap();
        io.read_exact(&mut back).await.unwrap();
        if round >= WARM_UP {
            times.push(started.elapsed());
        }
    }
    times
}

async fn into_the_container(rig: &Rig, wire: &Wire) {
    let (mut bare, mut through) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        // Both say one byte when they have got all.
        bare.push(send(rig.exec(&["sh", "-c", "cat > /dev/null; printf x"]).await).await);
        through.push(send(wire.open(StreamKind::Probe(Probe::Sink)).await.unwrap()).await);
    }
    print_rates("into the container", &bare, &through);
}

async fn send(mut io: impl AsyncRead + AsyncWrite + Unpin) -> f64 {
    let block = vec![0; BLOCK];
    let started = Instant::now();
    for _ in 0..BYTES / BLOCK {
        io.write_all(&block).await.unwrap();
    }
    io.shutdown().await.unwrap();
    io.read_exact(&mut [0]).await.unwrap();
    rate(started)
}

async fn out_of_the_container(rig: &Rig, wire: &Wire) {
    let all = (BLOCK + BYTES).to_string();
    let (mut bare, mut through) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        // It ends by itself: nobody could end it, and what runs on slows down the runs after it.
        bare.push(receive(rig.exec(&["head", "-c", &all, "/dev/zero"]).await).await);
        through.push(receive(wire.open(StreamKind::Probe(Probe::Source)).await.unwrap()).await);
    }
    print_rates("out of the container", &bare, &through);
}

async fn receive(mut io: impl AsyncRead + Unpin) -> f64 {
    let mut block = vec![0; BLOCK];
    // The first block is there when all is set up.
    io.read_exact(&mut block).await.unwrap();
    let started = Instant::now();
    for _ in 0..BYTES / BLOCK {
        io.read_exact(&mut block).await.unwrap();
    }
    rate(started)
}

fn print_rates(direction: &str, bare: &[f64], through: &[f64]) {
    let show = |rate: f64| format!("{rate:.0} MiB/s");
    Figure::new(&format!("{direction}, bare exec"), "", bare, show).print();
    Figure::new(&format!("{direction}, wire"), "≥ 400 MiB/s", through, show).print();
}

/// MiB per second since then.
fn rate(started: Instant) -> f64 {
    (BYTES >> 20) as f64 / started.elapsed().as_secs_f64()
}

fn median(times: &[Duration]) -> f64 {
    let mut sorted = times.to_vec();
    sorted.sort();
    sorted[sorted.len() / 2].as_secs_f64()
}
