//! Chance that is the same in every run, and what a person may ask of a run by hand.

/// Other numbers make another run.
const SEED: &str = "MIZZEN_WILD_SEED";
const USUAL_SEED: u64 = 20_260_301;

/// What a variable of the environment asks for; `usual` where it asks for nothing.
///
/// # Panics
/// It is no number.
#[must_use]
pub fn asked(variable: &str, usual: u64) -> u64 {
    std::env::var(variable).map_or(usual, |number| number.parse().expect("a number"))
}

/// The seed of this run.
#[must_use]
pub fn seed() -> u64 {
    asked(SEED, USUAL_SEED)
}

/// The same numbers for the same seed.
pub struct Dice(u64);

impl Dice {
    /// Dice of a seed.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number below this one.
    pub fn roll(&mut self, below: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap_or_default() % below
    }
}
