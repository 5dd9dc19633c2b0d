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

    /// The window tells sizes by a rule of its own, and is held to the same table.
    const TOLD: &str = include_str!("sizes.txt");

    #[test]
    fn sizes_are_told_to_a_tenth_of_the_unit_that_fits() {
        let lines = TOLD.lines().map(|line| line.split_once(": ").unwrap());
        let told: Vec<_> = lines
            .map(|(bytes, told)| (bytes.parse().unwrap(), told))
            .collect();
        assert!(told.len() > 20);
        for (bytes, told) in told {
            assert_eq!(sized(bytes), told, "{bytes}");
        }
    }
}
