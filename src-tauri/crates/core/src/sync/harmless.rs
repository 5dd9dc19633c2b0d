//! What a container says of its own link, made fit to be shown.

use mizzen_status::sanitise;

use crate::view::{SyncAnswer, VersionView};

/// Longest line of text, and longest path.
const LINE_CAP: usize = 300;
const PATH_CAP: usize = 4096;
/// All lines that differ, of one file.
const DIFF_CAP: usize = 1 << 20;
/// So many entries of a list.
const MOST: usize = 10_000;

/// A sentence or a word.
pub(super) fn line(text: &str) -> String {
    sanitise(text, LINE_CAP)
}

/// An answer, with fewer entries where there are too many.
pub(super) fn answer(mut answer: SyncAnswer) -> SyncAnswer {
    let short = |text: &mut String| *text = line(text);
    let path = |text: &mut String| *text = sanitise(text, PATH_CAP);
    match &mut answer {
        SyncAnswer::Conflicts(all) => {
            all.truncate(MOST);
            for it in all {
                path(&mut it.path);
                it.diff = it.diff.as_ref().map(|diff| sanitise(diff, DIFF_CAP));
                let versions = [&mut it.host, &mut it.container];
                versions.into_iter().flatten().for_each(version);
            }
        }
        SyncAnswer::Plan(plan) => {
            plan.steps.truncate(MOST);
            for step in &mut plan.steps {
                short(&mut step.what);
                path(&mut step.path);
                step.why.iter_mut().for_each(short);
            }
            plan.halt.iter_mut().for_each(short);
        }
        SyncAnswer::History(all) => {
            all.truncate(MOST);
            for past in all {
                short(&mut past.cycle);
                for side in [&mut past.host, &mut past.container].into_iter().flatten() {
                    side.changes.truncate(MOST);
                    for change in &mut side.changes {
                        path(&mut change.path);
                        short(&mut change.was);
                    }
                }
            }
        }
        SyncAnswer::Done(done) => {
            short(&mut done.cycle);
            done.beside.iter_mut().for_each(path);
            done.left.truncate(MOST);
            for left in &mut done.left {
                path(&mut left.path);
                short(&mut left.why);
            }
        }
        SyncAnswer::Standing(standing) => {
            path(&mut standing.path);
            short(&mut standing.standing);
            standing.at.iter_mut().for_each(path);
            standing.why.iter_mut().for_each(short);
        }
    }
    answer
}

fn version(version: &mut VersionView) {
    version.kind = line(&version.kind);
    version.modified = version.modified.as_deref().map(line);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::{PlanStepView, PlanView, StandingView};

    #[test]
    fn what_a_container_says_can_be_shown() {
        let hostile = "\u{1b}[31mred\u{202e}";
        let step = PlanStepView {
            what: hostile.to_owned(),
            path: hostile.to_owned(),
            side: None,
            why: Some(hostile.to_owned()),
        };
        let plan = SyncAnswer::Plan(PlanView {
            steps: vec![step; MOST + 1],
            more: 0,
            halt: Some(hostile.repeat(1000)),
        });
        let SyncAnswer::Plan(plan) = answer(plan) else {
            panic!("it stays a plan");
        };
        assert_eq!(plan.steps.len(), MOST);
        let step = &plan.steps[0];
        let texts = [&step.what, &step.path, step.why.as_ref().unwrap()];
        assert_eq!(texts.map(String::as_str), ["red"; 3]);
        assert!(plan.halt.unwrap().chars().count() <= LINE_CAP);
        let standing = SyncAnswer::Standing(StandingView {
            path: hostile.to_owned(),
            standing: hostile.to_owned(),
            at: Some(hostile.to_owned()),
            side: None,
            why: None,
        });
        let SyncAnswer::Standing(standing) = answer(standing) else {
            panic!("it stays one");
        };
        assert_eq!(
            (standing.path.as_str(), standing.standing.as_str()),
            ("red", "red")
        );
    }
}
