//! Figures of the wire, for `cargo xtask bench wire`: on a direct line, as a session of a local engine has it, and on
//! an exec's stdio, as the others have it; against a bare `exec` of the same engine, through the same client, and
//! against the engine and the wire each alone, in one run.
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
        let wires = Wires {
            direct: rig.wire().await,
            stdio: rig.wire_on_stdio().await,
        };
        round_trips(&rig, &wires).await;
        into_the_container(&rig, &wires).await;
        out_of_the_container(&rig, &wires).await;
        wire_alone().await;
        done.send(()).unwrap();
    });
    ended.await.unwrap();
}

/// Two wires to one container.
struct Wires {
    direct: Wire,
    stdio: Wire,
}

async fn round_trips(rig: &Rig, wires: &Wires) {
    let echo = async |wire: &Wire| wire.open(StreamKind::Probe(Probe::Echo)).await.unwrap();
    let bare = ping_pong(rig.exec(&["cat"]).await).await;
    let stdio = ping_pong(echo(&wires.stdio).await).await;
    let direct = ping_pong(echo(&wires.direct).await).await;
    Figure::of_times("round trip, bare exec", "80-180 µs", &bare).print();
    Figure::of_times("round trip, wire on stdio", "≤ 2 x bare", &stdio).print();
    Figure::of_times("round trip, wire, direct line", "≤ bare", &direct).print();
    for (way, times, goal) in [
        ("wire on stdio", &stdio, "≤ 2"),
        ("wire, direct line", &direct, "≤ 1"),
    ] {
        let ratio = median(times) / median(&bare);
        let name = format!("round trip, {way} / bare");
        Figure::new(&name, goal, &[ratio], |n| format!("{n:.2}")).print();
    }
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

async fn into_the_container(rig: &Rig, wires: &Wires) {
    // All say one byte when they have got all.
    let sink = ["sh", "-c", "cat > /dev/null; printf x"];
    let mut rates = Rates::default();
    for _ in 0..RUNS {
        rates
            .alone
            .push(block_in_place(|| send_blocking(rig.exec_alone(&sink))));
        rates.bare.push(send(rig.exec(&sink).await).await);
        for (wire, rates) in rates.of(wires) {
            let stream = wire.open(StreamKind::Probe(Probe::Sink)).await.unwrap();
            rates.push(send(stream).await);
        }
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

async fn out_of_the_container(rig: &Rig, wires: &Wires) {
    let all = (BLOCK + BYTES).to_string();
    // It ends by itself: nobody could end it, and what runs on slows down the runs after it.
    let source = ["head", "-c", &all, "/dev/zero"];
    let mut rates = Rates::default();
    for _ in 0..RUNS {
        rates
            .alone
            .push(block_in_place(|| receive_blocking(rig.exec_alone(&source))));
        rates.bare.push(receive(rig.exec(&source).await).await);
        for (wire, rates) in rates.of(wires) {
            let stream = wire.open(StreamKind::Probe(Probe::Source)).await.unwrap();
            rates.push(receive(stream).await);
        }
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

/// One direction, run by run: the engine alone, a bare exec through our client, the wire both ways.
#[derive(Default)]
struct Rates {
    alone: Vec<f64>,
    bare: Vec<f64>,
    stdio: Vec<f64>,
    direct: Vec<f64>,
}

impl Rates {
    fn of<'a>(&'a mut self, wires: &'a Wires) -> [(&'a Wire, &'a mut Vec<f64>); 2] {
        [
            (&wires.stdio, &mut self.stdio),
            (&wires.direct, &mut self.direct),
        ]
    }

    fn print(&self, direction: &str) {
        let figure = |of: &str, goal, samples: &[f64]| {
            Figure::new(&format!("{direction}, {of}"), goal, samples, mib_per_s).print();
        };
        figure("engine alone", "", &self.alone);
        figure("bare exec", "", &self.bare);
        figure("wire on stdio", "", &self.stdio);
        figure("wire, direct line", "≥ 400 MiB/s", &self.direct);
        let pairs = self.stdio.iter().zip(&self.alone);
        let shares: Vec<f64> = pairs.map(|(wire, alone)| wire / alone).collect();
        let name = format!("{direction}, wire on stdio / engine alone");
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
