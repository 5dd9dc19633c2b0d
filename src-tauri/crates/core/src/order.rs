//! The order of names: as people count, without case. The page keeps the same one (`ui/src/state/order.ts`).

use std::cmp::Ordering;

/// Compares two names; `s2` comes before `s10`. Only equal names are equal.
pub(crate) fn by_name(a: &str, b: &str) -> Ordering {
    key(a).cmp(&key(b)).then_with(|| a.cmp(b))
}

/// A text whose plain order is the wanted one: before each number stands how many digits it has.
fn key(name: &str) -> String {
    let mut key = String::with_capacity(name.len() + 2);
    let mut rest = name;
    while let Some(first) = rest.chars().next() {
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        if digits == 0 {
            key.push(first.to_ascii_lowercase());
            rest = &rest[first.len_utf8()..];
            continue;
        }
        let number = rest[..digits].trim_start_matches('0');
        // Still a digit for all numbers that anybody uses, so that numbers stay where digits belong.
        let length = u32::try_from(number.len()).unwrap_or(u32::MAX);
        key.extend(char::from_u32(u32::from('0').saturating_add(length)));
        key.push_str(number);
        rest = &rest[digits..];
    }
    key
}

#[cfg(test)]
mod tests {
    use super::by_name;

    #[test]
    fn names_are_sorted_as_people_count() {
        for sorted in [
            ["s1", "s2", "s10"],
            ["S1", "s2", "S3"],
            ["a", "a-b", "a1"],
            ["v1.2", "v1.10", "v2.1"],
            ["x", "x0", "x00"],
            ["7", "08", "b"],
            ["web", "web-2", "web-12"],
        ] {
            let mut names = sorted;
            names.reverse();
            names.sort_by(|a, b| by_name(a, b));
            assert_eq!(names, sorted);
        }
    }
}
