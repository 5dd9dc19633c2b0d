//! The table of decisions, row by row.

use super::reconcile;
use crate::mode::Mode;
use crate::sketch;

const TABLE: &str = include_str!("table.txt");

#[test]
fn each_row_is_decided_as_the_table_says() {
    let mut mode = Mode::default();
    let mut rows = 0;
    let mut wrong = Vec::new();
    for (number, line) in (1..).zip(TABLE.lines()).skip(1) {
        if let Some(name) = line.strip_prefix("== ") {
            mode = name.parse().unwrap();
        } else if !line.is_empty() && !line.starts_with('#') {
            rows += 1;
            let mut cells = line.split('|').map(str::trim);
            let [base, host, container, expected] =
                [0; 4].map(|_| cells.next().unwrap_or_else(|| panic!("line {number}")));
            let [base, host, container] = [base, host, container].map(sketch::tree);
            let outcome = reconcile(base.as_ref(), host.as_ref(), container.as_ref(), mode);
            let decided = sketch::outcome(&outcome);
            if decided != expected {
                wrong.push(format!("line {number}: {line}\n   decided: {decided}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(rows >= 120, "only {rows} rows");
}
