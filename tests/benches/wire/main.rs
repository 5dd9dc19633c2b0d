//! Figures of the wire, for `cargo xtask bench wire`: against a bare `exec` of the same engine,
//! through the same client, and against the engine and the wire each alone, in one run.
#![allow(clippy::unwrap_used, reason = "a bench ends where its rig fails")]

mod alone;
mod rig;

use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use mizzen_tasks::Owner;
use mizzen_tests::figure::Figure;
use mizzen_wire::{Probe, StreamKind, Wire};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::oneshot;
use tokio::task::block_in_place;

use rig::Rig;

const WARM_UP: usize = 500;
const ROUND_TRIPS: usize = 5000;
const MESSAGE: usize = 64;

const RUNS: usize = 7;
const BYTES: usize = 256 * 1024 * 1024;
const BLOCK: usize = 256 * 1024;

#[tokio::main]
async fn main() {
    let owner = Owner::root("bench");
    let (done, ended) = oneshot::channel();
    // In a task, as in the core: what waits outside of tasks costs a switch of threads per wake-up.
    owner.spawn("measure", async move {
        let rig = Rig::start().await;
        let wire = rig.wire().await;
        round_trips(&rig, &wire).await;
        into_the_container(&rig, &wire).await;
        out_of_the_container(&rig, &wire).await;
        wire_alone().await;
        done.send(()).unwrap();
    });
    ended.await.unwrap();
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
    // All say one byte when they have got all.
    let sink = ["sh", "-c", "cat > /dev/null; printf x"];
    let mut rates = Rates::default();
    for _ in 0..RUNS {
        rates
            .alone
            .push(block_in_place(|| send_blocking(rig.exec_alone(&sink))));
        rates.bare.push(send(rig.exec(&sink).await).await);
        rates
            .wire
            .push(send(wire.open(StreamKind::Probe(Probe::Sink)).await.unwrap()).await);
    }
    rates.print("into the container");
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

fn send_blocking(mut io: UnixStream) -> f64 {
    let block = vec![0; BLOCK];
    let started = Instant::now();
    for _ in 0..BYTES / BLOCK {
        io.write_all(&block).unwrap();
    }
    io.shutdown(Shutdown::Write).unwrap();
    io.read_exact(&mut [0]).unwrap();
    rate(started)
}

async fn out_of_the_container(rig: &Rig, wire: &Wire) {
    let all = (BLOCK + BYTES).to_string();
    // It ends by itself: nobody could end it, and what runs on slows down the runs after it.
    let source = ["head", "-c", &all, "/dev/zero"];
    let mut rates = Rates::default();
    for _ in 0..RUNS {
        rates
            .alone
            .push(block_in_place(|| receive_blocking(rig.exec_alone(&source))));
        rates.bare.push(receive(rig.exec(&source).await).await);
        rates
            .wire
            .push(receive(wire.open(StreamKind::Probe(Probe::Source)).await.unwrap()).await);
    }
    rates.print("out of the container");
}

fn receive_blocking(mut io: UnixStream) -> f64 {
    let mut block = vec![0; BLOCK];
    io.read_exact(&mut block).unwrap();
    let started = Instant::now();
    for _ in 0..BYTES / BLOCK {
        io.read_exact(&mut block).unwrap();
    }
    rate(started)
}

async fn wire_alone() {
    let mut rates = Vec::new();
    for _ in 0..RUNS {
        let owner = Owner::root("alone");
        let (_wire, stream) = alone::wire(&owner).await;
        rates.push(receive(stream).await);
    }
    Figure::new(
        "wire without an engine, one way",
        "≥ 400 MiB/s",
        &rates,
        mib_per_s,
    )
    .print();
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

/// One direction, run by run: the engine alone, a bare exec through our client, the wire.
#[derive(Default)]
struct Rates {
    alone: Vec<f64>,
    bare: Vec<f64>,
    wire: Vec<f64>,
}

impl Rates {
    fn print(&self, direction: &str) {
        let figure = |of: &str, goal, samples: &[f64]| {
            Figure::new(&format!("{direction}, {of}"), goal, samples, mib_per_s).print();
        };
        figure("engine alone", "", &self.alone);
        figure("bare exec", "", &self.bare);
        figure("wire", "≥ 400 MiB/s", &self.wire);
        let pairs = self.wire.iter().zip(&self.alone);
        let shares: Vec<f64> = pairs.map(|(wire, alone)| wire / alone).collect();
        let name = format!("{direction}, wire / engine alone");
        Figure::new(&name, "", &shares, |n| format!("{n:.2}")).print();
    }
}

fn mib_per_s(rate: f64) -> String {
    format!("{rate:.0} MiB/s")
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
