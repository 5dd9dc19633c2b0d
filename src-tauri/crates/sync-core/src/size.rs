//! Sizes in words.

const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];

/// Bytes as people read them: `180 MiB`, `1.5 GiB`. To a tenth of a binary unit, in the first that makes less than 1024.
#[must_use]
pub fn sized(bytes: u64) -> String {
    let largest = UNITS.len() - 1;
    let fits = |power: &usize| tenths(bytes, *power) < 10_240;
    let power = (0..largest).find(fits).unwrap_or(largest);
    let (tenths, unit) = (tenths(bytes, power), UNITS[power]);
    match tenths % 10 {
        0 => format!("{} {unit}", tenths / 10),
        rest => format!("{}.{rest} {unit}", tenths / 10),
    }
}

/// Tenths of a unit, rounded.
fn tenths(bytes: u64, power: usize) -> u128 {
    let unit = 1_u128 << (10 * power);
    (u128::from(bytes) * 10 + unit / 2) / unit
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_told_to_a_tenth_of_the_unit_that_fits() {
        for (bytes, told) in [
            (0, "0 B"),
            (1023, "1023 B"),
            (1024, "1 KiB"),
            (1536, "1.5 KiB"),
            (10_189, "10 KiB"),
            (296 << 10, "296 KiB"),
            ((12 << 20) + 1, "12 MiB"),
            ((1 << 20) - 1, "1 MiB"),
            ((1 << 30) - 1, "1 GiB"),
            (5 << 29, "2.5 GiB"),
            (13 << 29, "6.5 GiB"),
            (3 << 40, "3 TiB"),
            (u64::MAX, "16777216 TiB"),
        ] {
            assert_eq!(sized(bytes), told);
        }
    }
}
