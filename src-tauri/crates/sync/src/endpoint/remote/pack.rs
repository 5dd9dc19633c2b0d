//! Contents made shorter for a wire that is slow.
//!
//! A local engine carries 500 MB a second, a direct line 900, and zstd packs 400 at best: there it costs time. It pays on
//! a wire to another machine. So it is the time that the wire itself takes which decides, as it is measured while
//! contents go over, and what does not shrink is left as it is.

use std::io::{self, Write};
use std::time::{Duration, Instant};

use zstd::bulk::{Compressor, decompress};

use super::frames::{FRAME_MAX, senseless};

/// A wire that carries less in a second is slow. Whoever writes many small files at the other end takes more.
const SLOW: u64 = 32 * MIB;
/// Fewer bytes may lie in buffers, and say nothing of the wire.
const ENOUGH: u64 = 4 * MIB;
/// What was long ago says less.
const WINDOW: u64 = 16 * MIB;
const MIB: u64 = 1024 * 1024;

/// The quickest that is worth its name.
const LEVEL: i32 = 1;
/// Less than that does not shrink.
const SHORT: usize = 256;
/// So many pieces of a file go as they are after one that did not shrink by an eighth.
const PASS: u32 = 15;

/// How fast a wire takes what is sent.
#[derive(Clone, Copy, Default)]
pub(super) struct Pace {
    sent: u64,
    took: Duration,
}

impl Pace {
    pub(super) fn add(&mut self, bytes: u64, took: Duration) {
        self.sent += bytes;
        self.took += took;
        if self.sent > WINDOW {
            self.sent /= 2;
            self.took /= 2;
        }
    }

    pub(super) fn is_slow(&self) -> bool {
        let in_time = u128::from(SLOW) * self.took.as_nanos() / 1_000_000_000;
        self.sent >= ENOUGH && u128::from(self.sent) < in_time
    }
}

/// Measures the time that each write takes.
pub(super) struct Timed {
    to: Box<dyn Write + Send>,
    pub(super) pace: Pace,
}

impl Timed {
    pub(super) fn new(to: Box<dyn Write + Send>) -> Self {
        let pace = Pace::default();
        Self { to, pace }
    }
}

impl Write for Timed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let began = Instant::now();
        let written = self.to.write(bytes)?;
        self.pace.add(written as u64, began.elapsed());
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

/// Packs the pieces of one file.
#[derive(Default)]
pub(super) struct Packer {
    zstd: Option<Compressor<'static>>,
    passes: u32,
}

impl Packer {
    /// Another file may be of another kind.
    pub(super) fn begin(&mut self) {
        self.passes = 0;
    }

    /// A piece made shorter; none when that is not worth it.
    pub(super) fn pack(&mut self, piece: &[u8]) -> Option<Vec<u8>> {
        if piece.len() < SHORT {
            return None;
        }
        if self.passes > 0 {
            self.passes -= 1;
            return None;
        }
        if self.zstd.is_none() {
            self.zstd = Compressor::new(LEVEL).ok();
        }
        let packed = self.zstd.as_mut()?.compress(piece).ok()?;
        let is_worth_it = packed.len() <= piece.len() / 8 * 7;
        if !is_worth_it {
            self.passes = PASS;
        }
        is_worth_it.then_some(packed)
    }
}

/// A piece as it was; it is never longer than one that comes unpacked.
pub(super) fn unpack(packed: &[u8]) -> io::Result<Vec<u8>> {
    decompress(packed, FRAME_MAX).map_err(senseless)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wire_is_slow_when_much_of_what_was_sent_last_took_long() {
        let second = Duration::from_secs(1);
        let slow = |all: &[(u64, Duration)]| {
            let mut pace = Pace::default();
            all.iter().for_each(|(bytes, took)| pace.add(*bytes, *took));
            pace.is_slow()
        };
        let fast = [(100 * MIB, second / 5)];
        assert!(!slow(&[]));
        assert!(
            !slow(&[(1000, second * 9)]),
            "a stall, and too little to tell"
        );
        assert!(!slow(&fast));
        assert!(slow(&[(5 * MIB, second)]));
        assert!(!slow(&[(5 * MIB, second / 10)]));
        let became_slow = [&fast[..], &[(MIB, second / 10); 100]].concat();
        assert!(slow(&became_slow));
        let became_fast = [&became_slow[..], &[(MIB, second / 900); 200]].concat();
        assert!(!slow(&became_fast));
    }

    #[test]
    fn what_shrinks_is_packed_and_comes_back() {
        let text = "a line of many\n".repeat(10_000).into_bytes();
        let packed = Packer::default().pack(&text).unwrap();
        assert!(packed.len() < text.len() / 50);
        assert_eq!(unpack(&packed).unwrap(), text);
    }

    #[test]
    fn what_does_not_shrink_is_seldom_tried() {
        let mut noise = vec![0; 100_000];
        blake3::Hasher::new().finalize_xof().fill(&mut noise);
        let text = vec![b'a'; 1000];
        let mut packer = Packer::default();
        assert!(packer.pack(&text[..SHORT - 1]).is_none());
        assert!(packer.pack(&text).is_some());
        assert!(packer.pack(&noise).is_none());
        let tried = (0..100).filter(|_| packer.pack(&text).is_some());
        assert_eq!(tried.count(), 100 - PASS as usize);
        assert!(packer.pack(&noise).is_none());
        packer.begin();
        assert!(packer.pack(&text).is_some());
    }

    #[test]
    fn a_bomb_is_refused() {
        let zeros = zstd::bulk::compress(&vec![0; 1 << 30], LEVEL).unwrap();
        assert!(zeros.len() < FRAME_MAX);
        assert!(unpack(&zeros).is_err());
        let fits = zstd::bulk::compress(&vec![0; FRAME_MAX], LEVEL).unwrap();
        assert_eq!(unpack(&fits).unwrap().len(), FRAME_MAX);
        assert!(unpack(b"no such thing").is_err());
    }
}
