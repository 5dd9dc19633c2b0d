//! The tables of docs/benchmarks.md, each between its own pair of markers.

use std::fmt::Write as _;

use serde::Deserialize;

/// One row; `mizzen_tests::figure::Figure` writes it.
#[derive(Deserialize)]
pub(super) struct Figure {
    name: String,
    goal: String,
    median: String,
    spread: String,
    runs: usize,
}

/// The caption and the rows.
pub(super) fn table(caption: &str, figures: &[Figure]) -> String {
    let mut table =
        format!("{caption}\n\n| figure | goal | median | spread | runs |\n|---|---|---|---|---|\n");
    for Figure {
        name,
        goal,
        median,
        spread,
        runs,
    } in figures
    {
        let _ = writeln!(
            table,
            "| {name} | {goal} | **{median}** | {spread} | {runs} |"
        );
    }
    table
}

/// Replaces what stands between an area's markers; none when they are missing.
pub(super) fn splice(document: &str, area: &str, table: &str) -> Option<String> {
    let (begin, end) = (
        format!("<!-- begin {area} -->\n"),
        format!("<!-- end {area} -->"),
    );
    let (before, rest) = document.split_once(&begin)?;
    let (_, after) = rest.split_once(&end)?;
    Some(format!("{before}{begin}{table}{end}{after}"))
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum;

    use super::*;

    #[test]
    fn only_the_areas_own_table_changes() {
        let document = "# A\n<!-- begin core -->\nold\n<!-- end core -->\n<!-- begin wire -->\nkept\n<!-- end wire -->\n";
        let spliced = splice(document, "core", "new\n").expect("markers");
        assert_eq!(spliced, document.replace("old", "new"));
        assert_eq!(splice(document, "desktop", "new\n"), None);
    }

    #[test]
    fn what_other_parts_of_an_area_have_stays() {
        let document = "<!-- begin sync/one -->\nold\n<!-- end sync/one -->\n\n<!-- begin sync/two -->\nkept\n\
            <!-- end sync/two -->\n";
        let spliced = splice(document, "sync/one", "new\n").expect("markers");
        assert_eq!(spliced, document.replace("old", "new"));
        let spliced = splice(document, "sync/two", "new\n").expect("markers");
        assert_eq!(spliced, document.replace("kept", "new"));
    }

    #[test]
    fn every_part_has_its_place_in_the_document() {
        let document = include_str!("../../../../../docs/benchmarks.md");
        for area in super::super::Area::value_variants() {
            let name = area.name();
            let places = match area.parts() {
                [] => vec![name.to_owned()],
                parts => parts.iter().map(|part| format!("{name}/{part}")).collect(),
            };
            for place in places {
                assert!(splice(document, &place, "").is_some(), "{place}");
            }
        }
    }

    #[test]
    fn a_row_per_figure() {
        let figure = Figure {
            name: "`up`".to_owned(),
            goal: "≤ 1.5 s".to_owned(),
            median: "1.2 s".to_owned(),
            spread: "1.1-1.4 s".to_owned(),
            runs: 10,
        };
        let row = "| `up` | ≤ 1.5 s | **1.2 s** | 1.1-1.4 s | 10 |\n";
        assert!(table("Here.", &[figure]).ends_with(row));
    }
}
