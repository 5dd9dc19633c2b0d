//! Sizes as people write them.

/// Reads `4g`, `512m`, `1.5g`, `64MiB` or plain bytes; units are binary.
pub(crate) fn bytes(text: &str) -> Result<u64, String> {
    let refused = || format!("`{text}` is no size; write 512m or 4g");
    let lower = text.trim().to_ascii_lowercase();
    let digits = lower
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(lower.len());
    let (number, unit) = lower.split_at(digits);
    let shift = match unit.trim() {
        "" | "b" => 0,
        "k" | "kb" | "kib" => 10,
        "m" | "mb" | "mib" => 20,
        "g" | "gb" | "gib" => 30,
        "t" | "tb" | "tib" => 40,
        _ => return Err(refused()),
    };
    let number: f64 = number.parse().map_err(|_| refused())?;
    let size = number * (1_u64 << shift) as f64;
    // Above this a double no longer holds every byte; no machine has as much.
    if !(1.0..=(1_u64 << 53) as f64).contains(&size) {
        return Err(refused());
    }
    Ok(size as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read() {
        for (text, expected) in [
            ("1", 1),
            ("16m", 16 << 20),
            ("4g", 4 << 30),
            ("4G", 4 << 30),
            ("1.5g", 3 << 29),
            ("64MiB", 64 << 20),
            ("2 kb", 2048),
        ] {
            assert_eq!(bytes(text), Ok(expected), "{text}");
        }
        for text in [
            "",
            "g",
            "-1g",
            "4x",
            "1e9",
            "0",
            "nan",
            "99999999t",
            "1.2.3m",
        ] {
            assert!(bytes(text).is_err(), "{text}");
        }
    }
}
